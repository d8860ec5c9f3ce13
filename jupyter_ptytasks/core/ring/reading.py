"""A walk through the lines of a ring: draws what is not plain, and continues where earlier walks have ended."""

from __future__ import annotations

from ..terminal.lines import expander
from ..terminal.plain import Whole
from .known import Known, Stretch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ..terminal.lines import Lines
    from .lines import RingLines

#: Number of bytes to read at a time.
_BLOCK = 1 << 18
#: The same in bulk where the output is not all plain; after each plain piece, it is multiplied by the second value.
_PIECE = 1 << 14
_MORE = 4
#: A block with at most this many lines (progress bars have few) is not searched for plain ones.
_LINES = 100
#: Of a line without a line feed (a progress bar may run for hours), this many bytes are read at either end.
_LONGEST = 1 << 19


class Reading:
    """A walk through the lines of a ring: iterate over it for those that are final; `rest` returns the others at any
    time. `is_done` says that the whole ring was read.

    Lines are (number, text); in `rest`, also whether they are likely to stay the same. `skipped` has the number of
    bytes that the text of a line lacks, by line number. `is_whole` says that the walk starts at the beginning of the
    output. `begin` returns the terminal in its state at the start.
    """

    def __init__(
        self, ring: RingLines, begin: Callable[[], Lines], pieces: list[tuple[int, int]], *, is_whole: bool
    ) -> None:
        self.is_done = False
        self.is_whole = is_whole
        self.start = pieces[0][0]
        self.skipped: dict[int, int] = {}
        self._ring = ring
        self._begin = begin
        self._terminal: Lines | None = None
        self._pieces = pieces
        self._run = 0  # bytes of the unfinished line
        self._held = b""  # the last of these bytes, if not all are drawn
        self._size = _BLOCK
        self._found: Known | None = None  # what this walk finds, if that is cached
        self._left: list[tuple[int, str, bool]] | None = None  # the lines on the screen, if only they are known

    @property
    def _lines(self) -> Lines:
        """The terminal that draws the lines, created on first use: if everything is known, none is needed."""
        if self._terminal is None:
            self._terminal = self._begin()
        return self._terminal

    def __iter__(self) -> Iterator[list[tuple[int, str]]]:
        for lines in self._walk(in_bulk=False):
            assert isinstance(lines, list)
            yield lines

    def in_bulk(self) -> Generator[list[tuple[int, str]] | Whole, None, None]:
        """Iterate over the same lines, with plain ones as a whole: they are neither drawn nor split. What is known of
        the ring is not drawn again, and what is found is cached.
        """
        try:
            if self.is_whole:
                yield from self._recall()
            yield from self._walk(in_bulk=True)
        except GeneratorExit:
            # Only here and at the end is it certain that everything that was read has been added.
            self._keep()
            raise

    def _walk(self, *, in_bulk: bool) -> Iterator[list[tuple[int, str]] | Whole]:
        for start, end in self._pieces:
            for offset, behind, rows, cols in self._ring.sizes(start, end):
                self._lines.resize(rows, cols)
                yield from self._feed(offset, behind, in_bulk=in_bulk)
        self._keep()
        self._go_on(b"")
        if self._left is None:
            yield self._lines.take()
        self.is_done = True

    def rest(self) -> list[tuple[int, str, bool]]:
        """Return the lines on the screen; the last one is at the cursor, unless there is text below it."""
        return self._lines.rest() if self._left is None else self._left

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
                # The output before has been dropped in the meantime: a segment begins here.
                self._keep()
                yield lines.take()
                lines = self._terminal = self._ring.lines_at(at)
                self._run, self._held = 0, b""
            data = data[: end - at]
            whole = lines.pass_whole(at, data) if in_bulk and not self._held else None
            if whole is not None:
                self._size = min(self._size * _MORE, _BLOCK)
                self._run = 0
                # The remaining bytes are plain, too, and are read again with those after them.
                offset = at + whole.end
                yield self._take(offset, Stretch(at + whole.start, offset, whole.number, whole.feeds, whole.plain))
                yield whole
                continue
            if in_bulk and len(data) > _PIECE and data.count(b"\n") > _LINES:
                # Try smaller pieces, so that only what is not plain is drawn.
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
                # Only its final state matters, which is drawn at its end.
                held = self._held + data
                self._skip(len(held) - _LONGEST)
                self._held = held[-_LONGEST:]
            else:
                lines.feed(data)
                self._run += len(data)
            yield self._take(offset)

    # -- what is known ------------------------------------------------------------------------------------------------

    def _recall(self) -> Iterator[list[tuple[int, str]] | Whole]:
        """Iterate over what is known of the ring, and prepare to continue after it."""
        known, end = self._ring.known(), self._pieces[-1][1]
        if known is None:
            self._found = self._ring.nothing_known()
            return
        for part in known.parts:
            if isinstance(part, list):
                yield part
                continue
            at, data = self._ring.read(part.start, part.end - part.start)
            if at > part.start or len(data) < part.end - part.start:
                # The output before has been dropped in the meantime.
                self._terminal, self._pieces = self._ring.lines_at(at), [(at, end)]
                return
            expand = expander(*self._ring.size_at(part.start)) if part.plain.loose else _unchanged
            yield Whole(part.number, part.feeds, at, data, (0, len(data)), part.plain, expand)
        self.skipped.update(known.skipped)
        self._run, self._held = known.run, known.held
        if known.lines is None:
            self._left, self._pieces = known.rest, []
        elif known.offset == end and not known.held:
            self._terminal, self._pieces = known.lines, []  # it will not be fed
        else:
            self._terminal = known.lines.copy()
            self._pieces = [(known.offset, end)] if known.offset < end else []
            self._found = None if known.is_full else known.again()

    def _take(self, offset: int, stretch: Stretch | None = None) -> list[tuple[int, str]]:
        """Return the lines that are final at `offset`, and add them, and a `stretch` after them, to what was found."""
        lines = self._lines.take()
        if self._found is not None:
            self._found.add(lines, stretch, offset)
            if self._found.is_full:
                self._keep()
        return lines

    def _keep(self) -> None:
        """Cache what was found so far, and nothing after that."""
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
        """Draw the end of a line whose middle was skipped, from where the line is redrawn."""
        if not self._held:
            return
        data = self._held + data
        # The CR at the end of the line redraws nothing.
        end = len(data.rstrip(b"\r"))
        at = data.find(b"\r", 0, end)
        if at >= 0:
            self.skipped.pop(self._lines.number, None)
            self._lines.feed(data[at:])
        else:
            self._skip(end)
            self._lines.feed(data[end:])


def _unchanged(line: str) -> str:
    return line
