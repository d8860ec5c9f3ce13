"""Lines of a ring by number: what a terminal shows of the bytes on disk, from any line on, or the last ones.

Nothing here reads more than it must: a line is found by counting line feeds, what a terminal remembers there is taken
from a keyframe, and of the screen above as much is drawn as may be drawn over. Blocking.
"""

from __future__ import annotations

from ..terminal.lines import Lines
from ..terminal.modes import TerminalModes
from ..terminal.plain import Whole
from .known import Known, Stretch
from .marks import modes_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from .known import KnownRings
    from .reader import RingReader

#: Bytes that are read at a time.
_BLOCK = 1 << 18
#: The same in bulk where not all is plain; each time that all of it is, it is so many times as much.
_PIECE = 1 << 14
_MORE = 4
#: Where there are no more lines, as in bars, it is not looked for plain ones among them.
_LINES = 100
#: Bytes that are drawn before a line that is asked for: programs go up to what they wrote a while ago.
_CONTEXT = 1 << 16
#: Bytes that are looked at for the last lines, at first and at most. A program that draws over the same lines for hours
#: has no others.
_WINDOW = 1 << 16
_MOST_WINDOW = 1 << 20
#: Of a line that goes on without a line feed, as bars do for hours, so many bytes are read at its beginning and end.
_LONGEST = 1 << 19


class Reading:
    """A walk through the lines from some place on: iterate over those that are final, as they come; `rest` has the
    others, at any time. `is_done` says that all of the ring was read.

    Lines are (number, text) and, in `rest`, also whether they are likely to stay as they are. `skipped` has the
    characters by which a line is longer than its text. `is_whole`: nothing came before.
    """

    def __init__(self, ring: RingLines, lines: Lines, pieces: list[tuple[int, int]], *, is_whole: bool) -> None:
        self.is_done = False
        self.is_whole = is_whole
        self.start = pieces[0][0]
        self.skipped: dict[int, int] = {}
        self._ring = ring
        self._lines = lines
        self._pieces = pieces
        self._run = 0  # bytes of the line that goes on
        self._held = b""  # the last of them, where not all are drawn
        self._size = _BLOCK
        self._found: Known | None = None  # what this walk finds, if that is kept

    def __iter__(self) -> Iterator[list[tuple[int, str]]]:
        for lines in self._walk(in_bulk=False):
            assert isinstance(lines, list)
            yield lines

    def in_bulk(self) -> Generator[list[tuple[int, str]] | Whole, None, None]:
        """Iterate over the same lines, of which plain ones come as a whole: they are neither drawn nor parted. What is
        known of the ring is not drawn again, and what is found is kept.
        """
        try:
            if self.is_whole:
                yield from self._recall()
            yield from self._walk(in_bulk=True)
        except GeneratorExit:
            # Only here and at the end is it certain that all that was read is found.
            self._keep()
            raise

    def _walk(self, *, in_bulk: bool) -> Iterator[list[tuple[int, str]] | Whole]:
        for start, end in self._pieces:
            for offset, behind, rows, cols in self._ring.sizes(start, end):
                self._lines.resize(rows, cols)
                yield from self._feed(offset, behind, in_bulk=in_bulk)
        self._keep()
        self._go_on(b"")
        yield self._lines.take()
        self.is_done = True

    def rest(self) -> list[tuple[int, str, bool]]:
        """Return the lines on the screen; the last one is the cursor's, unless there is something below it."""
        return self._lines.rest()

    def _feed(self, offset: int, end: int, *, in_bulk: bool) -> Iterator[list[tuple[int, str]] | Whole]:
        lines = self._lines
        while offset < end:
            is_long = self._run >= _LONGEST and not lines.is_within_token
            if is_long:
                behind = min(self._ring.feedless_until(offset), end) - _LONGEST
                if behind > offset:
                    self._skip(len(self._held) + behind - offset)
                    self._held, offset = b"", behind
            at, data = self._ring.read(offset, min(self._size, end - offset))
            if not data or at >= end:
                return
            if at > offset:
                # What came before has been dropped meanwhile: here a segment begins.
                self._keep()
                yield lines.take()
                lines = self._lines = self._ring.lines_at(at)
                self._run, self._held = 0, b""
            data = data[: end - at]
            whole = lines.pass_whole(at, data) if in_bulk and not self._held else None
            if whole is not None:
                self._size = min(self._size * _MORE, _BLOCK)
                self._run = 0
                # What was left is plain, too, and is read again with what follows.
                offset = at + whole.end
                yield self._take(offset, Stretch(at + whole.start, offset, whole.number, whole.feeds, whole.plain))
                yield whole
                continue
            if in_bulk and len(data) > _PIECE and data.count(b"\n") > _LINES:
                # Only what is not plain is drawn.
                self._size = _PIECE
                continue
            offset = at + len(data)
            feed = data.find(b"\n")
            if feed >= 0:
                self._go_on(data[:feed] if self._held else b"")
                lines.feed(data[feed:] if self._held else data)
                self._held = b""
                self._run = len(data) - data.rfind(b"\n") - 1
            elif is_long:
                # What stands there in the end is drawn at the end.
                held = self._held + data
                self._skip(len(held) - _LONGEST)
                self._held = held[-_LONGEST:]
            else:
                lines.feed(data)
                self._run += len(data)
            yield self._take(offset)

    # -- what is known ------------------------------------------------------------------------------------------------

    def _recall(self) -> Iterator[list[tuple[int, str]] | Whole]:
        """Iterate over what is known of the ring, and go on behind it."""
        known, end = self._ring.known(), self._pieces[-1][1]
        if known is None or known.lines is None:
            self._found = self._ring.nothing_known()
            return
        for part in known.parts:
            if isinstance(part, list):
                yield part
                continue
            at, data = self._ring.read(part.start, part.end - part.start)
            if at > part.start or len(data) < part.end - part.start:
                # What came before has been dropped meanwhile.
                self._lines, self._pieces = self._ring.lines_at(at), [(at, end)]
                return
            yield Whole(part.number, part.feeds, at, data, (0, len(data)), part.plain)
        self.skipped.update(known.skipped)
        self._run, self._held = known.run, known.held
        if known.offset == end and not known.held:
            self._lines, self._pieces = known.lines, []  # which is not fed any more
            return
        self._lines, self._pieces = known.lines.copy(), [(known.offset, end)] if known.offset < end else []
        self._found = None if known.is_full else known.again()

    def _take(self, offset: int, stretch: Stretch | None = None) -> list[tuple[int, str]]:
        """Return the lines that are final, having come to `offset`, perhaps by a stretch of plain lines behind them."""
        lines = self._lines.take()
        if self._found is not None:
            self._found.add(lines, stretch, offset)
            if self._found.is_full:
                self._keep()
        return lines

    def _keep(self) -> None:
        """Keep what was found so far, and nothing more."""
        found, self._found = self._found, None
        if found is not None:
            found.lines, found.run, found.held = self._lines.copy(), self._run, self._held
            found.skipped = dict(self.skipped)
            self._ring.keep(found)

    def _skip(self, count: int) -> None:
        if count > 0:
            number = self._lines.number
            self.skipped[number] = self.skipped.get(number, 0) + count

    def _go_on(self, data: bytes) -> None:
        """Draw the end of a line whose middle was left out, from where the line is redrawn."""
        if not self._held:
            return
        data = self._held + data
        # The return that belongs to the end of the line redraws nothing.
        end = len(data.rstrip(b"\r"))
        at = data.find(b"\r", 0, end)
        if at >= 0:
            self.skipped.pop(self._lines.number, None)
            self._lines.feed(data[at:])
        else:
            self._skip(end)
            self._lines.feed(data[end:])


class RingLines:
    """The lines of the ring behind `reader`, as it is now. `size` (rows, columns) is used where none is recorded.
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
        """The line feeds before the end. They are counted when this is first asked for: that reads a segment."""
        if self._lines_before_end is None:
            base, line = self._segments[-1] if self._segments else (self._end, 0)
            self._lines_before_end = line + self._count(base, self._end)
        return self._lines_before_end

    @property
    def total(self) -> int:
        """The number behind that of the last line, as far as line feeds tell it."""
        last = self._reader.read_range(max(self._end - 1, self._start), self._end)
        return self.end + (last not in (b"", b"\n"))

    def known(self) -> Known | None:
        """Return what is known of the ring, as far as it is still there."""
        known = self._known.get(self._reader.directory) if self._known is not None else None
        if known is None or (known.start, known.size) != (self._start, self._size) or known.offset > self._end:
            return None
        return known

    def nothing_known(self) -> Known | None:
        """Return what is to be added to and kept; None if nothing is kept."""
        return None if self._known is None else Known(self._start, self._size, [])

    def keep(self, known: Known) -> None:
        """Keep what was found."""
        if self._known is not None:
            self._known.keep(self._reader.directory, known)

    def read(self, offset: int, limit: int) -> tuple[int, bytes]:
        """Return bytes as the ring's reader does."""
        return self._reader.read(offset, limit)

    def sizes(self, start: int, end: int) -> list[tuple[int, int, int, int]]:
        """Return the terminal's sizes in a part of the ring: from where, up to where, rows, columns."""
        sizes = [size for size in self._reader.sizes(start, end) if size[1] and size[2]] or [(start, *self._size)]
        ends = [offset for offset, _, _ in sizes[1:]] + [end]
        begins = [start, *ends[:-1]]
        return [(begin, behind, rows, cols) for begin, behind, (_, rows, cols) in zip(begins, ends, sizes)]

    def feedless_until(self, offset: int) -> int:
        """Return an offset up to which there is no line feed, as far as the keyframes tell."""
        behind = [*self._segments[1:], (self._end, self.end)]
        for (_, line), (next_base, next_line) in zip(self._segments, behind):
            if offset < next_base:
                if line != next_line:
                    return offset
                offset = next_base
        return offset

    def _within(self, number: int) -> int:
        """Return the number of a line that is kept: this one, or the nearest."""
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
        """Return the offsets behind some lines, by ascending number; of the last line that is the end of the ring."""
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
        """Return the bytes from the line with this number on."""
        return self._end - self._locate(self._within(number))[0]

    def last(self, count: int) -> tuple[Reading, list[tuple[int, str, bool]]]:
        """Read more than so many of the last lines, or as many as there are in what is worth reading; return them all,
        with the walk that led through them.
        """
        offset, window = self._end, _WINDOW
        while True:
            reading = self._begin(*self._line_before(max(offset - window, self._start)))
            lines = [(*line, True) for batch in reading for line in batch] + reading.rest()
            if len(lines) > count or reading.is_whole or window >= _MOST_WINDOW:
                return reading, lines
            offset, window = reading.start, window * 4

    def _begin(self, start: int, number: int) -> Reading:
        """Read from the line that begins at `start` on."""
        pieces = [(start, self._end)]
        modes = modes_at(self._reader, start)
        below = modes.alternate_since
        if below is not None and below > self._start:
            # What stands below a full-screen program that was on by then: it shows again when that is over.
            start, number = self._line_before(max(below - _CONTEXT, self._start))
            pieces = [(start, below), *pieces]
            modes = modes_at(self._reader, start)
        if start == self._start > 0:
            lines = self.lines_at(start)
        else:
            lines = self._new_lines(start, number, fresh=start == 0)
            if start > 0:
                lines.feed(modes.prelude() + modes.pending)
        return Reading(self, lines, pieces, is_whole=start == self._start)

    def lines_at(self, base: int) -> Lines:
        """Return a terminal as the keyframe of the segment at `base` has it. Nothing that it shows is told unless it is
        written to again: it is there for programs that go up to it.
        """
        keyframe = self._reader.keyframe(base)
        lines = self._new_lines(base, keyframe.line, fresh=False)
        lines.feed(keyframe.scrollback)
        lines.forget(keyframe.line)
        since = TerminalModes()
        since.feed(keyframe.scrollback)
        lines.feed(keyframe.modes.prelude(since if keyframe.scrollback else None) + keyframe.modes.pending)
        return lines

    def _new_lines(self, offset: int, number: int, *, fresh: bool) -> Lines:
        (_, _, rows, cols), *_ = self.sizes(offset, offset + 1)
        return Lines(rows, cols, number=number, fresh=fresh, paint=self._paint)

    def _line_before(self, offset: int) -> tuple[int, int]:
        """Return where a line begins soon after `offset`, or else before it, and its number."""
        if offset <= self._start:
            return self._start, self.first
        start = self._behind_feed(offset - 1, self._end)
        if start is None:
            return self._locate(self.end)
        return start, self._number_at(start)

    def _behind_feed(self, offset: int, end: int) -> int | None:
        """Return the offset behind the first line feed from `offset` on; None where there is none before `end`."""
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
        """Return how many line feeds come before `offset`."""
        if self._end - offset < offset - self._segments[-1][0]:
            return self.end - self._count(offset, self._end)
        base, line = [segment for segment in self._segments if segment[0] <= offset][-1]
        return line + self._count(base, offset)

    def _locate(self, line: int, known: tuple[int, int] | None = None) -> tuple[int, int]:
        """Return the offset at which a line begins and its number; of one that has been dropped meanwhile, those of the
        first line behind it.
        """
        if not self._segments:
            return 0, line
        base, number = self._segments[0]
        for other, before in self._segments:
            # A line that goes on into a segment has begun before it.
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
