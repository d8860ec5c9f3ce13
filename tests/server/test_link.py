"""Links to ptyhosts: whatever responds at the socket is a ptyhost, or is reported as unreachable."""

from __future__ import annotations

import asyncio
import json
import struct
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.errors import HostUnreachable
from jupyter_ptytasks.server.hosts.link import Link

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from jupyter_ptytasks.server.hosts.link import Connect
    from tests.server.conftest import Rest

HELLO = b'{"ptytasks":1,"id":"mine","pid":5,"attempt":1,"capabilities":["note"]}\n'
STATUS = {"attempt": 1, "rows": 24, "cols": 80, "viewers": 0, "last_output": 0.0, "output": {}}


def unix(path: str) -> Connect:
    """Connect to the socket at `path`."""

    async def connect(protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        await asyncio.get_running_loop().create_unix_connection(protocol, path)

    return connect


def link(lost: list[bool]) -> Link:
    return Link(
        on_head=lambda: None, on_status=lambda _: None, on_exit=lambda _: None, on_lost=lambda: lost.append(True)
    )


def meeting(path: str, answer: bytes, then: Callable[[Link], Awaitable[None]] | None = None) -> list[dict[str, Any]]:
    """Link to something that says `answer`, whatever it is told, and leaves; give what the loop complains of."""
    complaints: list[dict[str, Any]] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async def meet() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
        server = await asyncio.start_unix_server(serve, path)
        lost: list[bool] = []
        one = link(lost)
        try:
            await one.connect(unix(path), "mine")
        except HostUnreachable:
            assert not one.connected
        else:
            assert one.host_pid is None or isinstance(one.host_pid, int)
            one.note({"a": 1})
            one.watch(True, one)
            if then is not None:
                await then(one)
        one.close()
        server.close()
        await server.wait_closed()

    asyncio.run(meet())
    return complaints


parts = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.lists(st.none(), max_size=2)
)
frames = st.builds(
    lambda kind, payload: struct.pack(">BI", kind, len(payload)) + payload,
    st.sampled_from([wire.HEAD, wire.STATUS, wire.EXIT, 0, 255]),
    st.one_of(
        st.binary(max_size=40),
        st.fixed_dictionaries(
            {},
            optional={
                name: st.one_of(
                    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.lists(st.none())
                )
                for name in STATUS
            },
        ).map(lambda value: json.dumps(value).encode()),
    ),
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=100), st.lists(frames, max_size=4).map(lambda some: HELLO + b"".join(some))))
@example(b"")
@example(b"[" * 60_000 + b"\n")
@example(HELLO.replace(b'["note"]', b"5"))
@example(HELLO.replace(b"5", b'"five"'))
@example(HELLO + wire.frame(wire.STATUS, b'{"a":' * 60_000))
@example(HELLO + wire.json_frame(wire.STATUS, {**STATUS, "output": []}))
@example(HELLO + wire.json_frame(wire.STATUS, {**STATUS, "last_output": float("inf")}))
@example(HELLO + wire.frame(wire.HEAD, b"short"))
def test_whatever_answers_is_a_ptyhost_or_cannot_be_reached(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "s"
    path.unlink(missing_ok=True)
    assert meeting(str(path), answer) == []


@pytest.mark.parametrize("path", ["", "nowhere", "a\0b", "x" * 5000, "/", 5, None, ["a"], "\ud800"])
async def test_whatever_the_path_is_nothing_but_that_it_cannot_be_reached_is_raised(path: Any) -> None:
    with pytest.raises(HostUnreachable):
        await link([]).connect(unix(path), "mine")


async def test_a_status_that_makes_no_sense_is_not_taken_in(tmp_path: Path) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO + wire.json_frame(wire.STATUS, STATUS))
        writer.write(wire.json_frame(wire.STATUS, {**STATUS, "viewers": "many"}))
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(serve, tmp_path / "s"):
        one = link([])
        try:
            await one.connect(unix(str(tmp_path / "s")), "mine")
        except HostUnreachable:
            pass  # all of it came at once
        assert one.status == STATUS
        one.close()


async def test_heads_that_come_at_once_are_one_piece_of_news(tmp_path: Path) -> None:
    heads = [wire.frame(wire.HEAD, wire.POSITION.pack(end, 0, end, 0)) for end in range(1, 101)]

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await writer.drain()
        await ready.wait()
        writer.write(b"".join(heads[:60]) + wire.json_frame(wire.STATUS, STATUS) + b"".join(heads[60:]))
        await writer.drain()
        writer.close()

    ready, lost = asyncio.Event(), asyncio.Event()
    news: list[int] = []
    one = Link(
        on_head=lambda: news.append(one.output.end), on_status=lambda _: None, on_exit=lambda _: None, on_lost=lost.set
    )
    async with await asyncio.start_unix_server(serve, tmp_path / "s"):
        await one.connect(unix(str(tmp_path / "s")), "mine")
        ready.set()
        await asyncio.wait_for(lost.wait(), 60)
    assert news == [60, 100]


async def test_watch_is_sent_when_it_changes_and_to_a_new_connection(
    rest: Rest, attach: Any, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: Counter[bytes] = Counter()
    frame = wire.frame

    def count(kind: int, payload: bytes = b"") -> bytes:
        said.update([payload] if kind == wire.WATCH else [])
        return frame(kind, payload)

    monkeypatch.setattr(wire, "frame", count)
    task = await rest.create("read line; for i in $(seq 500); do echo $i; sleep 0.001; done; sleep 100", name="lines")
    viewer = await (await attach("lines")).attached()
    await viewer.type("\r")
    await viewer.shows("\n500\r\n")
    assert said == {b"\x01": 1}
    kept = jp_serverapp.web_app.settings["ptytasks_control"].link(task["id"])
    kept._channel._transport.abort()
    await rest.until("lines", lambda task: not task["connected"] or said[b"\x01"] > 1)
    await rest.until("lines", lambda task: task["connected"])
    assert said == {b"\x01": 2}
    viewer.socket.close()
    await rest.until("lines", lambda task: task["viewers"] == 0)
    assert said == {b"\x01": 2, b"\0": 1}
