"""The cursor: its position, its movements on the screen, and the state that affects them: margins, tab stops, modes.

It moves as in xterm.js, function by function (`InputHandler.ts` in its sources), even where xterm.js differs from other
terminals.
"""

from __future__ import annotations

from .cells import NULL, OLD, Clusters, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TAB = 8
_LEAST_COLS = 2


class Cursor:
    """A position (`x`, `y`) in `rows`, the rows of the screen from top to bottom.

    Rows that are scrolled out at the top are passed to `leave`; `cleared`, if set, is called when they are erased.
    `above` is the last of those: the top row may continue it. Every row that is changed gets the current `number`.
    `top` counts the rows that have left, and `low` is the lowest row that the cursor has been in, including these.
    `climbs` has how far the cursor moved up, and from where. If looks are kept, `pen` is the look of printed text, and
    `blank` that of erased cells.
    """

    __slots__ = (
        "_keeps_looks",
        "_leave",
        "above",
        "blank",
        "bottom",
        "cleared",
        "climbs",
        "clusters",
        "cols",
        "height",
        "insert",
        "join",
        "low",
        "newline",
        "number",
        "origin",
        "pen",
        "reverse",
        "rows",
        "saved",
        "stops",
        "top",
        "upper",
        "wrap",
        "x",
        "y",
    )

    def __init__(self, rows: int, cols: int, leave: Callable[[Row], None], number: int, *, keeps_looks: bool) -> None:
        self.height = max(rows, 1)
        self.cols = max(cols, _LEAST_COLS)
        self._leave = leave
        self._keeps_looks = keeps_looks
        self.clusters = Clusters()
        self.number = number
        self.top = 0
        self.low = 0
        self.climbs: dict[int, int] = {}
        self.newline = False
        self.cleared: Callable[[], None] | None = None
        self.rows: list[Row] = []
        self.above: Row | None = None
        self.reset()

    def copy_to(self, other: Cursor) -> None:
        """Copy the state to another cursor of the same size, which keeps its `leave`."""
        for name in Cursor.__slots__:
            if name not in ("_leave", "cleared"):
                setattr(other, name, getattr(self, name))
        other.rows = [row.copy() for row in self.rows]
        other.clusters = self.clusters.copy()
        other.climbs = dict(self.climbs)
        other.stops = None if self.stops is None else set(self.stops)

    def reset(self) -> None:
        """RIS: a blank screen, and all modes reset except LNM, which xterm.js does not reset."""
        self._clear_scrollback()
        if not self.rows or self.low or any(row.text or row.over or row.wraps or row.marks for row in self.rows):
            if self.rows:
                self._change_line_into(0)
            self.rows = [Row(self.number) for _ in range(self.height)]
        self.x = 0
        self.y = 0
        self.stops: set[int] | None = None
        self.soft_reset()
        self.climb()

    def _clear_scrollback(self) -> None:
        if self.cleared is not None:
            self.top = 0
            self.cleared()

    def soft_reset(self) -> None:
        """DECSTR."""
        self.upper, self.bottom = 0, self.height - 1
        self.insert = self.origin = self.reverse = False
        self.wrap = True
        self.pen = self.blank = NULL
        self.join = 0  # the width of the previous character, if nothing came in between
        self.saved = (0, self.top)

    def forget(self, number: int) -> None:
        """Treat all rows as old (see cells), except the cursor's, which comes after `number` line feeds."""
        self.number = number
        for row in self.rows:
            row.number = min(row.number, OLD)
        self.rows[self.y].number = number
        if not self.rows[0].wraps:
            self.above = None
        self.low = self.top + self.y
        self.climbs.clear()

    def resize(self, rows: int, cols: int) -> None:
        """Change the size. Rows that do not fit at the bottom leave at the top; none come back."""
        rows, cols = max(rows, 1), max(cols, _LEAST_COLS)
        if (rows, cols) == (self.height, self.cols):
            return
        for _ in range(self.y - rows + 1):
            self._leave_top()
            self.y -= 1
        if rows < len(self.rows):
            self._change_line_into(rows)
        del self.rows[rows:]
        self.rows += [Row(self.number) for _ in range(rows - len(self.rows))]
        self.height, self.cols = rows, cols
        self.upper, self.bottom = 0, rows - 1
        self.x = min(self.x, cols - 1)
        self.stops = None

    def _restrict(self, last: int | None = None) -> None:
        last = self.cols - 1 if last is None else last
        if self.x > last:
            self.x = last
        if self.origin:
            self.y = min(self.bottom, max(self.upper, self.y))

    def go_to(self, x: int, y: int) -> None:
        """Go to a position on the screen; in origin mode, rows are counted from the upper margin."""
        if self.origin:
            y = min(self.bottom, max(self.upper, self.upper + y))
        elif not 0 <= y < self.height:
            y = self.height - 1 if y > 0 else 0
        self.x = x if 0 <= x < self.cols else self.cols - 1 if x > 0 else 0
        before, self.y = self.y, y
        if y < before:
            self.climb()
        elif y > before:
            self._arrive()

    def move(self, x: int, y: int) -> None:
        """Move relatively, like xterm.js, which in origin mode adds the margin a second time."""
        self._restrict()
        self.go_to(self.x + x, self.y + y)

    def up(self, count: int) -> None:
        """CUU: not beyond the upper margin, unless it begins above."""
        above = self.y - self.upper
        self.move(0, -min(above, count) if above >= 0 else -count)

    def down(self, count: int) -> None:
        """CUD."""
        below = self.bottom - self.y
        self.move(0, min(below, count) if below >= 0 else count)

    def climb(self) -> None:
        """Note that the cursor has moved up: the rows from here on are likely to be redrawn."""
        self.climbs[self.low - self.top - self.y] = self.low

    def back(self) -> None:
        """BS; with reverse wraparound also to the row above, if this one is its continuation."""
        if not self.reverse:
            self._restrict()
            self.x = max(self.x - 1, 0)
            return
        self._restrict(self.cols)
        if self.x > 0:
            self.x -= 1
        elif self.upper < self.y <= self.bottom and self.rows[self.y].wraps:
            self._begin_line(self.y)
            self.y -= 1
            self.x = self.cols - 1
            if self.rows[self.y].text[self.x : self.x + 1] in ("", NULL):
                self.x -= 1
            self.climb()
        self._restrict()

    def tab(self, count: int = 1) -> None:
        """HT, CHT: to the next stop, and never into the next row."""
        if self.x >= self.cols:
            return
        last = self.cols - 1
        for _ in range(min(count, self.cols)):
            if self.stops is None:
                self.x = min(self.x // _TAB * _TAB + _TAB, last)
            else:
                self.x = min((stop for stop in self.stops if stop > self.x), default=last)
                self.x = min(self.x, last)

    def back_tab(self, count: int) -> None:
        """CBT."""
        if self.x >= self.cols:
            return
        for _ in range(min(count, self.cols)):
            if self.stops is None:
                self.x = max((self.x - 1) // _TAB * _TAB, 0)
            else:
                self.x = max((stop for stop in self.stops if stop < self.x), default=0)

    def set_stop(self, *, on: bool) -> None:
        """HTS, TBC."""
        if self.stops is None:
            self.stops = set(range(0, self.cols, _TAB))
        (self.stops.add if on else self.stops.discard)(self.x)

    def clear_stops(self, what: int) -> None:
        """TBC."""
        if what == 3:
            self.stops = set()
        elif what == 0:
            self.set_stop(on=False)

    def set_margins(self, upper: int, bottom: int) -> None:
        """DECSTBM, counted from 1; 0 is the last row."""
        upper = upper or 1
        if bottom == 0 or bottom > self.height:
            bottom = self.height
        if bottom > upper:
            self.upper, self.bottom = upper - 1, bottom - 1
            self.go_to(0, 0)

    def save(self) -> None:
        """DECSC, the position only."""
        self.saved = (self.x, self.top + self.y)

    def restore(self) -> None:
        """DECRC."""
        before = self.y
        self.x = self.saved[0]
        self.y = min(max(self.saved[1] - self.top, 0), self.height - 1)
        self._restrict()
        if self.y < before:
            self.climb()
        elif self.y > before:
            self._arrive()

    def _leave_top(self) -> None:
        self.above = self.rows.pop(0)
        self._leave(self.above)
        self.top += 1

    def _change_line_into(self, y: int) -> None:
        """Note a change of the line that continues into row `y` from above, if there is one."""
        if self.rows[y].wraps:
            above = self.rows[y - 1] if y else self.above
            if above is not None:
                above.number = self.number

    def _begin_line(self, y: int) -> None:
        """Let row `y` begin a line. If it continued the line above, that line is changed, too."""
        self._change_line_into(y)
        self.rows[y].wraps = False

    def _arrive(self) -> None:
        """Note that the cursor has entered a row from above: the first time, a line begins here."""
        low = self.top + self.y
        if low > self.low:
            self.low = low
            self.rows[self.y].number = self.number
