"""A ptyhost on TCP: a client that cannot read its file learns nothing and has no effect, and so does an impostor in its
place.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import socket
import stat
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.errors import HostUnreachable
from jupyter_ptytasks.core.platform import endpoint, loopback, loopback_client
from jupyter_ptytasks.core.proof import CALLER, LISTENER, Proof
from jupyter_ptytasks.ptyhost import connection
from jupyter_ptytasks.server.hosts.link import Channel
from tests.ptyhost.hosting import PATIENCE, reach, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.ptyhost.hosting import Hosted

#: This is about one of them.
TRANSPORTS = ("tcp",)


def record_of(hosted: Hosted) -> dict[str, Any]:
    with open(hosted.socket_path, encoding="utf-8") as file:
        record: dict[str, Any] = json.load(file)
    return record


def all_that_comes(peer: socket.socket) -> bytes:
    """Return what a peer is sent until the other side hangs up."""
    data = b""
    try:
        while part := peer.recv(1 << 16):
            data += part
    except ConnectionError:
        pass
    return data


STOP = wire.hello(role="link") + wire.json_frame(wire.STOP, {"ladder": [["SIGKILL", 0]], "reason": "cancelled"})


def test_the_file_is_private_and_the_port_on_this_machine(hosted: Hosted) -> None:
    hosted.start("cat")
    assert stat.S_IMODE(os.stat(hosted.socket_path).st_mode) == 0o600
    record = record_of(hosted)
    assert record["pid"] == hosted.host_pid
    with open(hosted.files.host, encoding="utf-8") as file:
        assert record["secret"] not in file.read()
    with pytest.raises(OSError, match=r"refused|denied"):
        socket.create_connection(("127.0.0.2", record["port"]), timeout=PATIENCE)
    assert hosted.connect(role="link").ask_status()["pid"] == hosted.pid
    hosted.stop()
    hosted.ended()
    assert not os.path.exists(hosted.socket_path)


@pytest.mark.parametrize("secret", [None, b"", b"?" * 32])
def test_without_the_secret_nothing_is_sent_or_executed(hosted: Hosted, secret: bytes | None) -> None:
    hosted.start("cat")
    link = hosted.connect(role="link")
    with reach(hosted.socket_path) as peer:
        proof = Proof(secret or b"", CALLER)
        if secret is None:
            peer.sendall(STOP + b"\n" * 64)
        else:
            peer.sendall(proof.nonce)
            peer.sendall(proof.feed(peer.recv(32, socket.MSG_WAITALL)) + STOP)
        told = all_that_comes(peer)
    # Its own random bytes, and what it has made of ours.
    assert len(told) <= 64 - 32 * (secret is not None)
    assert b"ptytasks" not in told
    assert link.ask_status()["stopping"] is None


def test_what_was_heard_of_one_connection_opens_no_other(hosted: Hosted) -> None:
    """An attacker that has recorded everything a server has sent has its nonce, its proof and its requests."""
    hosted.start("cat")
    _, proof = loopback.read(hosted.socket_path)
    with reach(hosted.socket_path) as peer:
        peer.sendall(proof.nonce)
        heard = proof.nonce + proof.feed(peer.recv(32, socket.MSG_WAITALL)) + wire.hello(role="link")
        peer.sendall(heard[32:])
        peer.recv(32, socket.MSG_WAITALL)
        assert peer.recv(1 << 16).startswith(b'{"ptytasks":1')
    with reach(hosted.socket_path) as peer:
        peer.sendall(heard + wire.json_frame(wire.STOP, {"ladder": [["SIGKILL", 0]], "reason": "cancelled"}))
        assert len(all_that_comes(peer)) <= 64
    assert hosted.connect(role="link").ask_status()["stopping"] is None


def test_unauthenticated_connections_get_no_exit_record(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "read line; exit 5")
    with reach(hosted.socket_path) as peer:
        assert len(peer.recv(32, socket.MSG_WAITALL)) == 32
        link = hosted.connect(role="link")
        link.send(wire.INPUT, b"\n")
        assert json.loads(link.next(wire.EXIT))["code"] == 5
        assert all_that_comes(peer) == b""


def test_silent_connections_are_closed_and_block_no_others(hosted: Hosted) -> None:
    hosted.start("cat")
    begun = time.monotonic()
    with ExitStack() as stack:
        peers = [stack.enter_context(reach(hosted.socket_path)) for _ in range(40)]
        # The oldest ones make room for those who come, and all have five seconds.
        assert all_that_comes(peers[0])[32:] == b""
        assert hosted.connect(role="link").ask_status()["pid"] == hosted.pid
        assert all_that_comes(peers[-1])[32:] == b""
        assert time.monotonic() - begun >= connection._PROVE
    assert hosted.connect(role="link").ask_status()["pid"] == hosted.pid


def test_a_file_that_was_removed_comes_back_with_the_same_secret(hosted: Hosted) -> None:
    hosted.start("cat")
    before = record_of(hosted)
    os.unlink(hosted.socket_path)
    os.kill(hosted.host_pid, 10)
    wait_until(lambda: os.path.exists(hosted.socket_path))
    assert record_of(hosted) == before


def test_others_find_out_whether_it_lives(hosted: Hosted, tmp_path: Path) -> None:
    assert not endpoint.is_dead(hosted.socket_path)  # nothing is there
    hosted.start("cat")
    assert not endpoint.is_dead(hosted.socket_path)
    assert loopback.knock(hosted.socket_path)
    # Its number belongs to another process now, and so may its port.
    record = record_of(hosted)
    path = tmp_path / "old.tcp"
    path.write_text(json.dumps({**record, "start": record["start"] + 1}))
    path.chmod(0o600)
    assert endpoint.is_dead(str(path))
    assert not loopback.knock(str(path))


# -- a server's side --------------------------------------------------------------------------------------------------


def open_channel(path: str, on_frame: Callable[[int, bytes], None] = lambda *_: None) -> dict[str, Any]:
    """Connect as a server does; return the hello of what answers."""

    async def run() -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        channel = await Channel.open(
            lambda protocol: endpoint.connect(loop, protocol, path), on_frame, lambda: None, role="link"
        )
        channel.close()
        return channel.hello

    return asyncio.run(run())


def test_a_server_connects(hosted: Hosted) -> None:
    hosted.start("cat")
    assert open_channel(hosted.socket_path)["id"] == "testtask"


@pytest.mark.parametrize("knows", [False, True])
def test_an_impostor_at_the_port_of_a_dead_ptyhost_learns_nothing(tmp_path: Path, knows: bool) -> None:
    """Without the secret it is not even greeted; with it, it is."""
    secret = os.urandom(32)
    heard = b""
    with socket.create_server(("127.0.0.1", 0)) as thief:
        path = tmp_path / "t.tcp"
        path.write_text(
            json.dumps({"port": thief.getsockname()[1], "secret": secret.hex(), "pid": os.getpid(), "start": 0})
        )
        path.chmod(0o600)

        def serve() -> None:
            nonlocal heard
            peer, _ = thief.accept()
            proof = Proof(secret if knows else b"guess", LISTENER)
            with peer:
                peer.settimeout(PATIENCE)
                peer.sendall(proof.nonce)
                peer.sendall(proof.feed(peer.recv(32, socket.MSG_WAITALL)))
                if knows:
                    peer.sendall(wire.hello(id="thief"))
                heard = all_that_comes(peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            if knows:
                assert open_channel(str(path))["id"] == "thief"
            else:
                with pytest.raises(HostUnreachable, match="does not know the secret"):
                    open_channel(str(path))
        finally:
            thread.join(PATIENCE)
    assert secret not in heard
    assert (b"ptytasks" in heard[32:]) == knows


def test_a_file_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "t.tcp"
    path.write_text(json.dumps({"port": 1, "secret": "00", "pid": 1, "start": 1}))
    path.chmod(0o666)
    with pytest.raises(HostUnreachable):
        open_channel(str(path))
    path.chmod(0o600)
    path.write_text("[]")
    with pytest.raises(HostUnreachable, match="not an endpoint"):
        open_channel(str(path))


def test_giving_up_closes_the_connection(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = tmp_path / "t.tcp"
        path.write_text(json.dumps({"port": silent.getsockname()[1], "secret": "00", "pid": 1, "start": 1}))
        path.chmod(0o600)

        async def give_up() -> None:
            loop = asyncio.get_running_loop()
            await asyncio.wait_for(loopback_client.connect(loop, asyncio.Protocol, str(path)), 0.05)

        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(give_up())
        peer, _ = silent.accept()
        with peer:
            assert select.select([peer], [], [], PATIENCE)[0]
            assert len(all_that_comes(peer)) <= 32
