"""Ptyhosts of all earlier versions are understood, since a task may be months old when the package is upgraded.

tests/data/ptyhost_v1.json is what a ptyhost of protocol version 1 and the files beside it said, recorded once and never
changed: spec.json, host.json, the hello line, and the frames up to its first STATUS and up to its end.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import socket
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.platform.posix.endpoint import SocketAddress
from jupyter_ptytasks.server.monitor import sampler
from tests.ptyhost.hosting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.conftest import Rest

RECORDED = json.loads((Path(__file__).parent.parent / "data" / "ptyhost_v1.json").read_text(encoding="utf-8"))


def frames(recorded: list[tuple[int, str]]) -> bytes:
    """Return the bytes of frames. Does not use `wire`: this is the format as it was, whatever `wire` becomes."""
    return b"".join(struct.pack(">BI", kind, len(text)) + text.encode("latin-1") for kind, text in recorded)


class OldHost:
    """Plays the recording: a thread that answers at the socket, and the task's files in `directory`. `close` it."""

    def __init__(self, directory: Path, socket_path: Path, greeting: bytes) -> None:
        directory.mkdir(parents=True)
        socket_path.parent.mkdir(parents=True, exist_ok=True)
        (directory / "spec.json").write_text(json.dumps(RECORDED["spec"]))
        (directory / "host.json").write_text(json.dumps({**RECORDED["host"], "socket": str(socket_path)}))
        (directory / "output").mkdir()
        (directory / "output" / f"{0:020}.log").write_bytes(b"hello\r\n")
        self.heard: list[tuple[int, bytes]] = []
        self._greeting = greeting
        self._connections: list[socket.socket] = []
        self._lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._listener = socket.socket(socket.AF_UNIX)
        with SocketAddress(str(socket_path)) as address:
            self._listener.bind(address)
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        decoder = wire.Decoder()
        try:
            connection.sendall(self._greeting)
            while data := connection.recv(1 << 16):
                self.heard += decoder.feed(data)
        except OSError:
            return

    def say(self, data: bytes) -> None:
        """Send bytes to all connections."""
        for connection in self._connections:
            connection.sendall(data)

    def heard_of(self, kind: int) -> list[bytes]:
        """Return the contents of the frames of this type that it was sent."""
        return [payload for found, payload in self.heard if found == kind]

    def close(self) -> None:
        """Leave, as a ptyhost does after its end."""
        # No connection is accepted anymore before the existing ones are closed: a last one would never be told.
        _hang_up(self._listener)
        self._threads[0].join()
        for connection in self._connections:
            _hang_up(connection)
        for thread in self._threads[1:]:
            thread.join()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _hang_up(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    one.close()


GREETING: bytes = RECORDED["hello"].encode() + b"\n" + frames(RECORDED["greeting"])


@pytest.fixture
def greeting() -> bytes:
    """What the old ptyhost says first."""
    return GREETING


@pytest.fixture
def old_host(jp_data_dir: Path, jp_runtime_dir: Path, greeting: bytes) -> Iterator[OldHost]:
    """A ptyhost that was there before the server."""
    directory = jp_data_dir / "ptytasks" / "tasks" / RECORDED["spec"]["id"]
    host = OldHost(directory, jp_runtime_dir / "ptytasks" / "old.sock", greeting)
    yield host
    host.close()


async def test_an_old_ptyhost_is_adopted_and_obeys(old_host: OldHost, rest: Rest) -> None:
    task = await rest.until("months old", lambda task: task["connected"])
    assert (task["id"], task["state"], task["tags"]) == (RECORDED["spec"]["id"], "running", ["a"])
    assert (task["rows"], task["cols"], task["output"]["lines"]) == (24, 80, 1)
    assert task["pid"] == RECORDED["host"]["pid"]
    assert (await rest.output("months old"))["output"].strip() == "hello"
    assert (await rest("POST", "tasks", "months old", "resize", body={"rows": 30, "cols": 90})).code == 204
    assert (await rest("POST", "tasks", "months old", "signal", body={"signal": "USR1"})).code == 204
    assert (await rest("POST", "tasks", "months old", "stop", body={"grace": 1})).code == 202
    await asyncio.to_thread(wait_until, lambda: old_host.heard_of(4))
    assert old_host.heard_of(2) == [struct.pack(">HH", 30, 90)]
    assert json.loads(old_host.heard_of(3)[0]) == {"signal": "SIGUSR1", "target": "tree"}
    stop = json.loads(old_host.heard_of(4)[0])
    assert stop == {"ladder": [["SIGINT", 1.0], ["SIGTERM", 1.0], ["SIGKILL", 1.0]], "reason": "cancelled"}
    old_host.say(frames(RECORDED["end"]))
    task = await rest.wait("months old")
    assert (task["state"], task["exit"]) == ("failed", {"code": 3, "signal": None})
    assert task["output"]["lines"] == 2


async def test_frames_of_unknown_types_are_skipped(old_host: OldHost, rest: Rest) -> None:
    await rest.until("months old", lambda task: task["connected"])
    for kind in (0, 50, 68, 99, 200, 255):
        await asyncio.to_thread(old_host.say, frames([(kind, ""), (kind, "{"), (kind, "\xff" * 100_000)]))
    old_host.say(frames([(65, struct.pack(">QQQQ", 900, 100, 20, 3).decode("latin-1"))]))
    task = await rest.until("months old", lambda task: task["output"]["end"] == 900)
    assert task["output"].items() >= {"start": 100, "end": 900, "lines": 20, "lost": 3}.items()
    assert task["connected"]


def _later(**more: Any) -> bytes:
    hello = {**json.loads(RECORDED["hello"]), **more}
    return json.dumps(hello).encode() + b"\n" + frames(RECORDED["greeting"])


@pytest.fixture
def measured_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tree of a ptyhost uses is measured as soon as it is known."""
    monkeypatch.setattr(sampler, "_FIRST", 0.0)


_ABLE = (["reply", "repaint"], ["reply", "repaint", "note"])


@pytest.mark.parametrize("greeting", [_later(pid=os.getpid(), capabilities=one) for one in _ABLE], ids=["old", "able"])
@pytest.mark.usefixtures("measured_at_once")
async def test_only_ptyhosts_that_can_take_notes_are_sent_them(old_host: OldHost, rest: Rest, greeting: bytes) -> None:
    """The usage of its process tree is still measured; here that tree is our own."""
    child = await asyncio.create_subprocess_exec("sleep", "1000")
    try:
        task = await rest.until("months old", lambda task: task["usage"])
        # Whatever it is asked after that: the notes would have come before.
        await rest("POST", "tasks", "months old", "resize", body={"rows": 30, "cols": 90})
        await asyncio.to_thread(wait_until, lambda: old_host.heard_of(2))
        noted = [json.loads(payload)["peak"] for payload in old_host.heard_of(10)]
        peak = {name: value for name, value in task["usage"]["peak"].items() if value is not None}
        assert noted == ([peak] if b'"note"' in greeting else [])
        old_host.say(frames(RECORDED["end"]))
        # Its exit record knows nothing of peaks.
        assert set((await rest.wait("months old"))["usage"]["peak"].values()) == {None}
    finally:
        child.kill()
        await child.wait()


@pytest.mark.parametrize("greeting", [_later(ptytasks=7, capabilities=["all", "sorts"], more={"of": "it"})])
async def test_a_later_ptyhost_is_adopted_too(old_host: OldHost, rest: Rest, greeting: bytes) -> None:
    """A server of an older version than the ptyhost: another environment of the user with the same home."""
    await rest.until("months old", lambda task: task["connected"])


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400\r\n\r\n", b"{}\n", b"\0" * 100_000, _later(id="another0")])
async def test_another_server_at_that_address_is_not_trusted(old_host: OldHost, rest: Rest, greeting: bytes) -> None:
    """While a process holds the task's lock it is neither adopted nor lost; then it is lost."""
    task = await rest.get("months old")
    assert (task["state"], task["connected"]) == ("running", False)
    old_host.close()
    assert (await rest.wait("months old"))["state"] == "lost"
