"""Recordings: played, they end with what a replay shows, and have the right times and end."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.model import Exit, Kind, Task
from jupyter_ptytasks.core.ring import writer as writers
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.core.ring.writer import RingWriter
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.core.terminal import replay
from jupyter_ptytasks.core.terminal.modes import TerminalModes
from jupyter_ptytasks.server.recording import asciicast
from tests.core.test_replay import seen
from tests.oracle.client import xterm

if TYPE_CHECKING:
    from tests.oracle.client import Xterm
    from tests.server.conftest import Rest

__all__ = ["xterm"]

STREAMS = Path(__file__).parent.parent / "data" / "streams"
ROWS, COLS = 24, 80
BEGAN = 1_700_000_000.0
TASK = Task(
    id="mwp0c3k9d2ab", name="train", command=["python", "my train.py"], kind=Kind.COMMAND, cwd="/", state=State.FAILED,
    created=BEGAN, provisioner="local", exit=Exit(3), started=BEGAN, ended=BEGAN + 99.5, rows=ROWS, cols=COLS,
)  # fmt: skip


class Clock:
    """A fake clock that advances on request."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(
            writers, "time", SimpleNamespace(time=lambda: BEGAN + self.now, monotonic=lambda: 1000 + self.now)
        )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def recorded(directory: Path, task: Task = TASK, *, version: int = 3, idle: float = 0) -> tuple[Any, list[Any]]:
    """Return the header and the events of a recording."""
    with RingReader(str(directory)) as reader:
        header, *events = map(json.loads, asciicast(reader, task, version=version, idle=idle))
    return header, events


def text_of(events: list[Any]) -> str:
    return "".join(data for _, code, data in events if code == "o")


@pytest.mark.parametrize("size", [1 << 26, 4096], ids=["whole", "wrapped"])
def test_played_it_shows_what_a_replay_shows(xterm: Xterm, tmp_path: Path, size: int) -> None:
    for path in sorted(STREAMS.iterdir()):
        stream = path.read_bytes()
        ring = tmp_path / path.name
        writer = RingWriter(str(ring), size=size, segment=size // 4, rows=ROWS, cols=COLS)
        for start in range(0, len(stream), 333):
            writer.write(stream[start : start + 333])
        kept = writer.start
        writer.close()
        header, events = recorded(ring)
        assert header["term"] == {"cols": COLS, "rows": ROWS, "type": "xterm-256color"}
        if kept:
            with RingReader(str(ring)) as reader:
                first = reader.keyframe(kept)
            built = replay.build(first.scrollback, first.modes, stream[kept:], rows=ROWS, cols=COLS)
        else:
            built = replay.build(b"", TerminalModes(), stream, rows=ROWS, cols=COLS)
        played = text_of(events).encode()
        shown, replayed = map(seen, xterm.show(played, built.data + built.tail, rows=ROWS, cols=COLS))
        if kept:
            # A replay has the last thousand lines, whatever was above them.
            for one in (shown, replayed):
                one["normal"]["lines"] = one["normal"]["lines"][-ROWS:]
        assert shown == replayed, path.name
        assert xterm.answers(played, rows=ROWS, cols=COLS) == []


def test_events_have_the_times_and_sizes_of_the_output(clock: Clock, tmp_path: Path) -> None:
    writer = RingWriter(str(tmp_path), size=1 << 20, segment=1 << 18, rows=24, cols=80)
    clock.now = 1.5
    writer.write(b"begins \xe2\x94")
    clock.now = 1.6
    writer.write(b"\x82\r\nName? ")  # not recorded at once; then it waits for an answer
    clock.now = 60.0
    writer.write(b"Ada\r\n")
    clock.now = 61.0
    writer.resize(30, 100)
    clock.now = 61.25
    writer.write(b"wide\r\n")
    clock.now = 61.35
    writer.write(b"end\x07\x1b[6n\r\n")
    clock.now = 90.0
    writer.close()
    header, events = recorded(tmp_path)
    assert header == {
        "version": 3,
        "term": {"cols": 80, "rows": 24, "type": "xterm-256color"},
        "timestamp": int(BEGAN),
        "command": "python 'my train.py'",
        "title": "train",
    }
    clean = "end\x1b\\\x1b\\\r\n"
    assert events == [
        [1.5, "o", "begins "],
        [0.1, "o", "│\r\nName? "],
        [58.4, "o", "Ada\r\n"],
        [1.0, "r", "100x30"],
        [0.35, "o", f"wide\r\n{clean}"],
        [38.15, "x", "3"],
    ]
    header, events = recorded(tmp_path, version=2, idle=2)
    assert (header["width"], header["height"], header["env"]) == (80, 24, {"TERM": "xterm-256color"})
    assert [(at, code) for at, code, _ in events] == [(1.5, "o"), (1.6, "o"), (3.6, "o"), (4.6, "r"), (4.95, "o")]


def test_another_attempt_and_a_clock_that_is_set_back(clock: Clock, tmp_path: Path) -> None:
    for now, cols in ((10.0, 80), (5.0, 132)):
        clock.now = now
        writer = RingWriter(str(tmp_path), size=1 << 20, segment=1 << 18, rows=24, cols=cols)
        clock.now += 1
        writer.write(b"runs\r\n")
        writer.close()
    _, events = recorded(tmp_path, TASK.with_(state=State.CANCELLED, exit=Exit(signal="SIGINT"), ended=BEGAN + 6))
    assert events == [[1.0, "o", "runs\r\n"], [0.0, "r", "132x24"], [1.0, "o", "runs\r\n"], [0.0, "x", "130"]]
    for state, code in ((State.LOST, None), (State.RUNNING, None)):
        _, events = recorded(tmp_path, TASK.with_(state=state, exit=Exit(code), ended=None))
        assert events[-1][1] == "o"


def test_a_ring_without_its_index_and_one_that_is_not_there(tmp_path: Path) -> None:
    writer = RingWriter(str(tmp_path), size=1 << 20, segment=1 << 18, rows=24, cols=80)
    writer.write(b"hello\r\n")
    writer.close()
    for index in tmp_path.glob("*.idx"):
        index.unlink()
    assert [event[1:] for event in recorded(tmp_path)[1]] == [["o", "hello\r\n"], ["x", "3"]]
    assert [event[1] for event in recorded(tmp_path / "nowhere")[1]] == ["x"]


def test_it_takes_little_memory_whatever_was_printed(tmp_path: Path) -> None:
    writer = RingWriter(str(tmp_path), size=1 << 26, segment=1 << 22, rows=24, cols=80)
    writer.write(b"before\x1b]52;c;" + b"A" * (6 << 20) + b"\x07behind\r\n" + b"line\r\n" * (1 << 20))
    writer.close()
    with RingReader(str(tmp_path)) as reader:
        tracemalloc.start()
        try:
            text = 0
            beginning = b""
            for line in asciicast(reader, TASK, version=3, idle=0):
                text += len(line)
                beginning += line if len(beginning) < 1000 else b""
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert "beforebehind" in "".join(json.loads(line)[2] for line in beginning.splitlines()[1:]).replace("\x1b\\", "")
    assert text > 6 << 20
    assert peak < 8 << 20


async def test_the_route(rest: Rest) -> None:
    await rest.create("printf 'one\\ntwo\\n'; exit 3", name="says")
    await rest.wait("says")
    answer = await rest("GET", "tasks", "says", "record", download="1")
    assert answer.headers["Content-Type"] == "application/x-asciicast"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''says.cast"
    header, *events = map(json.loads, answer.body.splitlines())
    assert (header["version"], header["title"]) == (3, "says")
    assert text_of(events) == "one\r\ntwo\r\n"
    assert events[-1][1:] == ["x", "3"]
    old = (await rest("GET", "tasks", "says", "record", version=2)).body.splitlines()
    assert json.loads(old[0])["version"] == 2
    for wrong in ({"version": 4}, {"idle": -1}, {"idle": "nan"}):
        answer = await rest("GET", "tasks", "says", "record", **wrong)
        assert (answer.code, answer.json["field"]) == (400, next(iter(wrong)))
    head = await rest("HEAD", "tasks", "says", "record")
    assert (head.code, head.body) == (200, b"")
