"""Output as text by line, and as bytes by offset."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from jupyter_ptytasks.server import search
from jupyter_ptytasks.server.rest import output
from jupyter_ptytasks.server.search import Cancelled
from tests.server.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.server.conftest import Rest


async def test_all_of_it(rest: Rest) -> None:
    await rest.create("printf 'one\\n\\033[31mtwo\\033[0m\\n  0%%|  |\\r100%%|##|\\n'", name="text")
    await rest.wait("text")
    assert await rest.output("text") == {
        "output": "one\ntwo\n100%|##|\n",
        "first_line": 0,
        "next_line": 3,
        "total_lines": 3,
        "lines_omitted": 0,
        "more": False,
        "truncated": False,
        "bytes": 17,
        "estimated_tokens": 5,
        "ended": True,
    }
    assert (await rest.output("text", ansi="keep"))["output"].split("\n")[1] == "\x1b[31mtwo\x1b[0m"


@pytest.mark.parametrize(
    ("query", "first", "last", "count", "next_line", "omitted"),
    [
        ({}, "line 1", "prompt> ", 101, 100, 0),
        ({"since": 90}, "line 91", "prompt> ", 11, 100, 0),
        ({"max_lines": 10}, "line 1", "line 10", 10, 10, 0),
        ({"mode": "head", "head_lines": 3, "since": 10}, "line 11", "line 13", 3, 13, 0),
        ({"mode": "tail", "tail_lines": 2}, "line 100", "prompt> ", 2, 100, 99),
        ({"mode": "tail", "tail_lines": 200, "since": 50}, "line 51", "prompt> ", 51, 100, 0),
        ({"mode": "tail", "tail_lines": 0}, "", "", 0, 100, 0),
        ({"since": 1000}, "", "", 0, 100, 0),
    ],
)
async def test_parts_of_it(
    rest: Rest,
    query: dict[str, Any],
    first: str,
    last: str,
    count: int,
    next_line: int,
    omitted: int,
) -> None:
    await rest.create("seq -f 'line %g' 100; printf 'prompt> '", name="seq")
    await rest.wait("seq")
    answer = await rest.output("seq", **query)
    shown = answer["output"].split("\n") if answer["output"] else []
    if shown and shown[-1] == "":
        shown.pop()
    assert (shown[:1] or [""])[0] == first
    assert (shown[-1:] or [""])[0] == last
    assert (len(shown), answer["next_line"], answer["lines_omitted"], answer["total_lines"]) == (
        count,
        next_line,
        omitted,
        101,
    )


async def test_head_and_tail_say_what_is_between(rest: Rest) -> None:
    await rest.create("seq 100", name="seq")
    await rest.wait("seq")
    answer = await rest.output("seq", mode="head-tail", head_lines=2, tail_lines=1)
    assert answer["output"] == "1\n2\n… 97 lines omitted …\n100\n"
    assert (answer["lines_omitted"], answer["truncated"], answer["next_line"]) == (97, True, 100)
    whole = await rest.output("seq", mode="head-tail", head_lines=60, tail_lines=60)
    assert (whole["lines_omitted"], whole["output"].count("\n")) == (0, 100)


async def test_head_and_tail_of_more_than_an_answer_holds_have_the_end(rest: Rest) -> None:
    await rest.create("seq 100000", name="long")
    await rest.wait("long")
    answer = await rest.output("long", mode="head-tail", head_lines=2, tail_lines=1)
    assert answer["output"] == "1\n2\n… 99997 lines omitted …\n100000\n"
    assert (answer["next_line"], answer["more"]) == (100000, False)


async def test_reading_on_by_cursor_misses_and_repeats_nothing(rest: Rest) -> None:
    await rest.create("for i in $(seq 300); do echo line $i; done; read x; echo last", name="talk")
    await rest.until("talk", lambda task: task["output"]["lines"] == 300)
    text, cursor = "", 0
    while True:
        answer = await rest.output("talk", since=cursor, max_lines=70)
        text += answer["output"]
        if answer["next_line"] == cursor:
            break
        cursor = answer["next_line"]
    assert text == "".join(f"line {number}\n" for number in range(1, 301))
    await rest("POST", "tasks", "talk", "input", body={"newline": True})
    await rest.wait("talk")
    answer = await rest.output("talk", since=cursor)
    assert answer["output"] == "\nlast\n"
    assert answer["ended"] is True


async def test_grep(rest: Rest) -> None:
    await rest.create("seq -f 'line %g' 100; printf '\\033[1mline\\033[0m 777\\n'", name="seq")
    await rest.wait("seq")
    answer = await rest.output("seq", grep=r"line \d*7$")
    assert answer["line_numbers"] == [6, 16, 26, 36, 46, 56, 66, 76, 86, 96, 100]
    assert answer["output"].startswith("line 7\nline 17\n")
    assert answer["next_line"] == 101
    tail = await rest.output("seq", grep="line", mode="tail", tail_lines=1)
    assert (tail["output"], tail["lines_omitted"]) == ("line 777\n", 100)
    none = await rest.output("seq", grep="nothing")
    assert (none["output"], none["next_line"], none["line_numbers"]) == ("", 101, [])


@pytest.mark.parametrize("pattern", ["(", "*", r"(a+)+$"])
async def test_invalid_and_catastrophic_patterns(rest: Rest, pattern: str) -> None:
    await rest.create(f"echo {'a' * 60}b", name="aaa")
    await rest.wait("aaa")
    answer = await rest("GET", "tasks", "aaa", "output", grep=pattern)
    if answer.code == 200:
        assert answer.json["output"] == ""
    else:
        assert (answer.code, answer.json["field"]) == (400, "grep")


class Searching:
    """Stands in for the reader of lines: a search that takes as long as its client is there."""

    begun = Event()
    left = Event()

    def __init__(self, *_: object, cancel: Event, **__: object) -> None:
        self._cancel = cancel

    def read(self, query: object) -> None:
        self.begun.set()
        if self._cancel.wait(PATIENCE):
            self.left.set()
        raise Cancelled


async def test_a_search_ends_when_its_client_leaves(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    task = await rest.create("true", name="a")
    await rest.wait("a")
    monkeypatch.setattr(output, "LineReader", Searching)
    where = urlsplit(rest._root)
    assert where.hostname is not None
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    headers = "".join(f"{name}: {value}\r\n" for name, value in rest._headers.items())
    path = f"{where.path}/tasks/{task['id']}/output?grep=a"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\n{headers}\r\n".encode())
    assert await asyncio.to_thread(Searching.begun.wait, PATIENCE)
    writer.close()
    assert await asyncio.to_thread(Searching.left.wait, PATIENCE)
    assert await reader.read() == b""


async def test_many_searches_delay_no_other_request(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    await rest.create("head -c 60000 /dev/zero | tr '\\0' a; echo b", name="aaa")
    await rest.wait("aaa")
    monkeypatch.setattr(search, "_LINE_TIME", 0.5)
    searches = [asyncio.create_task(rest("GET", "tasks", "aaa", "output", grep="(a+)+$")) for _ in range(5)]
    meanwhile = 0
    while not searches[0].done():
        await rest.output("aaa", mode="tail", tail_lines=1)
        meanwhile += not searches[0].done()
    assert meanwhile > 0
    assert not all(each.done() for each in searches)
    for answer in await asyncio.gather(*searches):
        assert (answer.code, answer.json["code"], answer.json["field"]) == (400, "bad_request", "grep")
        assert "took too long" in answer.json["message"]


async def test_an_answer_is_bounded_whatever_the_output(rest: Rest) -> None:
    await rest.create("head -c 3000000 /dev/zero | tr '\\0' x; echo; seq 100000", name="big")
    await rest.wait("big")
    answer = await rest.output("big", max_lines=100000)
    assert answer["bytes"] < 300_000
    assert answer["truncated"] is True
    assert "(2996000 characters more)" in answer["output"]
    assert answer["next_line"] < 100_000


async def test_binary_garbage_is_text_all_the_same(rest: Rest) -> None:
    await rest.create("stty raw -echo; head -c 300000 /dev/urandom", name="noise")
    await rest.wait("noise")
    answer = await rest.output("noise", max_lines=100000)
    answer["output"].encode("utf-8")
    raw = await rest("GET", "tasks", "noise", "output", "raw")
    assert len(raw.body) == 300_000


async def test_raw_bytes_by_offset(rest: Rest) -> None:
    await rest.create("printf 'caf\\303\\251\\n'; seq 1000", name="raw")
    task = await rest.wait("raw")
    whole = await rest("GET", "tasks", "raw", "output", "raw")
    expected = "café\r\n".encode() + b"".join(b"%d\r\n" % number for number in range(1, 1001))
    assert whole.body == expected
    assert whole.headers["Content-Type"] == "application/octet-stream"
    assert whole.headers["X-Ptytasks-End"] == str(task["output"]["end"]) == str(len(expected))
    part = await rest("GET", "tasks", "raw", "output", "raw", offset=10, limit=20)
    assert (part.body, part.headers["X-Ptytasks-Offset"]) == (expected[10:30], "10")
    beyond = await rest("GET", "tasks", "raw", "output", "raw", offset=10**9)
    assert (beyond.code, beyond.body) == (200, b"")
    answer = await rest("GET", "tasks", "raw", "output", "raw", offset=-1)
    assert (answer.code, answer.json["field"]) == (400, "offset")


async def test_raw_download_has_a_name(rest: Rest) -> None:
    await rest.create("echo x", name="träin/1")
    await rest.wait("träin/1")
    answer = await rest("GET", "tasks", "träin/1", "output", "raw", download=1)
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''tr%C3%A4in%2F1.log"


class TestWrapped:
    """A ring that has dropped its beginning."""

    @pytest.fixture
    def server_options(self) -> dict[str, dict[str, Any]]:
        return {"PtyTasksApp": {"ring_size": 1 << 16, "segment_size": 1 << 12}}

    async def test_lines_keep_their_numbers(self, rest: Rest) -> None:
        await rest.create("seq 20000", name="seq")
        task = await rest.wait("seq")
        assert task["output"]["start"] > 0
        answer = await rest.output("seq", mode="tail", tail_lines=2)
        assert (answer["output"], answer["first_line"], answer["total_lines"]) == ("19999\n20000\n", 19998, 20000)
        answer = await rest.output("seq", max_lines=1)
        # What was asked for is gone; what comes instead says where it is from.
        assert answer["output"] == f"{answer['first_line'] + 1}\n"
        assert answer["lines_omitted"] == answer["first_line"] > 0
        assert answer["truncated"] is True
        raw = await rest("GET", "tasks", "seq", "output", "raw")
        assert raw.headers["X-Ptytasks-Offset"] == str(task["output"]["start"])
        assert raw.body.endswith(b"20000\r\n")
