"""Websocket clients of both servers: one to measure with, and ones that look on in processes of their own."""

from __future__ import annotations

import json
import multiprocessing
import signal
from typing import TYPE_CHECKING, Any

import websocket

from .plan import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from .servers import Server, Terminal

#: What a viewer in another process has counted, by place in the shared array.
_ATTACHED, _RECEIVED, _SKIPPED = range(3)
#: An acknowledging viewer says so after this many bytes.
_ACK_EVERY = 1 << 16


class Socket:
    """One end of a websocket that speaks terminado's protocol. Close it.

    `received` counts the bytes of the messages that came.
    """

    def __init__(self, url: str, token: str) -> None:
        self._socket: Any = websocket.create_connection(
            url, header=[f"Authorization: token {token}"], suppress_origin=True, timeout=60, skip_utf8_validation=True
        )
        self.received = 0

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close(timeout=0)

    def receive(self) -> list[Any]:
        """Wait for the next message and give it."""
        data = self._socket.recv_data()[1]
        self.received += len(data)
        message: list[Any] = json.loads(data) if data else ["disconnect", 1]
        return message

    def send(self, *message: object) -> None:
        """Send a message."""
        self._socket.send(json.dumps(message))


class Viewer:
    """A viewer of a terminal, in another process. A context manager; inside, it is attached."""

    def __init__(self, look_on: Callable[..., None], *args: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._counts = context.Array("Q", 3, lock=False)
        self._process = context.Process(target=look_on, args=(*args, self._counts), daemon=True)

    @property
    def received(self) -> int:
        """Bytes that came."""
        return int(self._counts[_RECEIVED])

    @property
    def skipped(self) -> int:
        """Bytes of output that were skipped because the viewer was too slow (ours only)."""
        return int(self._counts[_SKIPPED])

    def __enter__(self) -> Viewer:
        self._process.start()
        wait_until(lambda: self._counts[_ATTACHED] == 1, "the viewer was attached", timeout=20)
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        self._process.join()
        self._process.close()


def reading(server: Server, terminal: Terminal, *, acknowledges: bool = False) -> Viewer:
    """Return a viewer that reads as fast as Python can; one that `acknowledges` (ours only) says what it has read."""
    return Viewer(_read, terminal.url + ("?flow=ack" if acknowledges else "?events=1"), server.token, acknowledges)


def stalled(server: Server, terminal: Terminal) -> Viewer:
    """Return a viewer that never reads."""
    return Viewer(_stall, terminal.url, server.token)


def reading_ttyd(url: str) -> Viewer:
    """Return a viewer of ttyd that reads as fast as Python can."""
    return Viewer(_read_ttyd, url)


def _read(url: str, token: str, acknowledges: bool, counts: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    with Socket(url, token) as socket:
        acknowledged = 0
        kind = ""
        while kind != "disconnect":
            kind, *content = socket.receive()
            counts[_ATTACHED] = 1
            counts[_RECEIVED] = socket.received
            if acknowledges and kind == "stdout" and len(content) > 1 and content[1] - acknowledged >= _ACK_EVERY:
                acknowledged = content[1]
                socket.send("ack", acknowledged)
            elif kind == "ptytask" and content[0]["event"] == "skipped":
                counts[_SKIPPED] += content[0]["bytes"]


def _stall(url: str, token: str, counts: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Socket(url, token) as socket:
        socket.receive()
        counts[_ATTACHED] = 1
        signal.pause()


def _read_ttyd(url: str, counts: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wait_until(lambda: _answers(url), "ttyd answered")
    socket = websocket.create_connection(url, subprotocols=["tty"], skip_utf8_validation=True, timeout=60)
    socket.send_binary(b'{"columns": 120, "rows": 40}')
    while data := socket.recv_data()[1]:
        counts[_ATTACHED] = 1
        counts[_RECEIVED] += len(data)


def _answers(url: str) -> bool:
    try:
        websocket.create_connection(url, subprotocols=["tty"], timeout=5).close()
    except OSError:
        return False
    return True
