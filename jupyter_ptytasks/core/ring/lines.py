"""Lines of a ring by number, as a terminal shows them: from any line on, or the last ones.

This reads as little as possible: a line is found by counting line feeds, the terminal state there is taken from a
keyframe, and only as much of the screen above is drawn as may be overwritten. Blocking.
"""

from __future__ import annotations

from ..terminal.lines import Lines
from ..terminal.modes import TerminalModes
from . import known_file
from .known import Known
from .marks import modes_at
from .reading import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .known import KnownRings
    from .reader import RingReader

#: Bytes read at a time.
_BLOCK = 1 << 18
#: Bytes that are drawn before a requested line, since programs move up to lines that they wrote a while ago.
_CONTEXT = 1 << 16
#: Bytes that are read for the last lines, at first and at most. A program that overwrites the same lines for hours has
#: no others.
_WINDOW = 1 << 16
_MOST_WINDOW = 1 << 20


class RingLines:
    """The lines of the ring of `reader`, as it is now. `size` (rows, columns) is used where none is recorded.
    `known`: where walks in bulk from the beginning keep what they find.

    `first` is the number of the first line that is kept.
    """

    def __init__(
        self,
        reader: RingReader,
        size: tuple[int, int] = (24, 80),
        *,
        paint: bool = False,
        known: KnownRings | None = None,
    ) -> None:
        self._reader = reader
        self._size = size
        self._paint = paint
        self._known = None if paint else known
        self._start, self._end = reader.bounds()
        self._segments = [(base, reader.line(base)) for base in reader.bases()]
        self.first = self._segments[0][1] if self._segments else 0
        self._lines_before_end: int | None = None

    @property
    def end(self) -> int:
        """The number of line feeds before the end. They are counted on first use, which reads a segment."""
        if self._lines_before_end is None:
            base, line = self._segments[-1] if self._segments else (self._end, 0)
            self._lines_before_end = line + self._count(base, self._end)
        return self._lines_before_end

    @property
    def total(self) -> int:
        """The number after that of the last line, according to line feeds."""
        last = self._reader.read_range(max(self._end - 1, self._start), self._end)
        return self.end + (last not in (b"", b"\n"))

    def known(self) -> Known | None:
        """Return what is known of the ring and still valid: all of it, or a part after which a walk can continue."""
        if self._known is None:
            return None
        directory = self._reader.directory
        known = self._known.get(directory)
        if known is not None and not self._is_of_this(known):
            known = None
        if known is None or known.offset < self._end:
            finished = known_file.read(directory, (self._start, self._end), self._size)
            if finished is not None:
                self._known.keep(directory, finished)
                return finished
        return known

    def _is_of_this(self, known: Known) -> bool:
        if (known.start, known.size) != (self._start, self._size) or known.offset > self._end:
            return False
        return known.offset == self._end or known.lines is not None

    def nothing_known(self) -> Known | None:
        """Return an empty object to which results can be added; None if there is no cache."""
        return None if self._known is None else Known(self._start, self._size, [])

    def keep(self, known: Known) -> None:
        """Cache what was found."""
        if self._known is not None:
            self._known.keep(self._reader.directory, known)

    def read(self, offset: int, limit: int) -> tuple[int, bytes]:
        """Return bytes like the ring's reader."""
        return self._reader.read(offset, limit)

    def sizes(self, start: int, end: int) -> list[tuple[int, int, int, int]]:
        """Return the terminal's sizes in a part of the ring: from where, up to where, rows, columns."""
        sizes = [size for size in self._reader.sizes(start, end) if size[1] and size[2]] or [(start, *self._size)]
        ends = [offset for offset, _, _ in sizes[1:]] + [end]
        begins = [start, *ends[:-1]]
        return [(begin, behind, rows, cols) for begin, behind, (_, rows, cols) in zip(begins, ends, sizes)]

    def size_at(self, offset: int) -> tuple[int, int]:
        """Return the terminal's size, rows and columns, where `offset` was written."""
        (_, _, rows, cols), *_ = self.sizes(offset, offset + 1)
        return rows, cols

    def feedless_until(self, offset: int) -> int:
        """Return an offset up to which there is no line feed, according to the keyframes."""
        behind = [*self._segments[1:], (self._end, self.end)]
        for (_, line), (next_base, next_line) in zip(self._segments, behind):
            if offset < next_base:
                if line != next_line:
                    return offset
                offset = next_base
        return offset

    def _within(self, number: int) -> int:
        """Return this number, or that of the nearest line that is kept."""
        return self.first if number <= self.first else min(number, self.end)

    def _count(self, start: int, end: int) -> int:
        return sum(data.count(b"\n") for _, data in self._reader.blocks(start, end, _BLOCK))

    def since(self, number: int) -> Reading:
        """Read from the line with this number on; some may come before it."""
        number = self._within(number)
        offset, number = self._locate(number)
        start = max(offset - _CONTEXT, self._start)
        if start > self._start:
            start = self._behind_feed(start - 1, offset) or offset
        return self._begin(start, number - self._count(start, offset))

    def locate(self, number: int, known: tuple[int, int] | None = None) -> tuple[int, int]:
        """Return the offset at which the line with this number begins, and the number.

        `known` is such a pair of a line before it, from which fewer bytes have to be counted.
        """
        return self._locate(max(number, self.first), known)

    def ends(self, numbers: list[int]) -> list[int]:
        """Return the offsets after some lines, given in ascending order; for the last line, the end of the ring."""
        found: list[int] = []
        offset, number = self.locate(numbers[0]) if numbers else (0, 0)
        for at, data in self._reader.blocks(offset, self._end, _BLOCK):
            feed = -1
            while len(found) < len(numbers):
                if numbers[len(found)] < number:
                    found.append(at + feed + 1)
                    continue
                feed = data.find(b"\n", feed + 1)
                if feed < 0:
                    break
                number += 1
            if len(found) == len(numbers):
                break
        return found + [self._end] * (len(numbers) - len(found))

    def size_since(self, number: int) -> int:
        """Return the number of bytes from the line with this number on."""
        return self._end - self._locate(self._within(number))[0]

    def last(self, count: int) -> tuple[Reading, list[tuple[int, str, bool]]]:
        """Read at least `count` of the last lines, or as many as there are within the limit; return all of them, with
        the reading that produced them.
        """
        offset, window = self._end, _WINDOW
        # The screen may have been drawn by output before the first line that is read.
        enough = count + self.size_at(self._end)[0]
        while True:
            reading = self._begin(*self._line_before(max(offset - window, self._start)))
            lines = [(*line, True) for batch in reading for line in batch] + reading.rest()
            if len(lines) > enough or reading.is_whole or window >= _MOST_WINDOW:
                return reading, lines
            offset, window = reading.start, window * 4

    def _begin(self, start: int, number: int) -> Reading:
        """Read from the line that begins at `start` on."""
        pieces = [(start, self._end)]
        modes = modes_at(self._reader, start)
        below = modes.alternate_since
        if below is not None and below > self._start:
            # The screen below an active full-screen program, which reappears when the program ends.
            start, number = self._line_before(max(below - _CONTEXT, self._start))
            pieces = [(start, below), *pieces]
            modes = modes_at(self._reader, start)

        def begin() -> Lines:
            if start == self._start > 0:
                return self.lines_at(start)
            lines = self._new_lines(start, number, fresh=start == 0)
            if start > 0:
                lines.feed(modes.prelude() + modes.pending)
            return lines

        return Reading(self, begin, pieces, is_whole=start == self._start)

    def lines_at(self, base: int) -> Lines:
        """Return a terminal in the state of the keyframe of the segment at `base`. The lines that it shows are not
        returned unless they, or lines above them, are written to again: they are there for programs that move up to
        them. Without a keyframe, they are unknown.
        """
        keyframe = self._reader.keyframe(base)
        lines = self._new_lines(base, keyframe.line, fresh=bool(keyframe.scrollback))
        lines.feed(keyframe.scrollback)
        lines.forget(keyframe.line)
        since = TerminalModes()
        since.feed(keyframe.scrollback)
        lines.feed(keyframe.modes.prelude(since if keyframe.scrollback else None) + keyframe.modes.pending)
        return lines

    def _new_lines(self, offset: int, number: int, *, fresh: bool) -> Lines:
        return Lines(*self.size_at(offset), number=number, fresh=fresh, paint=self._paint)

    def _line_before(self, offset: int) -> tuple[int, int]:
        """Return where a line begins shortly after `offset`, or else before it, and its number."""
        if offset <= self._start:
            return self._start, self.first
        start = self._behind_feed(offset - 1, self._end)
        if start is None:
            return self._locate(self.end)
        return start, self._number_at(start)

    def _behind_feed(self, offset: int, end: int) -> int | None:
        """Return the offset after the first line feed from `offset` on; None if there is none before `end`."""
        while offset < end and (offset := self.feedless_until(offset)) < end:
            at, data = self.read(offset, min(_CONTEXT, end - offset))
            feed = data.find(b"\n")
            if not data or at >= end:
                return None
            if feed >= 0:
                return at + feed + 1
            offset = at + len(data)
        return None

    def _number_at(self, offset: int) -> int:
        """Return how many line feeds there are before `offset`."""
        if self._end - offset < offset - self._segments[-1][0]:
            return self.end - self._count(offset, self._end)
        base, line = [segment for segment in self._segments if segment[0] <= offset][-1]
        return line + self._count(base, offset)

    def _locate(self, line: int, known: tuple[int, int] | None = None) -> tuple[int, int]:
        """Return the offset at which a line begins and its number; if it was dropped meanwhile, those of the first line
        after it.
        """
        if not self._segments:
            return 0, line
        base, number = self._segments[0]
        for other, before in self._segments:
            # A line that continues into a segment begins before it.
            if before < line:
                base, number = other, before
        if known is not None and number < known[1] <= line:
            base, number = known
        if line <= number:
            return base, line
        expected = base
        for offset, data in self._reader.blocks(base, self._end, _BLOCK):
            if offset > expected:
                number = self._reader.line(offset)
                if line <= number:
                    return offset, number
            expected = offset + len(data)
            here = data.count(b"\n")
            if number + here >= line:
                at = -1
                for _ in range(line - number):
                    at = data.find(b"\n", at + 1)
                return offset + at + 1, line
            number += here
        return self._end, line
