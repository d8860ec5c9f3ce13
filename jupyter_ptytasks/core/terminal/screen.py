"""The screen: serializes a terminal's normal screen and scrollback in few bytes.

The invariant: a freshly reset terminal of the same size that is fed `draw` and `finish` has the same rows, looks,
cursor and modes as one that was fed the output itself. Tokens without cells (prompt marks) stay at their position,
except images, which no viewer here shows; for titles, palette colors and progress, the last ones are kept.
"""

from __future__ import annotations

import re
from collections import deque

from . import pen as pens
from .cells import HALF, NULL, Row
from .controls import Controls
from .drawing import UNSURE, Drawing
from .grid import Grid
from .modes import TerminalModes
from .paint import Paint
from .restore_modes import charsets, pen_and_link, transition

#: Additional rows that are kept besides one for each line, since long lines take several.
_MORE_ROWS = 1000
_PLAIN = (b"", b"")
#: Sets or resets palette colors: they are not part of the modes, and not restored by a reset.
_PALETTE = re.compile(rb"\x1b\](?:4|5|1[0-9]|104|105|11[0-9])(?:;[^\x00-\x1f\x7f?]*)?(?:\x07|\x1b\\)")


class Screen(Drawing):
    """Draws a terminal's output from its reset on, and keeps the last `lines` lines."""

    __slots__ = ("_lasting", "_left", "_lines", "_paint", "_palette")

    def __init__(self, rows: int, cols: int, lines: int) -> None:
        self._paint = Paint()
        self._lines = lines
        self._left: deque[Row] = deque(maxlen=lines + _MORE_ROWS)
        self._palette: dict[bytes, bytes] = {}
        self._lasting: dict[bytes, bytes] = {}
        grid = Grid(rows, cols, self._left.append, 0, keeps_looks=True)
        grid.cleared = self._left.clear
        super().__init__(grid, Controls(grid, self._paint, self._take_string))

    def would_pass(self, modes: bytes) -> bool:
        """Process sequences that set modes, and return whether plain lines then only scroll the screen."""
        self.feed(modes)
        return self._may_pass()

    @property
    def height(self) -> int:
        """The number of rows, including those that were scrolled out."""
        return len(self._left) + self._used()

    def _used(self) -> int:
        """The number of rows of the screen to draw: up to the cursor, or to the last text below it."""
        grid = self.grid
        count = len(grid.rows)
        if not grid.top:
            while count > grid.y + 1 and grid.rows[count - 1].is_blank:
                count -= 1
        return count

    # -- input --------------------------------------------------------------------------------------------------------

    def _take_string(self, token: str) -> None:
        if not token.endswith(("\x07", "\x1b\\")):
            token += "\x1b\\"
        data = token.encode()
        command = data[2:].partition(b";")[0] if data[1:2] == b"]" else b""
        if command == b"8":
            link = data[4:].rstrip(b"\x07").removesuffix(b"\x1b\\") if data[3:4] == b";" else b""
            self._controls.take_pen(self._paint.linked(self.grid.pen, link if link.strip(b";") else b""))
        elif _PALETTE.match(data):
            key = b";".join(data[2:].rstrip(b"\x07").split(b";")[:2])
            self._palette.pop(key, None)
            self._palette[key] = data
        elif command == b"7784" or data.startswith(b"\x1b]9;4;"):
            self._lasting.pop(command, None)
            self._lasting[command] = data
        elif command not in (b"0", b"1", b"2", b"7") and not self._controls.alternate:
            self.grid.rows[self.grid.y].mark(self.grid.x, token)

    def _pass_lines(self, data: bytes, pos: int, stop: int) -> int:
        """Skip plain lines that will not be part of the result; return the offset from which they must be drawn."""
        kept = self.grid.height + self._lines + 1
        if data.count(b"\n", pos, stop) <= kept + 1:
            return self._pass_text(data, pos, stop)
        first = data.find(b"\r\n", pos, stop) + 2
        last = stop
        for _ in range(kept):
            last = data.rfind(b"\r\n", first, last)
        last += 2
        self._draw(data[pos:first].decode("utf-8", "replace"))
        self._pass(data, first, last, self.grid.y + data.count(b"\n", first, last))
        return last

    def _pass_text(self, data: bytes, pos: int, stop: int) -> int:
        """Skip the beginning of a text that fills more rows than are kept; return the offset from which to draw it."""
        grid = self.grid
        most = (self._lines + _MORE_ROWS + grid.height) * grid.cols
        start = pos + (stop - pos - most) // grid.cols * grid.cols
        skipped = data[pos:start]
        if start <= pos or b"\n" in data[start:stop]:
            return pos
        # If each byte is a cell, rows are filled as before.
        x = grid.x if skipped.isascii() and b"\x1b" not in skipped and b"\t" not in skipped else 0
        while start < stop and 0x80 <= data[start] < 0xC0:
            start += 1
        self._pass(data, pos, start, grid.y + (start - pos) // grid.cols)
        grid.x, grid.rows[0].wraps = x, True
        return start

    def _pass(self, data: bytes, start: int, end: int, rows: int) -> None:
        """Skip text that takes this many rows."""
        self._controls.take_pen(self._paint.folded(self.grid.pen, data, start, end))
        self._left.clear()
        self.grid.pass_rows(rows)

    # -- output -------------------------------------------------------------------------------------------------------

    def draw(self, limit: int) -> bytes:
        """Return about `limit` bytes that draw the last lines and the screen in a freshly reset terminal."""
        rows = [*self._left, *self.grid.rows[: self._used()]]
        parts: list[bytes] = [*self._palette.values(), *self._lasting.values()]
        size = sum(map(len, parts))
        drawn: list[bytes] = []
        behind: Row | None = None
        feeds = 0
        for row in reversed(rows):
            piece = self._row(row, behind)
            if behind is not None and not behind.wraps:
                piece += b"\r\n"
                feeds += 1
            size += len(piece)
            if feeds > self._lines or (size > limit and drawn):
                break
            drawn.append(piece)
            behind = row
        return b"".join(parts + drawn[::-1])

    def finish(self, modes: TerminalModes) -> bytes:
        """Return the bytes that follow `draw`: tab stops, saved state, the modes of `modes` and the cursor position."""
        grid = self.grid
        out: list[bytes] = []
        if grid.stops is not None:
            out.append(b"\x1b[3g" + b"".join([b"\x1b[%dG\x1bH" % (stop + 1) for stop in sorted(grid.stops)]))
        modes = modes.copy()
        modes.link = self._paint.sequence(grid.pen)[1].decode()
        since = TerminalModes()
        saved = modes.screens[0]
        x, y = grid.saved[0], min(max(grid.saved[1] - grid.top, 0), grid.height - 1)
        if (x, y) != (0, 0) or saved.saved_pen or saved.saved_charset != b"B":
            since.screens[0].saved_pen, since.screens[0].saved_charset = dict(saved.saved_pen), saved.saved_charset
            since.pen, since.charset = dict(saved.saved_pen), saved.saved_charset
            since.charsets[0] = saved.saved_charset
            parameters = pens.sequence(saved.saved_pen)
            out.append(b"\x1b[%d;%dH\x1b[0;%sm\x1b(%s\x0f\x1b7" % (y + 1, x + 1, parameters, saved.saved_charset))
        out.append(transition(since, modes, known=False))
        place = b"\x1b[%d;%%dH" % ((grid.y - grid.upper if grid.origin else grid.y) + 1)
        last = grid.x - grid.join
        text, looks = grid.rows[grid.y].text, grid.rows[grid.y].looks
        if grid.join and not grid.insert and looks[last : last + 1] == grid.pen and text[last] not in NULL + HALF:
            # The next character may combine with the last one, so that is written again.
            out.append(place % (last + 1) + grid.clusters.spell(text[last : grid.x]).encode())
            return b"".join(out)
        out.append(place % (min(grid.x, grid.cols - 1) + 1))
        if grid.x >= grid.cols:
            out.append(self._wait_to_wrap(modes))
        return b"".join(out)

    def _wait_to_wrap(self, modes: TerminalModes) -> bytes:
        """Return the bytes that put the cursor, in the last column, into the pending wrap state."""
        row, clusters = self.grid.rows[self.grid.y], self.grid.clusters
        last = self.grid.cols - 1
        if row.text[last:] in ("", NULL):
            # The text there was erased; this is reproduced only if the whole row was, with one background.
            erased = {self._paint.erased(look) for look in row.looks.ljust(last + 1, NULL)}
            if row.text.strip(NULL) or len(erased) > 1:
                return b""
            return _change((b"?", b""), self._paint.sequence(erased.pop())) + b"x\x1b[1K" + pen_and_link(modes)
        column = last - 1 if row.text[last] == HALF else last
        look = _change((b"?", b""), self._paint.sequence(row.looks[column]))
        shown = clusters.spell(row.text[column:]).encode()
        if modes.charset != b"B":
            shown = b"\x1b(B\x0f" + shown + charsets(modes)
        return b"\x1b[%dG%s%s" % (column + 1, look, shown) + pen_and_link(modes)

    def _row(self, row: Row, behind: Row | None) -> bytes:
        """Return the bytes that draw a row from its first column on, and wrap to the next row if that continues it."""
        cols, paint = self.grid.cols, self._paint
        wraps = behind is not None and behind.wraps
        text = row.text
        looks = row.looks.ljust(len(text), NULL)
        marks = list(row.marks or ())
        content = len(text.rstrip(NULL))
        out: list[bytes] = []
        drawn = _PLAIN
        pos = 0
        # A row that wraps is filled first; null cells at its end are erased once the next row has begun.
        end = content if wraps else len(text)
        while pos < end:
            while marks and marks[0][0] <= pos:
                out.append(marks.pop(0)[1].encode())
            stop = self._run_end(text, looks, pos, marks[0][0] if marks and marks[0][0] < end else end)
            if text[pos] == NULL:
                look = paint.sequence(paint.erased(looks[pos]))
                count = stop - pos
                if look != _PLAIN:
                    out.append(_change(drawn, look))
                    drawn = look
                    is_last = stop == cols and not (row.wraps and pos == 0)
                    out.append(b"\x1b[K" if is_last else b"\x1b[%dX" % count)
                if stop < end:
                    out.append(b"\x1b[%dC" % count)
            else:
                look = paint.sequence(looks[pos])
                out.append(_change(drawn, look))
                drawn = look
                out.append(self._spell(text[pos:stop]))
            pos = stop
        out += [token.encode() for _, token in marks]
        out.append(_change(drawn, _PLAIN))
        if wraps:
            assert behind is not None
            out.append(self._go_on(row, behind, content))
        return b"".join(out)

    def _run_end(self, text: str, looks: str, pos: int, end: int) -> int:
        """Return the end of the run from `pos` on with the same look, and either all or no cells null."""
        is_null, look = text[pos] == NULL, looks[pos]
        stop = pos + 1
        while stop < end and looks[stop] == look and (text[stop] == NULL) is is_null:
            stop += 1
        return stop

    def _spell(self, cells: str) -> bytes:
        """Return the text of cells; a combining mark in its own cell must not combine with the previous one."""
        clusters = self.grid.clusters
        if cells.isascii() and HALF not in cells:
            return cells.encode()
        if not UNSURE.search(cells) or not any(cell != HALF and clusters.width(cell) == 0 for cell in cells):
            return clusters.spell(cells).encode()
        shown = [("\0" if clusters.width(cell) == 0 else "") + clusters.text(cell) for cell in cells if cell != HALF]
        return "".join(shown).encode()

    def _go_on(self, row: Row, behind: Row, content: int) -> bytes:
        """Return the bytes that lead from the end of a row, with `content` non-null cells, to its continuation."""
        cols, paint = self.grid.cols, self._paint
        is_full = content == cols or (content == cols - 1 and behind.is_wide_first)
        if is_full and behind.text[:1] not in ("", NULL) and paint.erased(behind.looks[0]) == NULL:
            return b""
        # The row is filled, and a character wraps to the next one; then both are erased.
        out = [b" " * (cols - content), b"x\r\x1b[X"]
        if content < cols:
            out.append(b"\x1b[A\x1b[%dG" % (content + 1))
            looks = row.looks.ljust(cols, NULL)
            while content < cols:
                stop = self._run_end(NULL * cols, looks, content, cols)
                look = paint.sequence(paint.erased(looks[content]))
                out.append(_change((b"?", b""), look) + b"\x1b[%dX\x1b[%dC" % (stop - content, stop - content))
                content = stop
            out.append(b"\x1b[0m\x1b[B\r")
        return b"".join(out)


def _change(drawn: tuple[bytes, bytes], wanted: tuple[bytes, bytes]) -> bytes:
    """Return the sequences that lead from one look (SGR parameters and hyperlink) to another."""
    if drawn == wanted:
        return b""
    parameters, link = wanted
    change = (b"\x1b[0;%sm" % parameters if parameters else b"\x1b[0m") if parameters != drawn[0] else b""
    return change + (b"\x1b]8;%s\x1b\\" % (link or b";") if link != drawn[1] else b"")
