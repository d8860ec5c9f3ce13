"""One connection to a ptyhost: a server's link, or the typing end of one viewer."""

from __future__ import annotations

import select
import time
from collections import deque

from ..core import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Iterable

#: Bytes of input taken from one connection before the program has read them; then its socket is left alone.
INPUT_MAX = 1 << 16
#: Bytes that a connection may leave unread. Then it is told no more, and nothing more is taken from it, until it reads:
#: of HEADs and of STATUSes only the newest matters.
_OUTPUT_MAX = 1 << 16
#: Seconds between two HEADs to a link that nobody waits behind, and to one that somebody does.
_HEAD_EVERY = 1.0
_HEAD_EVERY_WATCHED = 0.003
#: Characters of a viewer's id that are told to others.
_ID_MAX = 64


class Connection:
    """The host's end of a connection; not blocking. `ended`: nothing more comes; `closed`: it is of no more use.

    `viewer` is true for the typing end of an attached viewer, false for a server's link. `size` is the (rows, cols)
    that this viewer wishes for, `typed` counts up with every key press of any viewer, so that the highest is the
    leader's. `asked`: it waits for a STATUS. `refusing`: its next INPUT goes on with a line that was refused.
    """

    __slots__ = (
        "_behind",
        "_decoder",
        "_frames",
        "_linked",
        "_out",
        "_told",
        "_told_at",
        "asked",
        "closed",
        "ended",
        "input",
        "readonly",
        "refusing",
        "size",
        "socket",
        "typed",
        "viewer",
        "viewer_id",
        "watching",
    )

    def __init__(self, sock: socket, hello: bytes) -> None:
        sock.setblocking(False)
        self.socket = sock
        self.closed = self.ended = False
        self.viewer = self.readonly = self.watching = self.asked = self.refusing = self._linked = False
        self.viewer_id = ""
        self.size: tuple[int, int] | None = None
        self.typed = 0
        self.input = bytearray()
        self._decoder = wire.Decoder()
        #: Frames that have come and are not yet dealt with.
        self._frames: deque[tuple[int, bytes]] = deque()
        self._out = bytearray(hello)
        self._behind = False
        self._told = -1
        self._told_at = 0.0
        self.flush()

    @property
    def is_link(self) -> bool:
        """Whether it has greeted as a server's link, which is told of every change: not as somebody who types."""
        return self._linked

    @property
    def wants_read(self) -> bool:
        """False while its input waits for the program, or what it was told for itself: the pressure goes back."""
        return not self._frames and self._has_room

    @property
    def wants_write(self) -> bool:
        """True while it has not taken all that it was sent."""
        return bool(self._out)

    @property
    def has_frames(self) -> bool:
        """True while there are frames to `take`."""
        return bool(self._frames) and (self.ended or self._has_room)

    @property
    def _has_room(self) -> bool:
        return len(self.input) < INPUT_MAX and len(self._out) <= _OUTPUT_MAX

    def receive(self) -> None:
        """Read what has come. A protocol error closes the connection."""
        try:
            data = self.socket.recv(INPUT_MAX)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return
        greeted = self._decoder.hello is not None
        try:
            self._frames.extend(self._decoder.feed(data))
        except wire.WireError:
            self.closed = True
            return
        if not greeted and self._decoder.hello is not None:
            role, viewer = self._decoder.hello.get("role"), self._decoder.hello.get("viewer")
            self.viewer = role == "viewer"
            self._linked = role not in ("viewer", "input")
            self.readonly = bool(self._decoder.hello.get("readonly"))
            self.viewer_id = viewer[:_ID_MAX] if isinstance(viewer, str) else ""

    def take(self) -> tuple[int, bytes] | None:
        """Return the next frame that can be dealt with; None while there is none."""
        return self._frames.popleft() if self.has_frames else None

    def send(self, data: bytes) -> None:
        """Send a frame, now or as soon as the other side takes it."""
        self._out += data
        self.flush()

    def tell_status(self, status: bytes) -> None:
        """Send a STATUS; to one that does not read, the newest when it does."""
        self._behind = len(self._out) > _OUTPUT_MAX
        if not self._behind:
            self.send(status)

    @property
    def is_behind(self) -> bool:
        """Whether it was not told of the newest STATUS, and now can be."""
        return self._behind and len(self._out) <= _OUTPUT_MAX

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
        """Return when (monotonic seconds) a HEAD for the ring's `end` is due; None when it has been told or nobody
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
