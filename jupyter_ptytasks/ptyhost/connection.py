"""One connection to a ptyhost: a server's link, or the typing end of one viewer.

Sockets here are those of CPython's `_socket`, on which `socket` builds: that would cost each of many ptyhosts half a
MiB and a third of its time to start, for nothing that is used here.
"""

from __future__ import annotations

import _socket
import os
import select
import struct
import sys
import time

from ..core import wire
from ..core.paths import SocketAddress, private_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: Bytes of input taken from one connection before the program has read them; then its socket is left alone.
INPUT_MAX = 1 << 16
#: Bytes that a connection may leave unread; only the newest HEAD matters, so more never needs to wait for it.
_OUTPUT_MAX = 1 << 16
#: Seconds between two HEADs to a link that nobody waits behind, and to one that somebody does.
_HEAD_EVERY = 1.0
_HEAD_EVERY_WATCHED = 0.003


class Connection:
    """The host's end of a connection; not blocking. `closed` is set when it is of no more use.

    `viewer` is true for the typing end of an attached viewer, false for a server's link. `size` is the (rows, cols)
    that this viewer wishes for, `typed` counts up with every key press of any viewer, so that the highest is the
    leader's. `asked`: it waits for a STATUS.
    """

    __slots__ = (
        "_decoder",
        "_linked",
        "_out",
        "_told",
        "_told_at",
        "asked",
        "closed",
        "input",
        "readonly",
        "size",
        "socket",
        "typed",
        "viewer",
        "viewer_id",
        "watching",
    )

    def __init__(self, sock: _socket.socket, hello: bytes) -> None:
        sock.setblocking(False)
        self.socket = sock
        self.closed = False
        self.viewer = self.readonly = self.watching = self.asked = self._linked = False
        self.viewer_id = ""
        self.size: tuple[int, int] | None = None
        self.typed = 0
        self.input = bytearray()
        self._decoder = wire.Decoder()
        self._out = bytearray(hello)
        self._told = -1
        self._told_at = 0.0
        self.flush()

    @property
    def is_link(self) -> bool:
        """Whether it has greeted as a server's link, which is told of every change: not as somebody who types."""
        return self._linked

    @property
    def wants_read(self) -> bool:
        """False while its input waits for the program: the pressure goes back to who types."""
        return len(self.input) < INPUT_MAX

    @property
    def wants_write(self) -> bool:
        """True while it has not taken all that it was sent."""
        return bool(self._out)

    def receive(self) -> list[tuple[int, bytes]]:
        """Take what has come; give the frames that are whole. A protocol error or an end closes the connection."""
        try:
            data = self.socket.recv(INPUT_MAX)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return []
        greeted = self._decoder.hello is not None
        try:
            frames = self._decoder.feed(data)
        except wire.WireError:
            self.closed = True
            return []
        if not greeted and self._decoder.hello is not None:
            role = self._decoder.hello.get("role")
            self.viewer = role == "viewer"
            self._linked = role not in ("viewer", "input")
            self.readonly = bool(self._decoder.hello.get("readonly"))
            self.viewer_id = str(self._decoder.hello.get("viewer", ""))
        return frames

    def send(self, data: bytes) -> None:
        """Send a frame, now or as soon as the other side takes it."""
        self._out += data
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the other side takes it."""
        try:
            while self._out:
                del self._out[: self.socket.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True

    def head_due(self, end: int) -> float | None:
        """Give when (monotonic seconds) a HEAD for the ring's `end` is due; None when it has been told or nobody
        asks.
        """
        if not self.is_link or end == self._told or len(self._out) > _OUTPUT_MAX:
            return None
        return self._told_at + (_HEAD_EVERY_WATCHED if self.watching else _HEAD_EVERY)

    def tell_head(self, position: tuple[int, int, int, int], now: float) -> None:
        """Send a HEAD."""
        self._told, self._told_at = position[0], now
        self.send(wire.frame(wire.HEAD, wire.POSITION.pack(*position)))

    def close(self) -> None:
        """Close the socket."""
        self.closed = True
        self.socket.close()


def flush_all(connections: Iterable[Connection], seconds: float) -> None:
    """Send what is still to be sent, as far as it is taken in time."""
    deadline = time.monotonic() + seconds
    while waiting := [one for one in connections if one.wants_write and not one.closed]:
        left = deadline - time.monotonic()
        if left <= 0:
            return
        poll = select.poll()
        for one in waiting:
            poll.register(one.socket, select.POLLOUT)
        poll.poll(left * 1000)
        for one in waiting:
            one.flush()


def listen(path: str) -> _socket.socket:
    """Bind a socket that nobody but this user can connect to, in place of one that was left there."""
    private_dir(os.path.dirname(path))
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    with SocketAddress(path) as address:
        sock.bind(address)
    sock.listen(64)
    sock.setblocking(False)
    return sock


def accept(listener: _socket.socket) -> _socket.socket | None:
    """Take in who has connected; None where there is nobody, or somebody else than this user (or root)."""
    try:
        fd, _ = listener._accept()  # type: ignore[attr-defined]  # noqa: SLF001
    except OSError:
        return None
    sock = _socket.socket(fileno=fd)
    # The socket's mode says so already; this says it again.
    if sys.platform.startswith("linux"):
        _, uid, _ = struct.unpack("3i", sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12))
    else:
        # LOCAL_PEERCRED of the BSDs and macOS gives struct xucred: version, uid, groups.
        _, uid = struct.unpack_from("II", sock.getsockopt(0, 1, 76))
    if uid not in (os.getuid(), 0):
        sock.close()
        return None
    return sock
