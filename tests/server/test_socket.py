"""Attaching: replay, live output, input, resuming, the end; several viewers, and viewers that do not read."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_ptytasks.server.terminals import messages, terminal
from jupyter_ptytasks.server.terminals import viewer as viewers

if TYPE_CHECKING:
    from tests.server.conftest import Rest, Viewer
    from tests.server.serving import Served

SHELL = {"command": ["sh"], "env": {"PS1": "$ "}}
#: The beginning of a program that takes every byte as it comes.
RAW = "import os, time, tty; tty.setraw(0); print('ready')"


async def test_setup_comes_first_then_history_then_what_is_typed(rest: Rest, attach: Any) -> None:
    await rest.create(**SHELL, name="sh")
    viewer = await (await attach("sh")).attached()
    assert viewer.kinds[0] == "setup"
    assert viewer.text.startswith("\x1bc")
    await viewer.type("echo $((40 + 2))\r")
    await viewer.shows("42\r\n")


async def test_attaching_to_a_missing_task_is_refused(attach: Any) -> None:
    with pytest.raises(HTTPClientError, match="404"):
        await attach("nobody")


@pytest.mark.parametrize("name", ["a/b", "日本 語", "x%2Fy"])
async def test_by_name(rest: Rest, attach: Any, name: str) -> None:
    await rest.create("echo hello; sleep 100", name=name)
    await (await attach(name)).shows("hello")


async def test_the_size_reaches_the_program_and_is_checked(rest: Rest, attach: Any) -> None:
    await rest.create(**SHELL, name="sh")
    viewer = await (await attach("sh")).attached()
    for nonsense in ((0, 80), (-1, 5), ("a", 5), (None, None), (10**6, 80), ()):
        await viewer.send("set_size", *nonsense)
    await viewer.send("set_size", 33, 111, 600, 800)
    await viewer.type("stty size\r")
    await viewer.shows("33 111\r\n")


NONSENSE = [
    *("", "{", "[]", "{}", "5", "null", '"stdin"', "[[]]", '["what", 1]', '{"stdin": "x"}', '[5, "x"]', "\0"),
    *('["stdin"]', '["stdin", 5]', '["stdin", null]', "[" * 50_000, '["stdin", ' + "[" * 50_000),
    *('["ack", "x"]', '["ack", Infinity]', '["ack", NaN]', '["ack", -1]', '["ack", 1e999]', '["ack", true]'),
    *('["ack", [1]]', '["ack", ' + "1" * 5000 + "]", '["ack", ' + "9" * 300 + "]"),
    *(
        '["set_size"]',
        '["set_size", 24]',
        '["set_size", Infinity, 80]',
        '["set_size", 1e400, 80]',
        '["set_size", {}, []]',
    ),
    *('["set_size", "a", 80]', '["set_size", true, true]', '["set_size", 24.5, 80]'),
]


async def test_nonsense_is_ignored(rest: Rest, attach: Any, caplog: pytest.LogCaptureFixture) -> None:
    await rest.create(**SHELL, name="sh")
    viewer = await (await attach("sh")).attached()
    for message in NONSENSE:
        await viewer.socket.write_message(message)
        await viewer.socket.write_message(message.encode() + b"\xff", binary=True)
    await viewer.type("echo still $((1 + 1))\r")
    await viewer.shows("still 2")
    assert (viewer.task["rows"], viewer.task["cols"]) == (40, 120)
    assert [record for record in caplog.records if record.exc_info] == []


parts = st.one_of(
    st.sampled_from(["stdin", "ack", "set_size"]), st.integers(), st.floats(), st.text(), st.booleans(), st.none()
)
garbage = st.one_of(st.binary(), st.text('[]{}",:stdinack_ze0123456789.eE+-INfty\\u '), st.lists(parts).map(json.dumps))


@given(garbage)
def test_any_input_is_a_message_or_nothing(message: str | bytes) -> None:
    said = messages.parse(message)
    if isinstance(said, messages.SetSize):
        assert 1 <= said.rows <= 1000
        assert 1 <= said.cols <= 1000
    elif isinstance(said, messages.Ack):
        assert said.offset >= 0
    else:
        assert said is None or isinstance(said.text, str)


async def test_a_client_that_leaves_while_it_is_greeted_leaves_nothing_behind(
    rest: Rest,
    attach: Any,
    served: Served,
    jp_serverapp: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    task = await rest.create(**SHELL, name="sh")
    request = (
        f"GET {served.base_url}ptytasks/terminals/websocket/sh HTTP/1.1\r\nHost: localhost:{served.port}\r\n"
        f"Authorization: {served.headers['Authorization']}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    for turns in range(40):
        client = socket.socket()
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", served.port))
        await asyncio.get_running_loop().sock_sendall(client, request)
        # The server is on the same loop: each client leaves after another of its steps.
        for _ in range(turns):
            await asyncio.sleep(0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    viewer = await (await attach("sh")).attached()
    await rest.until("sh", lambda task: task["viewers"] == 1)
    terminals = jp_serverapp.web_app.settings["ptytasks_terminals"].terminals
    assert len(terminals[task["id"]].clients) == 1
    viewer.socket.close()
    await rest.until("sh", lambda task: task["viewers"] == 0)
    assert terminals == {}
    assert [record.message for record in caplog.records if record.exc_info] == []


async def test_a_query_that_is_not_text_is_refused_before_there_is_a_socket(rest: Rest, served: Served) -> None:
    await rest.create(**SHELL, name="sh")
    url = f"ws://localhost:{served.port}{served.base_url}ptytasks/terminals/websocket/sh?lines=%ff"
    with pytest.raises(HTTPClientError, match="400"):
        await websocket_connect(HTTPRequest(url, headers=served.headers))


async def test_the_end_is_sent_before_the_disconnect(rest: Rest, attach: Any) -> None:
    await rest.create(**SHELL, name="sh")
    viewer = await (await attach("sh")).attached()
    await viewer.type("exit 3\r")
    await viewer.ended()
    assert viewer.text.endswith("\r\n[exited 3]\r\n")
    assert viewer.kinds[-1] == "disconnect"
    assert (viewer.task["state"], viewer.task["exit"]) == ("failed", {"code": 3, "signal": None})
    # One that says it itself has only the output.
    quiet = await (await attach("sh", end=0)).attached()
    await quiet.ended()
    assert "[exited 3]" not in quiet.text
    assert quiet.task["exit"] == {"code": 3, "signal": None}


@pytest.mark.parametrize(
    ("command", "words"),
    [("echo bye", "exited 0"), ("kill -9 $$", "killed by SIGKILL"), ("echo $0; exit 9", "exited 9")],
)
async def test_a_finished_task_shows_its_output_and_its_end(rest: Rest, attach: Any, command: str, words: str) -> None:
    await rest.create(f"echo hello; {command}", name="done")
    await rest.wait("done")
    viewer = await (await attach("done")).ended()
    assert "hello\r\n" in viewer.text
    assert viewer.text.endswith(f"[{words}]\r\n")
    assert viewer.kinds[-1] == "disconnect"


async def test_resuming_sends_what_was_missed_and_no_more(rest: Rest, attach: Any) -> None:
    await rest.create(**SHELL, name="sh")
    first = await (await attach("sh")).attached()
    await first.type("echo one $((1 + 1))\r")
    await first.shows("one 2\r\n$ ")
    await asyncio.sleep(0)
    first.socket.close()
    await rest("POST", "tasks", "sh", "input", body={"data": "echo two $((2 + 2))", "newline": True})
    await rest.until_output("sh", "two 4")
    second = await attach("sh", offset=first.offset)
    await second.shows("two 4\r\n$ ")
    assert "\x1bc" not in second.text
    assert "one" not in second.text
    assert second.event("resumed")["offset"] == first.offset


async def test_resuming_from_nowhere_is_a_replay(rest: Rest, attach: Any) -> None:
    await rest.create("echo hello; sleep 100", name="nap")
    await rest.until_output("nap", "hello")
    for offset in (10**9, -5, "x"):
        viewer = await (await attach("nap", offset=offset)).attached()
        assert viewer.event("replayed")
        assert viewer.text.startswith("\x1bc")


async def test_characters_are_never_cut(rest: Rest, attach: Any) -> None:
    await rest.create("stty -echo; while read x; do printf '\\346\\227'; sleep 0.05; printf '\\245|'; done", name="cut")
    viewer = await (await attach("cut")).attached()
    for _ in range(3):
        await viewer.type("\r")
    await viewer.until(lambda viewer: viewer.text.count("日|") == 3)
    assert "\ufffd" not in viewer.text


async def test_two_viewers_see_the_same_and_the_one_that_types_leads(rest: Rest, attach: Any) -> None:
    await rest.create(**SHELL, name="sh")
    desk, phone = await (await attach("sh")).attached(), await (await attach("sh")).attached()
    await desk.send("set_size", 50, 150)
    await phone.send("set_size", 12, 40)
    await desk.type("stty size\r")
    await desk.shows("50 150\r\n")
    await phone.shows("50 150\r\n")
    await phone.type("stty size\r")
    await phone.shows("12 40\r\n")
    await desk.shows("12 40\r\n")
    await desk.until(lambda viewer: viewer.task["leader"] == phone.id)
    assert desk.task["viewers"] == 2
    assert (desk.task["rows"], desk.task["cols"]) == (12, 40)


async def test_one_answer_to_a_query_however_many_look_on(rest: Rest, attach: Any) -> None:
    await rest.create(
        ["python3", "-c", f"{RAW}\nwhile True: os.write(1, b'<' + os.read(0, 99).hex().encode() + b'>')"], name="hex"
    )
    await rest.until_output("hex", "ready")
    viewers: list[Viewer] = [await (await attach("hex")).attached() for _ in range(3)]
    for viewer in viewers:
        await viewer.type("\x1b[?1;2c")
    await viewers[0].type("x")
    await viewers[0].shows("78>")
    text = (await rest.output("hex"))["output"]
    assert text.count("1b5b3f313b3263") == 1


async def test_readonly_is_kept_to_by_the_server(rest: Rest, attach: Any) -> None:
    await rest.create(**SHELL, name="sh")
    watcher = await (await attach("sh", readonly=1)).attached()
    assert watcher.event("task")["readonly"] is True
    await watcher.send("set_size", 10, 10)
    await watcher.type("echo no\r")
    typist = await (await attach("sh")).attached()
    await typist.type("stty size; echo yes\r")
    # Not what is echoed of the command line.
    await watcher.shows("\nyes\r\n")
    assert "echo no" not in watcher.text
    assert "40 120\r\n" in watcher.text


async def test_attaching_survives_a_restart_of_the_task(rest: Rest, attach: Any) -> None:
    await rest.create("echo run $PTYTASK_NAME; sleep 100", name="again")
    viewer = await (await attach("again")).shows("run again")
    await rest("POST", "tasks", "again", "restart", body={"signals": ["KILL"]})
    await viewer.until(lambda viewer: viewer.text.count("run again") == 2)
    assert viewer.task["attempt"] == 2


async def test_a_flood_is_skipped_not_queued(rest: Rest, attach: Any, jp_serverapp: Any) -> None:
    """A viewer that stops reading costs the server nothing; when it reads again, it gets the current screen."""
    await rest.create("i=0; while :; do seq -f '%g ----------------------------------------' 2000; done", name="flood")
    viewer = await (await attach("flood", flow="ack")).attached()
    before = resident()
    # Never acknowledges: at most a window is sent, whatever is written.
    await rest.until("flood", lambda task: task["output"]["end"] > 12_000_000)
    assert resident() - before < 16_000
    await viewer.send("ack", viewer.offset)
    for _ in range(10_000):
        if viewer.event("skipped"):
            break
        await viewer.read()
        await viewer.send("ack", viewer.offset)
    skipped = viewer.event("skipped")
    assert skipped is not None
    assert skipped["bytes"] > 1_000_000
    await rest("POST", "tasks", "flood", "stop", body={"signals": ["KILL"]})


async def test_output_alone_does_not_cause_a_look_at_the_whole_task(
    rest: Rest, attach: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    to_json = terminal.TaskTerminal.to_json

    def look(self: terminal.TaskTerminal) -> dict[str, Any]:
        nonlocal looks
        looks += 1
        return to_json(self)

    monkeypatch.setattr(terminal.TaskTerminal, "to_json", look)
    task = await rest.create(**SHELL, name="sh")
    viewer = await (await attach("sh", events=1)).attached()
    await viewer.type("stty raw -echo; echo ready; cat\r")
    await viewer.shows("ready")
    before = looks
    for number in range(100):
        await viewer.type(f"<{number}>")
        await viewer.shows(f"<{number}>")
    # Other news: it is sampled, and has typed first.
    assert looks - before < 20
    # A change is told all the same.
    await rest("PATCH", "tasks", task["id"], body={"tags": ["seen"]})
    await viewer.until(lambda viewer: viewer.task["tags"] == ["seen"])


async def test_without_acknowledging_no_more_than_a_window_is_under_way(rest: Rest, attach: Any) -> None:
    await rest.create("read x; seq 400000; sleep 100", name="flood")
    viewer = await (await attach("flood", flow="ack")).attached()
    await viewer.type("\r")
    await rest.until("flood", lambda task: task["output"]["end"] > 2_500_000)
    # Everything that the server may send without an acknowledgement; the next message would have to wait for one.
    with pytest.raises(asyncio.TimeoutError):  # noqa: PT012  whichever message it is
        while True:
            message = await asyncio.wait_for(viewer.socket.read_message(), 0.5)
            kind, *content = json.loads(message)
            if kind == "stdout":
                viewer.text += content[0]
    assert 300_000 < len(viewer.text) <= 600_000


def resident() -> int:
    """Return the memory of this process in KiB; the server runs in it."""
    with open(f"/proc/{os.getpid()}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


async def test_twenty_viewers(rest: Rest, attach: Any) -> None:
    await rest.create(**SHELL, name="sh")
    viewers = [await (await attach("sh")).attached() for _ in range(20)]
    await viewers[7].type("echo everybody $((1 + 1))\r")
    for viewer in viewers:
        await viewer.shows("everybody 2")
    await rest.until("sh", lambda task: task["viewers"] == 20)
    for viewer in viewers:
        viewer.socket.close()
    task = await rest.until("sh", lambda task: task["viewers"] == 0)
    assert task["running_in_background"] is True


async def test_a_viewer_that_dies_in_the_middle_of_a_frame(rest: Rest, attach: Any, served: Served) -> None:
    await rest.create("while :; do seq 1000; done", name="flood")
    healthy = await (await attach("flood", flow="ack")).attached()
    dying = await (await attach("flood")).attached()
    # The first bytes of a frame, and then a reset.
    stream = dying.socket.protocol.stream
    stream.socket.send(b"\x81\xfe")
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()
    await rest.until("flood", lambda task: task["viewers"] == 1)
    offset = healthy.offset
    while healthy.offset < offset + 100_000:
        await healthy.read()
        await healthy.send("ack", healthy.offset)
    await rest("POST", "tasks", "flood", "stop", body={"signals": ["KILL"]})


async def test_a_big_paste(rest: Rest, attach: Any) -> None:
    await rest.create(
        ["python3", "-c", f"{RAW}\nn = 0\nwhile n < 9000000: n += len(os.read(0, 65536))\nprint(n)"], name="count"
    )
    await rest.until_output("count", "ready")
    viewer = await (await attach("count")).attached()
    await viewer.type("x" * 9_000_000)
    await viewer.shows("9000000")


async def test_an_unread_paste_harms_no_other(rest: Rest, attach: Any) -> None:
    await rest.create(["python3", "-c", f"{RAW}; time.sleep(1000)"], name="deaf")
    await rest.until_output("deaf", "ready")
    paster = await (await attach("deaf")).attached()
    for _ in range(20):
        paster.socket.write_message(json.dumps(["stdin", "x" * 500_000]))
    other = await rest.create(**SHELL, name="sh")
    viewer = await (await attach(other["id"])).attached()
    await viewer.type("echo still $((1 + 1))\r")
    await viewer.shows("still 2")
    await rest("POST", "tasks", "deaf", "stop", body={"signals": ["TERM"]})
    assert (await rest.wait("deaf"))["exit"]["signal"] == "SIGTERM"
    paster.socket.close()


async def test_history_has_the_requested_number_of_lines(rest: Rest, attach: Any) -> None:
    await rest.create("seq 5000", name="seq")
    await rest.wait("seq")
    few = await (await attach("seq", lines=3)).ended()
    # One screen at least.
    assert 40 <= few.text.count("\n") <= 45
    assert "\r\n5000\r\n" in few.text
    usual = await (await attach("seq")).ended()
    assert 990 < usual.text.count("\n") < 1010
    many = await (await attach("seq", lines=100000)).ended()
    assert many.text.count("\n") > 5000


async def test_every_change_of_the_task_is_sent(rest: Rest, attach: Any) -> None:
    await rest.create(**SHELL, name="before")
    viewer = await (await attach("before")).attached()
    await rest("PATCH", "tasks", "before", body={"name": "after"})
    await viewer.until(lambda viewer: viewer.task["name"] == "after")
    await rest("POST", "tasks", "after", "pause")
    await viewer.until(lambda viewer: viewer.task["state"] == "paused")


# -- a viewer that cannot see does not lead ----------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute is half a second."""
    monkeypatch.setattr(viewers, "_UNSEEN", 0.5)


async def has_left(rest: Rest, viewer: Viewer) -> None:
    """Wait until a viewer is not counted, and does not lead."""
    mine = viewer.id
    await rest.until("sh", lambda task: task["viewers"] == 1 and task["leader"] != mine)


async def two_viewers(rest: Rest, attach: Any, **query: Any) -> tuple[Viewer, Viewer]:
    """Attach one that leads and knows how to acknowledge, and another."""
    await rest.create(**SHELL, name="sh")
    phone = await (await attach("sh", **query)).attached()
    desk = await (await attach("sh")).attached()
    await phone.send("set_size", 12, 40)
    await phone.type("stty size\r")
    await desk.send("set_size", 50, 150)
    await desk.shows("12 40\r\n")
    return phone, desk


SIGNS = {"ack": None, "stdin": "\r", "set_size": (12, 40)}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sign", SIGNS)
async def test_a_viewer_that_acknowledges_nothing_does_not_count_until_it_is_active(
    rest: Rest, attach: Any, sign: str
) -> None:
    phone, desk = await two_viewers(rest, attach, flow="ack")
    await has_left(rest, phone)
    await desk.until(lambda viewer: viewer.task["rows"] == 50)
    # An acknowledgement of what it had acknowledged says nothing.
    await phone.send("ack", 0)
    await desk.type("echo still $((1 + 1))\r")
    await phone.shows("still 2")
    assert (await rest.get("sh"))["viewers"] == 1
    given = SIGNS[sign]
    await phone.send(sign, *((phone.offset,) if given is None else given if isinstance(given, tuple) else (given,)))
    await rest.until("sh", lambda task: task["viewers"] == 2)
    if sign == "stdin":
        await desk.until(lambda viewer: viewer.task["rows"] == 12)
        assert desk.task["leader"] == phone.id


async def test_viewers_that_acknowledge_or_were_sent_nothing_stay(
    rest: Rest, attach: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "_UNSEEN", 1.0)
    await rest.create("sleep 1.2; echo one; sleep 0.6; echo two; sleep 0.6; echo three; sleep 100", name="sh")
    viewer = await (await attach("sh", flow="ack")).attached()
    for word in ("one", "two", "three"):
        await viewer.shows(word)
        assert viewer.task["viewers"] == 1
        await viewer.send("ack", viewer.offset)
    counts = [event["task"]["viewers"] for event in viewer.events if event["event"] == "task"]
    assert counts == sorted(counts)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("query", [{}, {"flow": "ack"}])
async def test_a_client_that_reads_nothing_is_not_a_viewer_until_it_does(
    rest: Rest, attach: Any, query: dict[str, Any]
) -> None:
    phone, desk = await two_viewers(rest, attach, **query)
    await desk.type("while :; do seq 20000; sleep 0.01; done\r")
    # A client that does not read the next message leaves it, and all after it, in the socket.
    reading: list[asyncio.Task[Any]] = [asyncio.create_task(desk.ended())]
    await has_left(rest, phone)

    async def look_on() -> None:
        async for _ in phone:
            await phone.send("ack", phone.offset)

    reading.append(asyncio.create_task(look_on()))
    await rest.until("sh", lambda task: task["viewers"] == 2)
    for job in reading:
        job.cancel()
    await rest("POST", "tasks", "sh", "stop", body={"signals": ["KILL"]})
