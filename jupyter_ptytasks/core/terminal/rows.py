"""The region: rows of the normal screen, each a list of what was written to it and is not yet covered for certain.

A write covers an older one only if the row looks the same with the older one never made: not just its cells, but the
halves of wide characters that it cut at either end, which take the pen of whoever cut them. The region gives its rows
back as output, top to bottom, with the cursor where it was.
"""

from __future__ import annotations

import re

from . import pen as pens
from .width import cells, doubt, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pen import Pen

TEXT, ERASE, ERASE_BELOW = 0, 1, 2
_UNKNOWN = -1
_ERASES_FIRST = re.compile(rb"(?:\x1b\[[0-9;:]*m|\x07)*\x1b\[0?K")

_LINK = re.compile(rb"\x1b\]8;([^\x00-\x1f\x7f;]*;[^\x00-\x1f\x7f]*)(?:\x07|\x1b\\)")
_OTHER_STRING = re.compile(rb"\x1b\](?!8;)")

_pens: dict[bytes, Pen] = {}


def pen_of(parameters: bytes, link: bytes) -> bytes:
    """A pen as it is held here: its SGR parameters, and after a bar the hyperlink, if there is one."""
    return parameters + b"|" + link if link.strip(b";") else parameters


def restored(pen: bytes, saved: bytes) -> bytes:
    """`pen` after DECRC brought back `saved`, which is no pen's hyperlink."""
    return pen_of(saved.partition(b"|")[0], pen.partition(b"|")[2])


def has_background(pen: bytes) -> bool:
    """Whether what is erased with `pen`, or made by a line feed, is not of the usual colour."""
    return "bg" in _slots(pen.partition(b"|")[0])


def after(pen: bytes, run: bytes) -> bytes:
    """The pen after `run` was written with `pen`."""
    if b"\x1b" not in run:
        return pen
    parameters, _, link = pen.partition(b"|")
    slots = dict(_slots(parameters))
    pens.fold(slots, run, 0, len(run))
    if b"\x1b]8;" in run:
        link = (_LINK.findall(run) or [link])[-1]
    return pen_of(pens.sequence(slots), link)


def _slots(parameters: bytes) -> Pen:
    known = _pens.get(parameters)
    if known is None:
        if len(_pens) > 1000:
            _pens.clear()
        known = _pens[parameters] = {}
        pens.write(known, parameters or b"0")
    return known


class Write:
    """One run of bytes put on a row, or one erasure.

    `start` is its first column; `before` and `after` are pens; `sure` is how many cells it takes for certain and
    `doubtful` what comes on top (see width), both only after `measure`.
    """

    __slots__ = ("after", "before", "doubtful", "gaps", "kind", "run", "start", "sure", "to_end", "unwraps")

    def __init__(self, kind: int, start: int, run: bytes, before: bytes, after: bytes) -> None:
        self.kind = kind
        self.start = start
        self.run = run
        self.before = before
        self.after = after
        self.sure = _UNKNOWN
        self.doubtful = ""
        self.gaps = False  # tabs skip cells
        self.to_end = kind != TEXT  # erases to the end of the row
        self.unwraps = kind != TEXT and start == 0  # erasing from column 0 ends a row's being a continuation

    def measure(self, cols: int) -> int:
        """The most columns that it can reach, counted from the row's beginning."""
        start = self.start
        if self.sure == _UNKNOWN and self.kind == TEXT:
            text = text_of(self.run)
            if "\t" in text:
                self.gaps = True
                self.sure, self.doubtful = _tabulated(text, start, cols)
            else:
                self.sure, self.doubtful = cells(text)
            self.to_end = b"K" in self.run and (b"\x1b[K" in self.run or b"\x1b[0K" in self.run)
            self.unwraps = start == 0 and _ERASES_FIRST.match(self.run) is not None
        return start + self.sure + doubt(self.doubtful)

    @property
    def sticky(self) -> bool:
        """Whether it does more than change cells, so that it must stay."""
        return b"\x1b]" in self.run and _OTHER_STRING.search(self.run) is not None

    def covers(self, old: Write, *, wrapped: bool) -> bool:
        """Whether the row looks the same without `old`, which this one follows; both are measured."""
        if old.sticky or old.kind > self.kind or (wrapped and old.unwraps and not self.unwraps):
            return False
        if self.kind != TEXT:
            # An erasure cuts a wide character with its own colours: at the same column only an equal one will do.
            same = old.kind != TEXT and old.start == self.start and old.before == self.before
            return self.start == 0 or old.start > self.start or same
        if self.gaps or old.kind != TEXT:
            return False
        if self.start > old.start or (self.start == old.start > 0 and self.before != old.before):
            return False
        return self.to_end or (not old.to_end and self._reaches_over(old))

    def _reaches_over(self, old: Write) -> bool:
        end, old_end = self.start + self.sure, old.start + old.sure
        if self.doubtful == old.doubtful:
            return end > old_end or (end == old_end and self.after == old.after)
        return end > old_end + doubt(old.doubtful)


def _tabulated(text: str, start: int, cols: int) -> tuple[int, str]:
    """As `cells`, for text with tabs, at the stops that a terminal begins with."""
    column = start
    for index, part in enumerate(text.split("\t")):
        if index and column < cols:
            column = min(column // 8 * 8 + 8, cols - 1)
        sure, doubtful = cells(part)
        if doubtful:
            return cols + 1, ""
        column += sure
    return column - start, ""


class Region:
    """Rows that were visited since they became known, the cursor among them, and the output made of what came before.

    The cursor is in row `row`. It is in column `x` (`cols`: waiting to wrap), or, where `natural`, just where the last
    write of the row left it, if there is one; `x` is None until `locate` finds it out, and stays None where it cannot.
    `pen` is in force there. All rows but the first were reached by a line feed.
    """

    __slots__ = (
        "_column",
        "_drawn",
        "_lines",
        "cols",
        "lasting",
        "natural",
        "out",
        "pen",
        "row",
        "rows",
        "wrapped",
        "x",
    )

    def __init__(self, cols: int) -> None:
        self.cols = cols
        self.out: list[bytes] = []
        self.lasting: dict[bytes, bytes] = {}  # what touches no cells and replaces what was said before: title, modes
        self.begin(0, b"")
        self.wrapped = False

    def begin(self, x: int | None, pen: bytes) -> None:
        """Forgets all rows but the cursor's, of which nothing is known; `out` ends with the cursor and the pen so."""
        self.x = self._column = x
        self.pen = self._drawn = pen
        self.rows: list[list[Write]] = [[]]
        self.row = 0
        self.natural = True
        self._lines = False  # whether there are lines that were not yet measured
        self.wrapped = True  # whether the first row may be a continuation of the one above

    def locate(self) -> int | None:
        """The cursor's column, None where it is in doubt."""
        row = self.rows[self.row]
        if self.x is None and self.natural and row:
            last = row[-1]
            last.measure(self.cols)
            if not last.doubtful:
                self.x = last.start + last.sure
        return self.x

    def write(self, run: bytes) -> bool:
        """Puts text at the cursor, or returns False: it may be more than the row can take."""
        row = self.rows[self.row]
        pen = after(self.pen, run)
        if self.natural and row:
            last: Write | None = row[-1]
            assert last is not None
            write = Write(TEXT, last.start, last.run + run, last.before, pen)
        elif self.x is None:
            return False
        else:
            last = None
            write = Write(TEXT, self.x, run, self.pen, pen)
        # A cell takes a byte or more, so that short runs need no measuring.
        if (write.start + len(write.run) > self.cols or b"\t" in run) and write.measure(self.cols) > self.cols:
            return False
        if last is None:
            row.append(write)
        else:
            row[-1] = write
        self.pen = pen
        self.x = None
        self.natural = True
        return True

    def write_line(self, run: bytes) -> None:
        """Puts a whole line in an empty row; that it fits is for `find_overlong` to see, if it ever matters."""
        pen = after(self.pen, run) if b"\x1b" in run else self.pen
        self.rows[self.row].append(Write(TEXT, 0, run, self.pen, pen))
        self.pen = pen
        self._lines = True

    def find_overlong(self) -> int:
        """The number of rows up to the last one that takes more than one row of the screen, or may."""
        if self._lines:
            self._lines = False
            for index in range(len(self.rows) - 1, -1, -1):
                for write in self.rows[index]:
                    if write.measure(self.cols) > self.cols:
                        return index + 1
        return 0

    def erase(self, kind: int, start: int, run: bytes) -> None:
        """Erases from `start` to the end of the cursor's row, by the bytes `run`; the cursor's column is known."""
        row = self.rows[self.row]
        row.append(Write(kind, start, run, self.pen, self.pen))
        self.natural = False
        self.settle()

    def erase_below(self, run: bytes) -> None:
        """ED 0 at the known column `x`: this row from the cursor on, the rows below it, and all below the region."""
        last = len(self.rows) - 1
        row, x = self.row, self.x
        assert x is not None
        for self.row in range(row, last + 1):
            start = x if self.row == row else 0
            self.erase(ERASE_BELOW, start, run) if self.row == last else self.erase(ERASE, start, b"\x1b[K")
        self.row = row

    def settle(self) -> None:
        """Drops what the last write of the cursor's row covers."""
        row = self.rows[self.row]
        if len(row) < 2:
            return
        last = row[-1]
        last.measure(self.cols)
        wrapped = self.wrapped and self.row == 0
        kept = []
        for old in row[:-1]:
            old.measure(self.cols)
            if not last.covers(old, wrapped=wrapped):
                kept.append(old)
        row[:-1] = kept

    def go_to(self, x: int) -> None:
        """Moves the cursor to column `x` of its row."""
        self.settle()
        self.x = x
        self.natural = False

    def line_feed(self) -> None:
        """Goes to the beginning of the next row, which is made where there is none yet."""
        self.settle()
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append([])
        self.x = 0
        self.natural = False

    def commit(self, count: int) -> None:
        """Puts out the first `count` rows, all above the cursor's, for good."""
        for row in self.rows[:count]:
            self._put(row)
            self._next_line()
        del self.rows[:count]
        self.row -= count
        self.wrapped = False

    def flush(self) -> None:
        """Puts out all rows, and the cursor where it is."""
        last = len(self.rows) - 1
        for index, row in enumerate(self.rows):
            self._put(row)
            if index < last:
                self._next_line()
        here = self.rows[self.row]
        if self.row < last:
            self.out.append(b"\x1b[%dA" % (last - self.row))
        if not self.natural:
            assert self.x is not None
            self.out.append(b"\x1b[%dG" % (self.x + 1) if self.x else b"\r")
        elif self.row < last:
            # The end of a row, or a doubtful column: no sequence leads there but writing the same once more.
            self._column = None
            self._put(here[-1:])
        self._draw(self.pen)
        self.out += self.lasting.values()
        self.lasting.clear()
        self.begin(self.x, self.pen)

    def _put(self, row: list[Write]) -> None:
        for write in row:
            if write.start != self._column:
                self.out.append(b"\x1b[%dG" % (write.start + 1) if write.start else b"\r")
            self._draw(write.before)
            self.out.append(write.run)
            self._drawn = write.after
            self._column = write.start if write.kind != TEXT else None

    def _next_line(self) -> None:
        # The rows that a line feed makes take the background of the pen: all here were made without one.
        if has_background(self._drawn):
            self._draw(b"")
        self.out.append(b"\r\n")
        self._column = 0

    def _draw(self, pen: bytes) -> None:
        if pen != self._drawn:
            parameters, _, link = pen.partition(b"|")
            self.out.append(b"\x1b[0;%sm" % parameters if parameters else b"\x1b[0m")
            if link != self._drawn.partition(b"|")[2]:
                self.out.append(b"\x1b]8;%s\x1b\\" % (link or b";"))
            self._drawn = pen
