"""Searching the output of many tasks: results, their order, and limits."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jupyter_ptytasks.core.errors import BadRequest
from jupyter_ptytasks.core.ring.known import KnownRings
from jupyter_ptytasks.core.ring.lines import RingLines
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.core.ring.writer import RingWriter
from jupyter_ptytasks.core.terminal import lines as terminal_lines
from jupyter_ptytasks.core.terminal import plain
from jupyter_ptytasks.core.terminal.needles import COLORS
from jupyter_ptytasks.server import search
from jupyter_ptytasks.server.search import Cancelled, Pattern
from jupyter_ptytasks.server.searching import Searching, Wanted
from tests.oracle import streams
from tests.server.conftest import PATIENCE

if TYPE_CHECKING:
    from jupyter_ptytasks.core.model import Task
    from tests.server.conftest import Rest


def searching(
    directory: Path, wanted: Wanted, cancel: Event | None = None, known: KnownRings | None = None
) -> Searching:
    task = cast("Task", SimpleNamespace(id="id", name="name", rows=5, cols=40))
    return Searching([task], lambda _: RingReader(str(directory)), wanted, cancel or Event(), known or KnownRings())


def search_ring(
    directory: Path, wanted: Wanted, cancel: Event | None = None, known: KnownRings | None = None
) -> tuple[list[dict[str, Any]], Any]:
    """Search one ring; return what is found, and the summary."""
    one = searching(directory, wanted, cancel, known)
    hits, goes_on = one.step()
    while goes_on:
        more, goes_on = one.step()
        hits += more
    return hits, one.summary()


PLAIN = [b"plain loss=1\r\n", b"\x1b[32mgreen loss\x1b[0m\r\n", "é loss\r\n".encode(), b"\r\n", b"x" * 60 + b"\r\n"]
PATTERNS = ["loss", "^.*loss$", r"\bloss\b", "100%|green", r"(?<=x)x$", "^$", r"é|\s", "green loss", r"1\%", "é"]
SPLIT = [b"gr\x1b[1mee\x1b[0;32mn lo\x1b[Kss\r\n", b"lo\x1b[3\x1b[0m1mss\r\n", b"lo\x1b\x1b[0m[1mss\r\n", b"l\0oss\r\n"]
#: Tabs, and CR LF that a terminal added another CR to.
LOOSE = [
    b"a\tb loss\r\n",
    b"\tgreen\x1b[1m\tloss\x1b[0m\t\r\n",
    b"green   loss \r\r\r\n",
    b"\x1b[32mgr\x1b[0meen\t loss\x1b[K\r\r\n",
    "\u00e9\t\u4e2dloss\t 1\r\n".encode(),
    b"x" * 30 + b"\tloss\r\n",
    b"x" * 39 + b"\tloss\r\n",
    b"\r\r\n",
]
OTHER = [
    b"10%\rloss 100%\r\n",
    b"\x1b[2Aloss up\x1b[2B\r\n",
    b"lost\x08s\r\n",
    b"stairs\n",
    b"\x1b[?1049hno loss\r\n\x1b[?1049l",
]


@given(
    pieces=st.one_of(
        st.lists(st.sampled_from([*PLAIN * 3, *SPLIT, *LOOSE, *OTHER]), min_size=1, max_size=60),
        st.lists(st.sampled_from([*PLAIN, *LOOSE]), min_size=20, max_size=60),
    ),
    pattern=st.sampled_from([*PATTERNS, "green   loss", "b loss", " loss$"]),
    segment=st.integers(200, 2000),
)
@example(pieces=[LOOSE[2], *[PLAIN[0]] * 4, PLAIN[1]], pattern="loss", segment=200)
def test_lines_in_bulk_are_those_that_are_drawn(pieces: list[bytes], pattern: str, segment: int) -> None:
    stream = b"".join(pieces)
    with tempfile.TemporaryDirectory() as top, pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal_lines, "_WORTH", 1)
        writer = RingWriter(top, size=1 << 20, segment=segment, rows=5, cols=40)
        writer.write(stream)
        writer.close()
        with RingReader(top) as reader:
            reading = RingLines(reader, (5, 40)).since(0)
            drawn = [line for batch in reading for line in batch] + [line[:2] for line in reading.rest()]
            reading = RingLines(reader, (5, 40)).since(0)
            bulk = [
                line for batch in reading.in_bulk() for line in (batch if isinstance(batch, list) else batch.lines())
            ] + [line[:2] for line in reading.rest()]
        assert bulk == drawn
        known = KnownRings()
        hits, summary = search_ring(Path(top), Wanted(pattern, regex=True), known=known)
        assert search_ring(Path(top), Wanted(pattern, regex=True), known=known) == (hits, summary)
        expected = Pattern(pattern, cancel=None, field="q").matching(drawn, 0)
        assert [(hit["line"], hit["text"]) for hit in hits] == expected
        assert summary["reason"] is None
        for hit in hits:
            assert stream[: hit["offset"]].count(b"\n") == hit["line"] or hit["offset"] == len(stream)


@given(st.lists(st.sampled_from([b"\x1b", b"[", b"0", b";", b"m", b"K", b"1", b"a", b"\0", b"\x1b[0m", b"\x1b[31m"])))
def test_colors_are_taken_out_as_by_a_look_at_each(parts: list[bytes]) -> None:
    data = b"".join(parts)
    assert plain._without_colors(data) == COLORS.sub(b"", data)


@given(stream=streams.everything)
def test_whatever_is_written_bulk_changes_no_line(stream: bytes) -> None:
    with tempfile.TemporaryDirectory() as top, pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal_lines, "_WORTH", 1)
        writer = RingWriter(top, size=1 << 20, segment=1 << 19, rows=5, cols=40)
        writer.write(stream)
        writer.close()
        with RingReader(top) as reader:
            drawn = RingLines(reader, (5, 40)).since(0)
            lines = [line for batch in drawn for line in batch]
            reading = RingLines(reader, (5, 40)).since(0)
            bulk = [line for b in reading.in_bulk() for line in (b if isinstance(b, list) else b.lines())]
            assert bulk + reading.rest() == lines + drawn.rest()


def test_a_match_is_located_from_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting from the beginning of a batch, the time for thousands of matches would be quadratic."""
    writer = RingWriter(str(tmp_path / "ring"), size=1 << 20, segment=1 << 19, rows=5, cols=40)
    writer.write(b"\x1b[32mgreen\x1b[0m loss 1\r\n" * 500)
    writer.close()
    counted = []
    locate = RingLines.locate

    def located(ring: RingLines, number: int, known: tuple[int, int] | None = None) -> tuple[int, int]:
        counted.append(number - (known[1] if known is not None else 0))
        return locate(ring, number, known)

    monkeypatch.setattr(RingLines, "locate", located)
    hits, _ = search_ring(tmp_path / "ring", Wanted("loss"))
    assert len(hits) == len(counted) == 500
    assert max(counted) <= 1


async def found(rest: Rest, **query: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Search; return the hits and the last line."""
    response = await rest("GET", "search", **query)
    assert response.code == 200, response.body
    *hits, summary = map(json.loads, response.body.splitlines())
    return hits, summary


async def test_all_tasks_are_searched_the_newest_first(rest: Rest) -> None:
    older = await rest.create("seq 1 3000; echo loss=nan; echo LOSS=NAN", name="older", group="a", tags=["x"])
    await rest.wait("older")
    newer = await rest.create("echo 'step 1 loss=nan'; exit 3", name="newer")
    await rest.wait("newer")
    hits, summary = await found(rest, q="loss=nan")
    assert hits == [
        {
            "task": newer["id"],
            "name": "newer",
            "line": 0,
            "offset": 0,
            "text": "step 1 loss=nan",
            "start": 0,
            "spans": [[7, 15]],
        },
        {
            "task": older["id"],
            "name": "older",
            "line": 3000,
            "offset": 16893,
            "text": "loss=nan",
            "start": 0,
            "spans": [[0, 8]],
        },
    ]
    assert summary.items() >= {"hits": 2, "tasks": 2, "unreadable": 0, "reason": None, "message": None}.items()

    async def texts(**query: Any) -> list[str]:
        return [hit["text"] for hit in (await found(rest, **query))[0]]

    assert await texts(q="LOSS=nan", ignore_case="1", group="a") == ["loss=nan", "LOSS=NAN"]
    assert await texts(q="^299.$", regex="1", tag="x") == [str(n) for n in range(2990, 3000)]
    assert await texts(q="1", tasks="newer") == ["step 1 loss=nan"]
    assert await texts(q="loss", state="failed") == ["step 1 loss=nan"]
    assert await texts(q="loss", task_q="EXIT 3") == ["step 1 loss=nan"]
    assert await texts(q="loss", since="2100-01-01T00:00:00Z") == []
    hits, summary = await found(rest, q="1", limit=7)
    assert (len(hits), summary["reason"]) == (7, "limit")
    assert (await rest("HEAD", "search", q="loss")).body == b""


@pytest.mark.parametrize(
    ("query", "field"),
    [({}, "q"), ({"q": ""}, "q"), ({"q": "(", "regex": "1"}, "q"), ({"q": "a", "limit": "0"}, "limit"),
     ({"q": "a", "state": "odd"}, "state.0"), ({"q": "a", "since": "soon"}, "since"), ({"q": "a", "x": "1"}, "x")],
)  # fmt: skip
async def test_errors_name_the_field(rest: Rest, query: dict[str, Any], field: str) -> None:
    response = await rest("GET", "search", **query)
    assert (response.code, response.json["field"]) == (400, field)


@pytest.mark.parametrize("ignore_case", ["0", "1"])
async def test_an_error_in_an_expression_has_its_position(rest: Rest, ignore_case: str) -> None:
    response = await rest("GET", "search", q="a(", regex="1", ignore_case=ignore_case)
    assert (response.code, response.json["message"]) == (400, "not a regular expression: missing ) at position 2")


async def test_a_match_far_from_the_beginning_of_its_line_is_shown(rest: Rest) -> None:
    await rest.create(["printf", "%5000sloss=nan%5000s\\n", "", ""], name="long")
    await rest.wait("long")
    [hit], _ = await found(rest, q="loss")
    assert (hit["start"], hit["text"]) == (4960, "…" + " " * 40 + "loss=nan" + " " * 3950 + "…")
    assert hit["spans"] == [[41, 45]]
    output = (await rest("GET", "tasks", "long", "output", grep="loss")).json
    assert output["output"] == f"(4960 characters before) {hit['text']} (1050 characters more)\n"
    assert (await rest("GET", "tasks", "long", "wait", match="loss")).json["line"] == {"number": 0, "text": hit["text"]}


async def test_a_task_that_does_not_exist_is_an_error(rest: Rest) -> None:
    assert (await rest("GET", "search", q="a", tasks="nobody")).code == 404


def ring_of(directory: Path, data: bytes) -> Path:
    writer = RingWriter(str(directory), size=1 << 26, segment=1 << 22, rows=24, cols=80)
    writer.write(data)
    writer.close()
    return directory


def test_a_slow_pattern_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_LINE_TIME", 0.05)
    ring = ring_of(tmp_path, b"a" * 50_000 + b"b\r\n")
    with pytest.raises(BadRequest, match="too long") as caught:
        search_ring(ring, Wanted("(a+)+$", regex=True))
    assert caught.value.field == "q"


def test_a_search_ends_with_its_client(tmp_path: Path) -> None:
    cancel = Event()
    cancel.set()
    with pytest.raises(Cancelled):
        search_ring(ring_of(tmp_path, b"line\r\n" * 1000), Wanted("line"), cancel)


def test_the_first_line_is_not_kept_waiting(tmp_path: Path) -> None:
    search = searching(ring_of(tmp_path, b"line\r\n" * 10_000), Wanted("line"))
    hits, goes_on = search.step()
    assert ([hit["line"] for hit in hits], goes_on) == ([0], True)
    assert len(search.step()[0]) > 1


async def test_a_client_that_leaves_ends_its_search(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, stopped = Event(), Event()

    def step(self: Searching) -> tuple[list[dict[str, Any]], bool]:
        begun.set()
        if self._cancel.wait(0.05):
            stopped.set()
            raise Cancelled
        return [], True

    monkeypatch.setattr(Searching, "step", step)
    where = urlsplit(rest._root)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    headers = "".join(f"{name}: {value}\r\n" for name, value in rest._headers.items())
    writer.write(f"GET {where.path}/search?q=a HTTP/1.1\r\nHost: {where.netloc}\r\n{headers}\r\n".encode())
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    writer.close()
    assert await asyncio.to_thread(stopped.wait, PATIENCE)
    assert await reader.read() == b""
