"""The frames between a server and a ptyhost (docs/protocol.md).

Each side first sends one line of JSON, the hello; then frames: type (1 byte), length of the payload (4 bytes, big
endian), payload. Unknown types are skipped, so either side may be older. The hello and the numbers
below are frozen: a ptyhost may be months old when a newer server connects to it.
"""

from __future__ import annotations

import json
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1

# Server to host.
INPUT = 1  #: input, raw bytes; makes this connection the leader
RESIZE = 2  #: SIZE
SIGNAL = 3  #: JSON {signal, target: "foreground" | "tree" | "leader"}; SIGSTOP and SIGCONT to the tree pause and resume
STOP = 4  #: JSON {ladder: [[signal, grace seconds], ...], reason}
WATCH = 5  #: one byte, 0 or 1: whether to send every HEAD immediately
ASK_STATUS = 6  #: empty; answered by STATUS
REPLY = 8  #: an automatic reply of a terminal, raw bytes; accepted from the leader only
REPAINT = 9  #: empty; makes the program redraw its screen
NOTE = 10  #: JSON object, merged into the notes, which are in STATUS and the exit record
ANSWER = 11  #: input, raw bytes, that is typed only if the program is waiting for input right now

# Host to server.
HEAD = 65  #: POSITION
STATUS = 66  #: JSON, see ptyhost.host
EXIT = 67  #: JSON, the exit record
REFUSED = 68  #: JSON {reason, bytes, limit}: input of this connection was not typed, not even in part

# Reserved: a ring read over a byte stream, and the pty master by SCM_RIGHTS. (So is 7, for the number of
# viewers behind a connection that carries several.)
READ, DATA, ESCROW = 97, 98, 99

SIZE = struct.Struct(">HH")  #: rows, cols
POSITION = struct.Struct(">QQQQ")  #: end, start (offsets); lines before end; bytes lost

HEADER = struct.Struct(">BI")
#: Raised when a payload of the wrong size is unpacked.
Malformed = struct.error

MAX_PAYLOAD = 1 << 20
#: Maximum size of all notes together, as JSON: they must fit into the exit record.
MAX_NOTES = 1 << 10
MAX_HELLO = 1 << 16


class WireError(Exception):
    """The other side violates the protocol; the connection must be closed."""


def frame(kind: int, payload: bytes = b"") -> bytes:
    """Return the bytes of one frame."""
    return HEADER.pack(kind, len(payload)) + payload


def json_frame(kind: int, value: object) -> bytes:
    """Return the bytes of a frame with a JSON payload."""
    return frame(kind, json.dumps(value, separators=(",", ":")).encode())


def hello(**about: object) -> bytes:
    """Return the first line of one side: the protocol version and what it says about itself."""
    return json.dumps({"ptytasks": VERSION, **about}, separators=(",", ":")).encode() + b"\n"


def fields(payload: bytes) -> dict[str, Any]:
    """Read the JSON of a frame. Raises WireError unless it is an object."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {payload[:80]!r}") from error
    if not isinstance(value, dict):
        raise WireError(f"not an object: {payload[:80]!r}")
    return value


def explain_refusal(refused: list[dict[str, Any]], size: int) -> str:
    """Return a sentence that explains REFUSED frames, for `size` bytes of input."""
    limit = refused[0].get("limit")
    left = size - sum(int(one.get("bytes", 0)) for one in refused)
    typed = "nothing was typed" if left <= 0 else f"only the first {left} bytes were typed"
    return (
        f"a line of the input is longer than the {limit} bytes that the terminal takes while the program reads line by "
        f"line; {typed}"
    )


class Decoder:
    """Splits a byte stream into the hello and the frames, regardless of its chunks.

    `feed` returns the frames completed by `data`; `hello` is None until the first line is complete. Raises WireError if
    the stream violates the protocol; the decoder cannot be used after that.
    """

    __slots__ = ("_buffer", "hello")

    def __init__(self) -> None:
        self.hello: dict[str, Any] | None = None
        self._buffer = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take the next bytes of the stream; return the frames that are complete now."""
        buffer = self._buffer + data if self._buffer else data
        position = 0
        if self.hello is None:
            end = buffer.find(b"\n")
            if end < 0:
                if len(buffer) > MAX_HELLO:
                    raise WireError("no hello")
                self._buffer = buffer
                return []
            self.hello = fields(buffer[:end])
            if not isinstance(self.hello.get("ptytasks"), int):
                raise WireError(f"not a ptytasks hello: {buffer[:80]!r}")
            position = end + 1
        frames = []
        while len(buffer) - position >= HEADER.size:
            kind, length = HEADER.unpack_from(buffer, position)
            if length > MAX_PAYLOAD:
                raise WireError(f"a frame of {length} bytes")
            end = position + HEADER.size + length
            if end > len(buffer):
                break
            frames.append((kind, bytes(buffer[position + HEADER.size : end])))
            position = end
        self._buffer = buffer[position:]
        return frames
