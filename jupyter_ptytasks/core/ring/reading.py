"""A walk through the lines of a ring, which draws what is not plain, and goes on where earlier walks have ended."""

from __future__ import annotations

from ..terminal.lines import expander
from ..terminal.plain import Whole
from .known import Known, Stretch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ..terminal.lines import Lines
    from .lines import RingLines

#: Bytes that are read at a time.
_BLOCK = 1 << 18
#: The same in bulk where not all is plain; each time that all of it is, it is so many times as much.
_PIECE = 1 << 14
_MORE = 4
#: Where there are no more lines, as in bars, it is not looked for plain ones among them.
_LINES = 100
#: Of a line that goes on without a line feed, as bars do for hours, so many bytes are read at its beginning and end.
_LONGEST = 1 << 19


class Reading:
    """A walk through the lines from some place on: iterate over those that are final, as they come; `rest` has the
    others, at any time. `is_done` says that all of the ring was read.

    Lines are (number, text) and, in `rest`, also whether they are likely to stay as they are. `skipped` has the
    characters by which a line is longer than its text. `is_whole`: nothing came before. `begin` returns the terminal
    as it is there.
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
        self._run = 0  # bytes of the line that goes on
        self._held = b""  # the last of them, where not all are drawn
        self._size = _BLOCK
        self._found: Known | None = None  # what this walk finds, if that is kept
        self._left: list[tuple[int, str, bool]] | None = None  # the lines on the screen, if only they are known

    @property
    def _lines(self) -> Lines:
        """The terminal that draws them. If all is known, there is none."""
        if self._terminal is None:
            self._terminal = self._begin()
        return self._terminal

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
        if self._left is None:
            yield self._lines.take()
        self.is_done = True

    def rest(self) -> list[tuple[int, str, bool]]:
        """Return the lines on the screen; the last one is the cursor's, unless there is something below it."""
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
                # What came before has been dropped meanwhile: here a segment begins.
                self._keep()
                yield lines.take()
                lines = self._terminal = self._ring.lines_at(at)
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
        if known is None:
            self._found = self._ring.nothing_known()
            return
        for part in known.parts:
            if isinstance(part, list):
                yield part
                continue
            at, data = self._ring.read(part.start, part.end - part.start)
            if at > part.start or len(data) < part.end - part.start:
                # What came before has been dropped meanwhile.
                self._terminal, self._pieces = self._ring.lines_at(at), [(at, end)]
                return
            expand = expander(*self._ring.size_at(part.start)) if part.plain.loose else _unchanged
            yield Whole(part.number, part.feeds, at, data, (0, len(data)), part.plain, expand)
        self.skipped.update(known.skipped)
        self._run, self._held = known.run, known.held
        if known.lines is None:
            self._left, self._pieces = known.rest, []
        elif known.offset == end and not known.held:
            self._terminal, self._pieces = known.lines, []  # which is not fed any more
        else:
            self._terminal = known.lines.copy()
            self._pieces = [(known.offset, end)] if known.offset < end else []
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


def _unchanged(line: str) -> str:
    return line
