"""Lines: what a terminal shows, as lines of text, from the bytes that it is fed, however these are cut.

A line is what stands there in the end, on the screen or scrolled out of it: text that was overwritten, erased or drawn
on the alternate screen is none, nor is the data of titles, links and pictures, and a line that was too long for the
screen is still one line. The judge is xterm.js (tests/contract/lines.json, tests/oracle).

The number of a line is the number of line feeds before it was last written in. So numbers never fall, are those of the
ring as long as a program only appends, and leave out what was drawn over; lines that were drawn without a line feed
between them have the same one.
"""

from __future__ import annotations

import re

from .cells import NULL, Row
from .controls import KEEPS, LASTING, LEFT, TOKEN, Controls
from .grid import Grid
from .paint import Paint
from .vt import complete, seven_bit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes of an incomplete token that are kept; of a longer one no terminal makes more.
_LONGEST_PENDING = 4096
#: Bytes that are drawn at a time, between two looks for lines that need not be drawn.
_HELPING = 4096

#: What ends a stretch of plain lines, made of text, tabs, colours, and erasing to the right.
_NEWS = re.compile(
    rb"[\x00-\x08\n-\x1f\x7f](?:(?<![\n\r\x1b])|(?<=\r)(?!\n)|(?<=\n)(?<!\r\n)|(?<=\x1b)(?!\[[0-9;:]*m|\[0?K))"
)
_INVISIBLE = re.compile(rb"\x1b\[[0-9;:]*[mK]")


def lines_of(data: bytes, rows: int = 24, cols: int = 80) -> list[str]:
    """Return the lines of a terminal of this size that is fed `data`; the last one is its cursor's, or below."""
    lines = Lines(rows, cols)
    lines.feed(data)
    return [text for _, text in lines.take()] + [text for _, text, _ in lines.rest()]


class Lines:
    """Takes a terminal's output and gives its lines: those that have left the screen by `take`, all others by `rest`.

    `number` counts the line feeds before what is fed, `fresh` says that the terminal shows nothing before: else there
    is text above that is not known, and none of it is given unless it is written to. With `paint` lines have colors.
    """

    __slots__ = ("_controls", "_done", "_last", "_leaving", "_paint", "_pending", "grid")

    def __init__(self, rows: int, cols: int, *, number: int = 0, fresh: bool = True, paint: bool = False) -> None:
        self._paint = Paint() if paint else None
        self._done: list[tuple[int, str]] = []
        self._leaving: list[Row] = []  # those of a line that has not left as a whole
        self._last = -1
        self._pending = b""
        self.grid = grid = Grid(rows, cols, self._leave, number if fresh else -1, keeps_pens=paint)
        grid.number = number
        if not fresh:
            grid.y = grid.height - 1
            grid.forget(number)
        self._controls = Controls(grid, self._paint)

    @property
    def number(self) -> int:
        """The line feeds before the end of what was fed."""
        return self.grid.number

    @property
    def is_within_token(self) -> bool:
        """Whether what was fed ends within an escape sequence, a string as long as a picture, or a character."""
        return bool(self._pending)

    def forget(self, number: int) -> None:
        """Give no line so far, unless it is written to again; `number` line feeds came before what comes next."""
        self._done.clear()
        self._leaving.clear()
        self._last = -1
        self.grid.forget(number)

    def resize(self, rows: int, cols: int) -> None:
        """The terminal has this size from here on."""
        self.grid.resize(rows, cols)

    # -- what comes out -----------------------------------------------------------------------------------------------

    def take(self) -> list[tuple[int, str]]:
        """Return the lines (number and text) that have left the screen since this was last called: they are final."""
        done, self._done = self._done, []
        return done

    def rest(self) -> list[tuple[int, str, bool]]:
        """Return the other lines, as they are now: number, text, and whether it is likely to stay so.

        The last one is that of the cursor, unless there is something below it.
        """
        grid = self.grid
        count = len(grid.rows)
        while count > grid.y + 1 and not grid.rows[count - 1].text.strip(NULL + " "):
            count -= 1
        steady = self._steady()
        found: list[tuple[int, str, bool]] = []
        last = self._last
        for at, line in self._logical(self._leaving + grid.rows[:count]):
            number = max(last, *(row.number for row in line))
            if number >= 0:
                last = number
                found.append((number, self._spell(line), at + len(line) - len(self._leaving) <= steady))
        return found

    def _steady(self) -> int:
        """Return how many rows are likely to stay as they are: those above the cursor, and above where it went up to
        before the screen had moved on by as much.
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
        """Return rows as lines: where each begins, and its rows."""
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
        """The line of the rows that have left is complete."""
        line = self._leaving
        number = line[0].number if len(line) == 1 else max(row.number for row in line)
        if number < self._last:
            number = self._last
        if number >= 0:
            self._last = number
            self._done.append((number, self._spell(line)))
        self._leaving = []

    def _spell(self, line: list[Row]) -> str:
        """Return the text of a line that takes these rows."""
        row = line[0]
        over = row.over
        text, pens = row.text, row.pens
        cols = self.grid.cols
        if len(line) > 1:
            over = any(row.over for row in line)
            parts, looks = [], []
            for row, behind in zip(line, [*line[1:], None]):
                text = row.text
                if behind is not None:
                    text = text.rstrip(NULL)
                    # A wide character that found no room in the last column left it empty.
                    early = len(text) < cols and behind.is_wide_first
                    text = text.ljust(cols - early, NULL)
                parts.append(text)
                looks.append(row.pens[: len(text)].ljust(len(text), NULL) if self._paint else "")
            text, pens = "".join(parts), "".join(looks)
        if self._paint is not None:
            return self._coloured(text, pens, over=over)
        return self.grid.clusters.spell(text.rstrip(NULL + " ") if over else text.rstrip(NULL))

    def _coloured(self, text: str, pens: str, *, over: bool) -> str:
        paint = self._paint
        assert paint is not None
        end = len(text.rstrip(NULL))
        core = end
        while (
            core and text[core - 1] in NULL + " " and not (text[core - 1] == " " and paint.shows_blanks(pens[core - 1]))
        ):
            core -= 1
        if NULL in text[:core]:
            pens = "".join([NULL if char == NULL else pen for char, pen in zip(text, pens)])
        runs = []
        start = 0
        while start < core:
            pen = pens[start]
            stop = start + 1
            while stop < core and pens[stop] == pen:
                stop += 1
            runs.append((pen, self.grid.clusters.spell(text[start:stop])))
            start = stop
        if not over:
            # Blanks that nobody sees, but that were written.
            runs.append((NULL, self.grid.clusters.spell(text[core:end])))
        return paint.text(runs)

    # -- what goes in -------------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the output."""
        data = seven_bit(self._pending + data if self._pending else data)
        end = complete(data)
        pos = 0
        while pos < end:
            news = _NEWS.search(data, pos, end)
            stop = news.start() if news else end
            if stop - pos > _HELPING:
                pos = self._pass_lines(data, pos, stop)
                cut = stop
            else:
                cut = pos
                helping = _HELPING
                while cut == pos < end:
                    part = data[pos : min(pos + helping, end)]
                    cut = pos + (complete(part) if pos + helping < end else len(part))
                    helping *= 4
            self._draw(data[pos:cut].decode("utf-8", "replace"))
            pos = cut
        self._pending = data[end:]
        if len(self._pending) > _LONGEST_PENDING:
            # It may end with the first half of ST.
            half = b"\x1b" if data.endswith(b"\x1b") else b""
            self.grid.number += data.count(b"\n", end + _LONGEST_PENDING)
            self._pending = data[end : end + _LONGEST_PENDING] + half

    def _draw(self, text: str) -> None:
        """Draw text that ends where a token does."""
        controls, grid = self._controls, self.grid
        pieces = iter(TOKEN.split(self._pass_alternate(text) if controls.alternate else text))
        for run in pieces:
            if run:
                grid.put(run if controls.table is None else run.translate(controls.table))
            token = next(pieces, "")
            if token == "\r\n":  # noqa: S105  no secret
                grid.x = grid.join = 0
                grid.number += 1
                grid.line_feed()
            elif token:
                said = controls.act(token)()
                if said != KEEPS:
                    grid.join = 0
                if said == LEFT:
                    self._pass_pieces(pieces)

    def _pass_alternate(self, text: str) -> str:
        """Pass over what is drawn on the alternate screen; return what follows when it has been left, or nothing."""
        controls = self._controls
        pos = 0
        while controls.alternate:
            found = LASTING.search(text, pos)
            self.grid.number += text.count("\n", pos, found.start() if found else len(text))
            token = TOKEN.match(text, found.start()) if found else None
            if token is None:
                return ""
            pos = token.end()
            controls.act(token[0])()
        return text[pos:]

    def _pass_pieces(self, pieces: Iterator[str]) -> None:
        """Pass over text and tokens in turn, until the alternate screen is left."""
        controls = self._controls
        for _ in pieces:
            token = next(pieces, "")
            if LASTING.match(token):
                controls.act(token)()
                if not controls.alternate:
                    return
            else:
                self.grid.number += token.count("\n")

    def _pass_lines(self, data: bytes, pos: int, stop: int) -> int:
        """Pass plain lines on without drawing them, but for as many as the screen holds; return where to draw on."""
        grid, controls = self.grid, self._controls
        height = grid.height
        if (
            self._paint is not None
            or controls.alternate
            or controls.table is not None
            or grid.upper > 0
            or grid.bottom < height - 1
            or grid.insert
            or not grid.wrap
            or data.count(b"\n", pos, stop) <= height + 2
            or any(row.text for row in grid.rows[grid.y + 1 :])
        ):
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
            body = _INVISIBLE.sub(b"", body)
        lines = body.decode("utf-8", "replace").split("\r\n")
        if b"\t" in body:
            lines = [self._expanded(line) if "\t" in line else line for line in lines]
        number = max(grid.number, self._last)
        self._done += zip(range(number, number + len(lines)), lines)
        self._last = number + len(lines) - 1
        grid.number += len(lines)
        grid.pass_rows(grid.y + len(lines))
        return last + 2

    def _expanded(self, line: str) -> str:
        """Return a plain line with blanks for its tabs."""
        if line.isascii() and line[-1] not in "\t " and self.grid.stops is None:
            expanded = line.expandtabs(8)
            if len(expanded) < self.grid.cols:
                return expanded
        scratch = Lines(self.grid.height, self.grid.cols)
        scratch.grid.stops = self.grid.stops
        scratch.feed(line.encode())
        return "".join([text for _, text in scratch.take()] + [text for _, text, _ in scratch.rest()])
