"""The frames of a relay: one byte stream that carries connections to ptyhosts, the growth of their rings, and calls.

The far end first writes a banner, so that output of the shell's startup files before it can be skipped. Then both
sides send frames: kind (1 byte), channel (4 bytes), length of the payload (4 bytes, big endian), payload. Unknown
kinds are skipped. The near end numbers the channels. Each has a window that limits unacknowledged bytes, so an unread
channel does not block the others, and buffers are bounded.
"""

from __future__ import annotations

import struct

from .wire import WireError, fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Near to far.
CONNECT = 1  #: JSON {id, tail}: a connection to the ptyhost of a task; `tail` is the channel of its ring, 0 for none
TAIL = 2  #: JSON {id, attempt, have, follow, newest}: new bytes of a task's ring, after what the near end has
CALL = 3  #: JSON {call, ...}; answered by RESULT on the same channel
STREAM = 4  #: JSON {argv, keep}: run a program, keeping these variables; its standard input and output are a connection
# Either way.
BYTES = 16  #: bytes of a connection
CLOSE = 17  #: the end of a channel; the payload says why, empty if nothing is wrong
CREDIT = 18  #: COUNT: the number of bytes of BYTES or PART that were consumed
# Far to near.
PART = 32  #: PIECE, then bytes of one of the files of a task
RESULT = 33  #: JSON

HEADER = struct.Struct(">BII")
COUNT = struct.Struct(">I")
#: The kind of the bytes (see below), the segment's base, and the offset in the file.
PIECE = struct.Struct(">BQQ")
LOG, INDEX = 1, 2  #: the log and the index of the segment at the base
DROPPED = 3  #: no bytes: the segments before the base are gone
RECORD = 4  #: the exit record; it comes after all bytes of its attempt
HOST = 5  #: the host record
EARLIER = 6  #: no bytes: there is a segment at the base, which is not sent

MAX_PAYLOAD = 8 << 20  #: the environment of a task must fit into one frame
#: Bytes that may be in flight (unacknowledged): of a connection in each direction, and of a ring.
CONNECTION_WINDOW = 256 << 10
TAIL_WINDOW = 2 << 20
#: Bytes sent at a time, so that a key does not wait long behind a flood.
BLOCK = 64 << 10

VERSION = 1
#: The beginning of a banner; a word and the end of the line follow.
BANNER = b"\0ptyrelay 1 "
#: The words: frames follow; the program must be sent; something is missing there, and the rest of the line says what.
READY, WANT, UNFIT = b"ready", b"want", b"unfit"
#: Maximum number of bytes that shells may print before the banner.
_NOISE_MAX = 1 << 20


def frame(kind: int, channel: int, payload: bytes = b"") -> bytes:
    """Return the bytes of one frame."""
    return HEADER.pack(kind, channel, len(payload)) + payload


class Decoder:
    """Splits a byte stream into frames, regardless of its chunks. It cannot be used after it has raised WireError."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """Take the next bytes of the stream; return the frames that are complete now: kind, channel, payload."""
        buffer = self._buffer
        buffer += data
        frames = []
        position = 0
        while len(buffer) - position >= HEADER.size:
            kind, channel, length = HEADER.unpack_from(buffer, position)
            if length > MAX_PAYLOAD:
                raise WireError(f"a frame of {length} bytes")
            end = position + HEADER.size + length
            if end > len(buffer):
                break
            frames.append((kind, channel, bytes(buffer[position + HEADER.size : end])))
            position = end
        del buffer[:position]
        return frames


class Greeting:
    """Finds the banners in a byte stream, after any output of shells. Raises WireError if there is none."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> tuple[bytes, str, bytes] | None:
        """Take the next bytes; return the first banner's word, the rest of its line, and the bytes after it. None until
        the banner is complete.
        """
        self._buffer += data
        start = self._buffer.find(BANNER)
        end = self._buffer.find(b"\n", start) if start >= 0 else -1
        if end < 0:
            if len(self._buffer) > _NOISE_MAX:
                raise WireError("no relay answers")
            return None
        word, _, said = self._buffer[start + len(BANNER) : end].partition(b" ")
        rest, self._buffer = self._buffer[end + 1 :], b""
        return word, said.decode("utf-8", "replace"), rest


class Window:
    """How many bytes the sender of a channel may still send."""

    __slots__ = ("room", "size")

    def __init__(self, size: int) -> None:
        self.size = self.room = size

    def spend(self, count: int) -> None:
        """Note that `count` bytes were sent; the caller has checked that they are within `room`."""
        self.room -= count

    def credit(self, payload: bytes) -> None:
        """Take a CREDIT. Raises WireError if more is acknowledged than was sent."""
        if len(payload) != COUNT.size or COUNT.unpack(payload)[0] > self.size - self.room:
            raise WireError("more was acknowledged than was sent")
        self.room += COUNT.unpack(payload)[0]


class Consumed:
    """Counts what the receiver of a channel has consumed, and decides when to acknowledge it."""

    __slots__ = ("_count", "_every")

    def __init__(self, window: int) -> None:
        self._count = 0
        self._every = window // 4

    def add(self, channel: int, count: int) -> bytes:
        """Note that `count` bytes were consumed; return a CREDIT frame to send, or nothing if that can wait."""
        self._count += count
        if self._count < self._every:
            return b""
        count, self._count = self._count, 0
        return frame(CREDIT, channel, COUNT.pack(count))


def piece(payload: bytes) -> tuple[int, int, int, bytes]:
    """Read a PART: kind, base, offset, bytes. Raises WireError for one that no ring has."""
    if len(payload) < PIECE.size:
        raise WireError("half a piece")
    kind, base, offset = PIECE.unpack_from(payload)
    if base >= 1 << 62 or offset >= 1 << 40:
        raise WireError("a piece beyond any ring")
    return kind, base, offset, payload[PIECE.size :]


def call_of(payload: bytes) -> tuple[str, dict[str, Any]]:
    """Read a CALL: its name and its arguments. Raises WireError."""
    said = fields(payload)
    name = said.pop("call", None)
    if not isinstance(name, str):
        raise WireError("a call without a name")
    return name, said
