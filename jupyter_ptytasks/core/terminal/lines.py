"""Lines: converts a terminal's output, fed in any chunks, to the lines of text that the terminal shows.

A line is the final text, on the screen or scrolled out of it. Text that was overwritten, erased or drawn on the
alternate screen does not count, nor does the data of titles, links and images. A line that wraps is still one line. The
reference is xterm.js (tests/contract/lines.json, tests/oracle).

The number of a line is the number of line feeds before it was last changed, that is, written to or partly erased. So
numbers never decrease, equal the line numbers in the ring as long as a program only appends, and skip what was drawn
over. Lines that were drawn without a line feed between them have the same number.
"""

from __future__ import annotations

from .cells import NULL, OLD, UNKNOWN, Row
from .controls import Controls
from .drawing import Drawing
from .grid import Grid
from .needles import COLORS
from .paint import Paint
from .plain import Plain, Whole, last_lines, plain_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Minimum number of bytes of plain lines that are passed on as a whole.
_WORTH = 1 << 12


def lines_of(data: bytes, rows: int = 24, cols: int = 80) -> list[str]:
    """Return the lines of a terminal of this size that is fed `data`; the last one is at the cursor or below it."""
    lines = Lines(rows, cols)
    lines.feed(data)
    return [text for _, text in lines.take()] + [text for _, text, _ in lines.rest()]


class Lines(Drawing):
    """Draws a terminal's output and returns its lines: `take` those that have left the screen, `rest` all others.

    `number` is the number of line feeds before the bytes that are fed. `fresh` says that the terminal is blank at the
    beginning; otherwise it shows unknown lines, which are only returned if they are written to: then what is unknown of
    them is blank. With `paint`, lines have colors.
    """

    __slots__ = ("_done", "_last", "_leaving", "_paint")

    def __init__(self, rows: int, cols: int, *, number: int = 0, fresh: bool = True, paint: bool = False) -> None:
        self._paint = Paint() if paint else None
        self._done: list[tuple[int, str]] = []
        self._leaving: list[Row] = []  # the rows of a line that has not left completely
        self._last = -1
        grid = Grid(rows, cols, self._leave, number if fresh else UNKNOWN, keeps_looks=paint)
        grid.number = number
        if not fresh:
            grid.y = grid.height - 1
            grid.forget(number)
        super().__init__(grid, Controls(grid, self._paint))

    @property
    def number(self) -> int:
        """The number of line feeds up to the end of the bytes that were fed."""
        return self.grid.number

    def forget(self, number: int) -> None:
        """Drop all lines so far, unless they or lines above them are written to again; `number` line feeds precede the
        next bytes.
        """
        self._done.clear()
        if not self.grid.rows[0].wraps:
            self._leaving.clear()
        for row in self._leaving:
            row.number = OLD
        self._last = -1
        self.grid.forget(number)

    def copy(self) -> Lines:
        """Return an independent terminal in the same state. Raises ValueError for one with colors."""
        if self._paint is not None:
            raise ValueError("colors are not copied")
        other = Lines(self.grid.height, self.grid.cols)
        self.grid.copy_to(other.grid)
        self._controls.copy_to(other._controls)
        other._pending, other._last, other._done = self._pending, self._last, list(self._done)
        other._leaving = [row.copy() for row in self._leaving]
        other.grid.above = other._leaving[-1] if other._leaving else None
        return other

    # -- output -------------------------------------------------------------------------------------------------------

    def take(self) -> list[tuple[int, str]]:
        """Return the lines (number, text) that have left the screen since the last call; they are final."""
        done, self._done = self._done, []
        return done

    def rest(self) -> list[tuple[int, str, bool]]:
        """Return the other lines in their present state: number, text, and whether they are likely to stay the same.

        The last line is the one at the cursor, unless there is text below it.
        """
        grid = self.grid
        count = len(grid.rows)
        while count > grid.y + 1 and not grid.rows[count - 1].text.strip(NULL + " "):
            count -= 1
        steady = self._steady()
        found: list[tuple[int, str, bool]] = []
        last = self._last
        for at, line in self._logical(self._leaving + grid.rows[:count]):
            number = max(row.number for row in line)
            if number != UNKNOWN and max(number, last) >= 0:
                last = max(number, last)
                found.append((last, self._spell(line), at + len(line) - len(self._leaving) <= steady))
        return found

    def _steady(self) -> int:
        """Return how many rows are likely to stay the same: those above the cursor, and above each row to which it has
        moved up, until the output has grown by more rows than that.
        """
        grid = self.grid
        steady = grid.y
        for height, low in grid.climbs.items():
            if grid.low - low <= height:
                steady = min(steady, grid.low - height - grid.top)
        while 0 < steady < grid.height and grid.rows[steady].wraps:
            steady -= 1
        return steady

    def _logical(self, rows: list[Row]) -> list[tuple[int, list[Row]]]:
        """Return the rows grouped by line: the index of the first row, and all rows."""
        lines: list[tuple[int, list[Row]]] = []
        for at, row in enumerate(rows):
            if row.wraps and lines:
                lines[-1][1].append(row)
            else:
                lines.append((at, [row]))
        return lines

    def _leave(self, row: Row) -> None:
        if self._leaving and not row.wraps:
            self._finish()
        self._leaving.append(row)

    def _finish(self) -> None:
        """Add the line of the rows that have left: it is complete."""
        line = self._leaving
        number = line[0].number if len(line) == 1 else max(row.number for row in line)
        if number != UNKNOWN and max(number, self._last) >= 0:
            self._last = max(number, self._last)
            self._done.append((self._last, self._spell(line)))
        self._leaving = []

    def _spell(self, line: list[Row]) -> str:
        """Return the text of a line that consists of these rows."""
        row = line[0]
        over = row.over
        text, looks = row.text, row.looks
        cols = self.grid.cols
        if len(line) > 1:
            over = any(row.over for row in line)
            parts, parts_looks = [], []
            for row, behind in zip(line, [*line[1:], None]):
                text = row.text
                if behind is not None:
                    text = text.rstrip(NULL)
                    # A wide character did not fit in the last column, which was left empty.
                    early = len(text) < cols and behind.is_wide_first
                    text = text.ljust(cols - early, NULL)
                parts.append(text)
                parts_looks.append(row.looks[: len(text)].ljust(len(text), NULL) if self._paint else "")
            text, looks = "".join(parts), "".join(parts_looks)
        if self._paint is not None:
            return self._painted(text, looks, over=over)
        return self.grid.clusters.spell(text.rstrip(NULL + " ") if over else text.rstrip(NULL))

    def _painted(self, text: str, looks: str, *, over: bool) -> str:
        paint, spell = self._paint, self.grid.clusters.spell
        assert paint is not None
        end = len(text.rstrip(NULL))
        core = end
        while core and (text[core - 1] == NULL or (text[core - 1] == " " and not paint.shows_blanks(looks[core - 1]))):
            core -= 1
        if NULL in text[:core]:
            looks = "".join([NULL if char == NULL else look for char, look in zip(text, looks)])
        runs = []
        start = 0
        while start < core:
            look = looks[start]
            stop = start + 1
            while stop < core and looks[stop] == look:
                stop += 1
            runs.append((look, spell(text[start:stop])))
            start = stop
        if not over:
            # Spaces that are invisible but were written.
            runs.append((NULL, spell(text[core:end])))
        return paint.text(runs)

    # -- input --------------------------------------------------------------------------------------------------------

    def _may_pass(self) -> bool:
        """Whether they do, and the cursor has never been further down: blank rows there keep their numbers."""
        return self.grid.top + self.grid.y >= self.grid.low and super()._may_pass()

    def _pass_lines(self, data: bytes, pos: int, stop: int) -> int:
        """Pass on plain lines without drawing them, except the last screenful; return the offset from which to draw."""
        grid = self.grid
        height = grid.height
        if self._paint is not None or data.count(b"\n", pos, stop) <= height + 2:
            return pos
        first = data.find(b"\r\n", pos, stop) + 2
        last = stop
        for _ in range(height + 1):
            last = data.rfind(b"\r\n", first, last)
        self._draw(data[pos:first].decode("utf-8", "replace"))
        for row in grid.rows[: grid.y]:
            self._leave(row)
        if self._leaving:
            self._finish()
        body = data[first:last]
        if b"\x1b" in body:
            body = COLORS.sub(b"", body)
        lines = body.decode("utf-8", "replace").split("\r\n")
        if b"\t" in body:
            lines = [self._expanded(line) if "\t" in line else line for line in lines]
        number = max(grid.number, self._last)
        self._done += zip(range(number, number + len(lines)), lines)
        self._last = number + len(lines) - 1
        grid.number += len(lines)
        grid.pass_rows(grid.y + len(lines))
        return last + 2

    def pass_whole(self, offset: int, data: bytes) -> Whole | None:
        """Pass on the plain lines at the beginning of `data` as a whole, except the last screenful; `offset` is the
        offset of `data` in the output. They are final, and follow the lines that `take` then returns. If None is
        returned, nothing was passed on, and `data` must be fed.
        """
        grid = self.grid
        if self._paint is not None or self.is_within_token or not self._may_pass():
            return None
        # The line at the cursor is drawn, and so is the last screenful: later output may move up to it.
        is_begun = bool(grid.x or grid.rows[grid.y].text)
        start = data.find(b"\n") + 1 if is_begun else 0
        end = last_lines(data, grid.height, start)
        if end - start < _WORTH:
            return None
        plain = plain_lines(data[: data.rfind(b"\n") + 1], grid.cols)
        if plain is None or (plain.loose and grid.stops is not None):
            return None
        count = plain.count - grid.height - is_begun
        self.feed(data[:start])
        for row in grid.rows[: grid.y]:
            self._leave(row)
        if self._leaving:
            self._finish()
        feeds = grid.number
        number = max(feeds, self._last)
        self._last = number + count - 1
        grid.number += count
        grid.pass_rows(grid.y + count)
        kept = Plain(count, plain.before, plain.behind, loose=plain.loose)
        return Whole(number, feeds, offset, data, (start, end), kept, expander(grid.height, grid.cols))

    def _expanded(self, line: str) -> str:
        """Return a plain line with its tabs replaced by spaces."""
        return expander(self.grid.height, self.grid.cols, self.grid.stops)(line)


def expander(rows: int, cols: int, stops: set[int] | None = None) -> Callable[[str], str]:
    """Return a function that replaces tabs by spaces in a plain line, for a terminal of this size and tab stops."""

    def expand(line: str) -> str:
        if line.isascii() and line[-1] not in "\t " and stops is None:
            expanded = line.expandtabs(8)
            if len(expanded) < cols:
                return expanded
        scratch = Lines(rows, cols)
        scratch.grid.stops = stops
        scratch.feed(line.encode())
        return "".join([text for _, text in scratch.take()] + [text for _, text, _ in scratch.rest()])

    return expand
