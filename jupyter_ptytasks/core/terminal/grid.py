"""The grid: the rows of a terminal's normal screen, with printing, erasing, editing and scrolling.

Everything works as in xterm.js (see cursor). It keeps only the text, or also the look of each cell.
"""

from __future__ import annotations

import re

from .cells import HALF, NULL, PARTS, PRIVATE, UNKNOWN, Row
from .cursor import Cursor
from .lazy import lazy
from .wcwidth import UNUSUAL, WIDE, ZERO, wcwidth

_NEEDS_CARE = lazy(f"{UNUSUAL.pattern[:-1]}{PRIVATE}]")
_PRIVATE = re.compile(f"[{PRIVATE}]")
_BEHIND_WIDE = lazy(f"(?<={WIDE.pattern})")


class Grid(Cursor):
    """A cursor with its rows. If looks are kept, each character gets the look of the pen."""

    __slots__ = ()

    # -- text ---------------------------------------------------------------------------------------------------------

    def put(self, run: str) -> None:
        """Print characters."""
        x, row = self.x, self.rows[self.y]
        end = x + len(run)
        if end > self.cols or self.insert or (not run.isascii() and _NEEDS_CARE.search(run)):
            self._put_any(run)
            return
        # The usual case: it fits, with one cell per character.
        self.join = 1
        self.x = end
        row.number = self.number
        if x == len(row.text):
            row.text += run
            if self._keeps_looks:
                row.looks = row.looks.ljust(x, NULL) + self.pen * len(run)
        else:
            row.write(x, run, self.pen * len(run) if self._keeps_looks else "")

    def _put_any(self, run: str) -> None:
        """Print characters that do not fit, or that do not all take one cell."""
        if run.isascii() and not self.insert:
            self._put_even(run, 1)
            return
        if self.insert or _PRIVATE.search(run):
            self._put_each(run)
            return
        if not ZERO.search(run):
            cells = HALF.join(_BEHIND_WIDE.split(run))
            if self.x + len(cells) <= self.cols:
                self._changed().write(self.x, cells, self.pen * len(cells) if self._keeps_looks else "")
                self.x += len(cells)
                self.join = 2 if cells[-1] == HALF else 1
                return
        for part in PARTS.findall(run):
            width = wcwidth(part[0])
            if width == 0 or (width == 2 and not self.wrap):
                self._put_each(part)
            else:
                self._put_even(part, width)

    def _put_even(self, run: str, width: int) -> None:
        """Print characters of the same width, which is not 0."""
        start = 0
        while True:
            room = max(self.cols - self.x, 0) // width
            if len(run) - start <= room:
                break
            if not self.wrap:
                # The last character stays in the last column.
                last = self.cols - 1
                self._set(run[: max(last - self.x, 0)], 1)
                self.x, start = last, len(run) - 1
                break
            if room:
                self._set(run[start : start + room], width)
                start += room
            self._wrap()
        self._set(run[start:], width)
        self.join = width

    def _put_each(self, run: str) -> None:
        """Print characters one by one."""
        for char in run:
            width = wcwidth(char)
            if width == 0 and self.join > 0:
                self._changed().join(self.x, char, self.clusters)
                continue
            self.join = width
            if self.x + width > self.cols:
                if self.wrap:
                    self._wrap()
                else:
                    self.x = self.cols - 1
                    if width == 2:
                        continue
            if self.x >= self.cols:
                continue
            if self.insert:
                self.insert_cells(width)
            self._set(self.clusters.cell(char) if _PRIVATE.match(char) else char, max(width, 1))

    def _set(self, run: str, width: int) -> None:
        """Write characters of the same width, which must fit, at the cursor, and move after them."""
        if run:
            cells = run if width == 1 else HALF.join(run) + HALF
            self._changed().write(self.x, cells, self.pen * len(cells) if self._keeps_looks else "")
            self.x += len(cells)

    def _wrap(self) -> None:
        """Continue in the next row, because this one is full."""
        if self.x < self.cols:
            # A wide character did not fit.
            self._changed().cut(self.x, self.cols, self.blank)
        self.x = 0
        if self.y == self.bottom:
            self.scroll(wraps=True)
            return
        self.y = min(self.y + 1, self.height - 1)
        self._arrive()
        self.rows[self.y].wraps = True

    def repeat(self, count: int) -> None:
        """REP: repeat the previous character, if nothing came in between."""
        at = self.x - self.join
        cell = self.rows[self.y].text[at : at + 1] if self.join and at >= 0 else NULL
        if cell and cell != NULL:
            # More would only scroll.
            self.put(self.clusters.text(cell) * min(count, self.cols * self.height * 2))

    # -- erasing and editing within a row -----------------------------------------------------------------------------

    def _changed(self) -> Row:
        """Return the cursor's row, which is about to be changed."""
        row = self.rows[self.y]
        row.number = self.number
        return row

    def _clear(self, first: int, end: int) -> None:
        if first < end:
            self._change_line_into(first)
        for row in self.rows[first:end]:
            row.clear(self.cols, self.blank)
            row.number = self.number

    def erase_line(self, what: int) -> None:
        """EL."""
        if self.x > self.cols or self.origin:
            self._restrict(self.cols)
        row = self._changed()
        if what == 0:
            row.cut(self.x, self.cols, self.blank)
            if self.x == 0:
                self._begin_line(self.y)
        elif what == 1:
            row.erase(0, self.x + 1, self.cols, self.blank)
        elif what == 2:
            self._clear(self.y, self.y + 1)

    def erase_display(self, what: int) -> None:
        """ED. The scrollback is cleared through `cleared`, since its rows have left."""
        self._restrict(self.cols)
        if what == 0:
            self.erase_line(0)
            self._clear(self.y + 1, self.height)
        elif what == 1:
            row = self._changed()
            row.erase(0, self.x + 1, self.cols, self.blank)
            self._begin_line(self.y)
            if self.x + 1 >= self.cols and self.top == 0 and self.y + 1 < self.height:
                # In xterm.js only where nothing was scrolled.
                self.rows[self.y + 1].wraps = False
            self._clear(0, self.y)
        elif what == 2:
            self._clear(0, self.height)
        elif what == 3:
            self._clear_scrollback()

    def erase_cells(self, count: int) -> None:
        """ECH."""
        self._restrict()
        self._changed().erase(self.x, self.x + count, self.cols, self.blank)

    def insert_cells(self, count: int) -> None:
        """ICH."""
        self._restrict()
        self._changed().insert(self.x, count, self.cols, self.clusters, self.blank)

    def delete_cells(self, count: int) -> None:
        """DCH."""
        self._restrict()
        self._changed().delete(self.x, count, self.cols, self.blank)

    def edit_columns(self, at: int, *, insert: int = 0, delete: int = 0) -> None:
        """SL, SR, DECIC and DECDC: insert or delete cells in all rows between the margins."""
        if self.upper <= self.y <= self.bottom:
            self._change_line_into(self.upper)
            for row in self.rows[self.upper : self.bottom + 1]:
                if insert:
                    # Like xterm.js after the last column.
                    row.insert(at % self.cols, insert, self.cols, self.clusters, self.blank)
                else:
                    row.delete(at % self.cols, delete, self.cols, self.blank)
                row.wraps = False
                row.number = self.number

    def fill(self) -> None:
        """DECALN."""
        self.go_to(0, 0)
        self._clear(self.y, self.height)
        for row in self.rows[self.y :]:
            row.write(0, "E" * self.cols, self.pen * self.cols if self._keeps_looks else "")
        self.go_to(0, 0)

    # -- whole rows ---------------------------------------------------------------------------------------------------

    def _new_row(self) -> Row:
        row = Row(self.number)
        if self.blank != NULL:
            row.clear(self.cols, self.blank)
            row.over = False
        return row

    def scroll(self, *, wraps: bool = False) -> None:
        """Move the rows between the margins up by one; the cursor stays."""
        row = self._new_row()
        row.wraps = wraps
        if self.upper == 0:
            self._leave_top()
        else:
            self._change_line_into(self.upper)
            number = self.rows.pop(self.upper).number
            # The row that moves there may be the end of another line. Numbers never decrease.
            self._change_line_into(self.upper)
            known = next((row for row in self.rows[self.upper :] if row.number != UNKNOWN), None)
            if known is not None:
                known.number = max(known.number, number)
        if self.bottom < self.height - 1:
            self._change_line_into(self.bottom)
        self.rows.insert(self.bottom, row)
        if self.top + self.y > self.low:
            self.low = self.top + self.y

    def pass_rows(self, count: int) -> None:
        """Begin a blank screen, `count` rows further down."""
        self.rows = [Row(self.number) for _ in range(self.height)]
        self.above = None
        self.x = self.y = 0
        self.top += count
        self.low = self.top
        self.climbs.clear()

    def insert_rows(self, count: int) -> None:
        """IL."""
        self._restrict()
        if self.upper <= self.y <= self.bottom:
            self._shift(self.y, self.bottom, -count)
            self.x = 0

    def delete_rows(self, count: int) -> None:
        """DL."""
        self._restrict()
        if self.upper <= self.y <= self.bottom:
            self._shift(self.y, self.bottom, count)
            self.x = 0

    def scroll_up(self, count: int) -> None:
        """SU. In xterm.js, the rows that it scrolls out are lost."""
        self._shift(self.upper, self.bottom, count)

    def scroll_down(self, count: int) -> None:
        """SD. In xterm.js, the new rows have no background."""
        blank, self.blank = self.blank, NULL
        self._shift(self.upper, self.bottom, -count)
        self.blank = blank

    def _shift(self, first: int, last: int, by: int) -> None:
        """Move the rows from `first` to `last` up (or, where `by` is negative, down)."""
        self._change_line_into(first)
        rows = self.rows[first : last + 1]
        blank = [self._new_row() for _ in range(min(abs(by), len(rows)))]
        kept = rows[by:] + blank if by > 0 else blank + rows[: max(len(rows) + by, 0)]
        for row in kept:
            # Their position has changed.
            if row.number != UNKNOWN:
                row.number = self.number
        self.rows[first : last + 1] = kept

    def line_feed(self) -> None:
        """LF, VT, FF."""
        if self.newline:
            self.x = 0
        elif self.x >= self.cols:
            self.x -= 1
        if self.y == self.bottom:
            self.scroll()
        elif self.y < self.height - 1:
            self.y += 1
            self._begin_line(self.y)
            self._arrive()

    def index(self) -> None:
        """IND."""
        self._restrict()
        if self.y == self.bottom:
            self.scroll()
        elif self.y < self.height - 1:
            self.y += 1
            self._arrive()
        self._restrict()

    def reverse_index(self) -> None:
        """RI."""
        self._restrict()
        if self.y == self.upper:
            self._shift(self.upper, self.bottom, -1)
        else:
            self.y = max(self.y - 1, 0)
            self._restrict()
        self.climb()
