"""Earlier screens: at an offset or a time, what a terminal that was fed the output up to there shows."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.ring import writer as writers
from jupyter_ptytasks.core.ring.moments import offset_at, times_at
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.core.ring.writer import RingWriter
from jupyter_ptytasks.server.terminals import replay
from tests.core.test_replay import seen
from tests.oracle.client import xterm

if TYPE_CHECKING:
    from tests.oracle.client import Xterm
    from tests.server.conftest import Rest

__all__ = ["xterm"]

STREAMS = Path(__file__).parent.parent / "data" / "streams"
ROWS, COLS = 24, 80
BEGAN = 1_700_000_000.0


@pytest.mark.parametrize("fraction", [0.1, 0.37, 0.62, 0.9])
def test_a_screen_is_what_a_terminal_shows_that_was_fed_up_to_there(
    xterm: Xterm, tmp_path: Path, fraction: float
) -> None:
    for path in sorted(STREAMS.iterdir()):
        stream = path.read_bytes()
        ring = tmp_path / path.name
        writer = RingWriter(str(ring), size=1 << 26, segment=1 << 14, rows=ROWS, cols=COLS)
        for start in range(0, len(stream), 997):
            writer.write(stream[start : start + 997])
        writer.close()
        with RingReader(str(ring)) as reader:
            drawn = replay.load(reader, ROWS, ROWS, COLS, int(len(stream) * fraction))
        # Up to the last token that is complete.
        fed, replayed = map(seen, xterm.show(stream[: drawn.offset], drawn.data, rows=ROWS, cols=COLS))
        for one in (fed, replayed):
            # The screen, without what is above it.
            one["normal"]["lines"] = one["normal"]["lines"][-ROWS:]
            del one["normal"]["base"]
        assert fed == replayed, path.name


def test_times_and_offsets_lead_to_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    clock = SimpleNamespace(time=lambda: BEGAN + now, monotonic=lambda: 1000 + now)
    monkeypatch.setattr(writers, "time", clock)
    writer = RingWriter(str(tmp_path), size=1 << 20, segment=400, rows=ROWS, cols=COLS)
    ends = []
    for second in range(100):
        now = second * 10.0
        writer.write(b"line %4d\r\n" % second)
        ends.append((second + 1) * 11)
    now = 2000.0
    writer.close()
    with RingReader(str(tmp_path)) as reader:
        assert len(reader.bases()) > 2
        assert offset_at(reader, BEGAN - 5) == 0
        for second in (0, 1, 37, 38, 74, 98):
            # What came with the next line was not there before.
            assert offset_at(reader, BEGAN + second * 10 + 5) == ends[second]
        assert offset_at(reader, BEGAN + 3000) == ends[-1]
        came = times_at(reader, ends)
        assert [round(moment - BEGAN) for moment in came if moment] == [second * 10 for second in range(100)]
        assert times_at(reader, []) == []


async def test_a_task_is_seen_as_it_was(rest: Rest) -> None:
    await rest.create("echo one; sleep 1.5; echo two", name="a")
    task = await rest.wait("a")

    async def at(**query: Any) -> dict[str, Any]:
        answer = await rest("GET", "tasks", "a", "replay", **query)
        assert answer.code == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    last = await at()
    assert "two" in last["data"]
    assert (last["offset"], last["last_time"], last["time"]) == (last["end"], task["ended"], task["ended"])
    assert (last["rows"], last["cols"]) == (task["rows"], task["cols"])
    first = await at(offset=5)
    assert "one" in first["data"]
    assert "two" not in first["data"]
    assert first["first_time"] <= first["time"] < last["time"]
    assert (await at(time=first["time"]))["offset"] == 5
    assert (await at(time="2000-01-01T00:00:00Z"))["offset"] == 0
    lines = (await rest.output("a", times="1"))["times"]
    assert lines[0] == first["time"]


@pytest.mark.parametrize(
    ("query", "field"),
    [({"time": "noon"}, "time"), ({"offset": -1}, "offset"), ({"time": "2000-01-01T00:00:00Z", "offset": 1}, "time")],
)
async def test_errors_name_the_field(rest: Rest, query: dict[str, Any], field: str) -> None:
    await rest.create("true", name="a")
    answer = await rest("GET", "tasks", "a", "replay", **query)
    assert (answer.code, answer.json["field"]) == (400, field)
