"""One connection to a ptyhost: a server's link, or the input connection of one viewer."""

from __future__ import annotations

import time
from collections import deque

from ..core import wire
from ..core.platform import events
from .viewers import Viewer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Iterable

    from ..core.proof import Proof

#: Bytes of input from one connection that are buffered until the program reads them; beyond that, its socket is not
#: read.
INPUT_MAX = 1 << 16
#: Seconds in which the other side must prove that it may connect.
_PROVE = 5.0
#: Bytes that a connection may leave unread. Beyond that, nothing is sent to it and nothing read from it until it reads:
#: of HEADs and STATUSes, only the newest matters.
_OUTPUT_MAX = 1 << 16


class Connection(Viewer):
    """The host's end of a connection; nonblocking. `greet` returns the first frames to send.

    With a `proof`, the other side must give it by `prove_by` (monotonic seconds; None once it has). Until then, nothing
    else is sent to it, and none of its requests are read.

    `ended`: the other side sends no more. `input`: typed data that the program has not read. `asked`: it waits for a
    STATUS. `refusing`: its next INPUT continues a line that was refused.
    """

    __slots__ = (
        "_behind", "_decoder", "_frames", "_greet", "_out", "_proof", "asked", "ended", "input", "prove_by", "refusing",
        "socket",
    )  # fmt: skip

    def __init__(self, sock: socket, greet: Callable[[], bytes], proof: Proof | None = None) -> None:
        super().__init__()
        sock.setblocking(False)
        self.socket = sock
        self.ended = self.asked = self.refusing = False
        self.input = bytearray()
        self._decoder = wire.Decoder()
        #: Received frames that are not handled yet.
        self._frames: deque[tuple[int, bytes]] = deque()
        self._greet = greet
        self._proof = proof
        self.prove_by = time.monotonic() + _PROVE if proof is not None else None
        self._out = bytearray(greet() if proof is None else proof.nonce)
        self._behind = False
        self.flush()

    @property
    def wants_read(self) -> bool:
        """False while the program does not read its input, or it does not read its output (back pressure)."""
        return not self._frames and self._has_room

    @property
    def wants_write(self) -> bool:
        """True while not all output has been sent."""
        return bool(self._out)

    @property
    def has_frames(self) -> bool:
        """True while there are frames to `take`."""
        return bool(self._frames) and (self.ended or self._has_room)

    @property
    def _has_room(self) -> bool:
        return len(self.input) < INPUT_MAX and len(self._out) <= _OUTPUT_MAX

    def receive(self) -> None:
        """Read received data. A protocol error closes the connection."""
        try:
            data = self.socket.recv(INPUT_MAX)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return
        if self._proof is not None and not self._prove(self._proof, data):
            return
        if self._proof is not None:
            data, self._proof = self._proof.rest(), None
        has_greeted = self._decoder.hello is not None
        try:
            self._frames.extend(self._decoder.feed(data))
        except wire.WireError:
            self.closed = True
            return
        if not has_greeted and self._decoder.hello is not None:
            self.greet(self._decoder.hello)

    def _prove(self, proof: Proof, data: bytes) -> bool:
        """Process a part of the other side's proof; return whether the proof is complete."""
        try:
            self._out += proof.feed(data)
        except PermissionError:
            self.closed = True
            return False
        if proof.is_given:
            self.prove_by = None
            self._out += self._greet()
        self.flush()
        return proof.is_given

    def take(self) -> tuple[int, bytes] | None:
        """Return the next frame to handle; None if there is none."""
        return self._frames.popleft() if self.has_frames else None

    def send(self, data: bytes) -> None:
        """Send a frame, now or as soon as the other side reads; nothing before it has proven that it may connect."""
        if self.prove_by is not None:
            return
        self._out += data
        self.flush()

    def send_status(self, status: bytes) -> None:
        """Send a STATUS; if the other side does not read, only the newest is sent when it does."""
        self._behind = len(self._out) > _OUTPUT_MAX
        if not self._behind:
            self.send(status)

    @property
    def is_behind(self) -> bool:
        """Whether the newest STATUS was not sent, and now can be."""
        return self._behind and len(self._out) <= _OUTPUT_MAX

    def flush(self) -> None:
        """Send as much of the output as the socket accepts."""
        try:
            while self._out:
                del self._out[: self.socket.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True

    def head_due(self, end: int) -> float | None:
        """Return when a HEAD is due (see Viewer.head_due); None while the other side does not read."""
        return super().head_due(end) if len(self._out) <= _OUTPUT_MAX else None

    def send_head(self, position: tuple[int, int, int, int], now: float) -> None:
        """Send a HEAD."""
        self.note_head(position[0], now)
        self.send(wire.frame(wire.HEAD, wire.POSITION.pack(*position)))

    def close(self) -> None:
        """Close the socket."""
        self.closed = True
        self.socket.close()


def flush_all(connections: Iterable[Connection], seconds: float) -> None:
    """Send the remaining output, as far as possible within `seconds`."""
    deadline = time.monotonic() + seconds
    while waiting := [one for one in connections if one.wants_write and not one.closed]:
        left = deadline - time.monotonic()
        if left <= 0:
            return
        poll = events.Poll()
        for one in waiting:
            poll.register(one.socket, events.WRITE)
        poll.poll(left * 1000)
        for one in waiting:
            one.flush()
