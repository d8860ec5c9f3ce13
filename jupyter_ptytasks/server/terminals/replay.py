"""The initial replay for a new viewer. Reads files and computes; runs in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.terminal import replay

if TYPE_CHECKING:
    from ...core.ring.reader import RingReader

#: The default and maximum number of lines of history for a viewer; maximum number of bytes.
LINES = 1000
LINES_MAX = 100_000
BYTES_MAX = 1 << 20


class History:
    """`data` to draw, and the `offset` in the ring from which the live output continues. `alternate`: a full-screen
    program is active.
    """

    __slots__ = ("alternate", "data", "offset")

    def __init__(self, data: bytes, offset: int, alternate: bool) -> None:
        self.data = data
        self.offset = offset
        self.alternate = alternate


def load(reader: RingReader, lines: int, rows: int, cols: int, at: int | None = None) -> History:
    """Return the data that makes a terminal of this size look as if it had received the last `lines` lines, up to the
    offset `at` or to the end.
    """
    start, end = reader.bounds()
    bases = reader.bases()
    if at is not None:
        end = min(max(at, start), end)
        bases = [base for base in bases if base < end] or bases[:1]
    if not bases:
        return History(b"\x1bc", 0, alternate=False)
    # The newest keyframe is enough for most viewers; a request for more lines needs an older one.
    index = len(bases) - 1
    keyframe = reader.keyframe(bases[index])
    if lines > LINES:
        newest = keyframe.line
        while index > 0 and newest - keyframe.line < lines:
            index -= 1
            keyframe = reader.keyframe(bases[index])
    data = reader.read_range(bases[index], end)
    built = replay.build(keyframe.scrollback, keyframe.modes, data, rows=rows, cols=cols, lines=lines, limit=BYTES_MAX)
    return History(built.data, end - len(built.tail), built.alternate)
