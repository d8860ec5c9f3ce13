"""Drawing: from a terminal's bytes, in any chunks, to text and tokens that are drawn on a grid."""

from __future__ import annotations

import re
from functools import lru_cache

from .cells import PRIVATE
from .controls import KEEPS, LEFT
from .lazy import lazy
from .tokens import LASTING, TOKEN
from .vt import complete, seven_bit
from .wcwidth import WIDE, ZERO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .controls import Controls
    from .grid import Grid

#: Maximum size of an incomplete token in bytes; terminals ignore longer ones.
_LONGEST_PENDING = 4096
#: Bytes drawn at a time, between two searches for lines that need not be drawn.
_HELPING = 1 << 13
#: The end of a run of plain lines (text, tabs, colors, and erasing to the right): a control character that is neither
#: part of CR LF nor the ESC of one of these sequences.
_NEWS = re.compile(
    rb"[\x00-\x08\n-\x1f\x7f]"
    rb"(?:(?<![\n\r\x1b])|(?<=\r)(?!\n)|(?<=\n)(?<!\r\n)|(?<=\x1b)(?!\[[0-9;:]*m|\[0?K))"
)

#: Text with one cell per character: ASCII, lines and blocks of bars, dots of spinners.
_NARROW = re.compile("[ -~\u2500-\u259f\u2800-\u28ff]*")
#: Frames of a bar with such text, each overwriting the previous one.
_FRAMES = re.compile("[ -~\u2500-\u259f\u2800-\u28ff\r]*")
_FEW_FRAMES = 8
#: Characters that take no cell, or that stand for clusters.
UNSURE = lazy(f"{ZERO.pattern[:-1]}{PRIVATE}]")


class Drawing:
    """Feeds a grid. Subclasses may skip lines that need not be drawn."""

    __slots__ = ("_controls", "_pending", "grid")

    def __init__(self, grid: Grid, controls: Controls) -> None:
        self.grid = grid
        self._controls = controls
        self._pending = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the output."""
        data = seven_bit(self._pending + data if self._pending else data)
        end = complete(data)
        pos = 0
        while pos < end:
            news = _NEWS.search(data, pos, end)
            stop = news.start() if news else end
            if stop - pos > _HELPING:
                if self._may_pass():
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

    @property
    def is_within_token(self) -> bool:
        """Whether the input so far ends within an escape sequence, a string as long as an image, or a character."""
        return bool(self._pending)

    def resize(self, rows: int, cols: int) -> None:
        """Change the size of the terminal."""
        self.grid.resize(rows, cols)

    def _draw(self, text: str) -> None:
        """Draw text that does not end within a token."""
        controls, grid = self._controls, self.grid
        if text.count("\r") > _FEW_FRAMES and _FRAMES.fullmatch(text):
            text = self._without_covered(text)
        # Text and tokens alternate; text is first and last.
        pieces = TOKEN.split(self._pass_alternate(text) if controls.alternate else text)
        pieces.append("")
        at, end = 0, len(pieces)
        while at < end:
            run, token = pieces[at], pieces[at + 1]
            at += 2
            if token == "\r":  # noqa: S105  no secret
                if run and not (grid.x == 0 and self._is_covered(run, pieces[at])):
                    grid.put(run if controls.table is None else run.translate(controls.table))
                grid.x = grid.join = 0
                continue
            if run:
                grid.put(run if controls.table is None else run.translate(controls.table))
            if token == "\r\n":  # noqa: S105  no secret
                grid.x = grid.join = 0
                grid.number += 1
                grid.line_feed()
            elif token:
                said = controls.act(token)()
                if said != KEEPS:
                    grid.join = 0
                if said == LEFT:
                    at = self._pass_pieces(pieces, at)

    def _without_covered(self, text: str) -> str:
        """Return frames of a bar without those that are certainly overwritten by a later one."""
        grid, frames = self.grid, text.split("\r")
        longest = max(map(len, frames[1:]))
        if grid.insert or self._controls.table is not None or self._controls.alternate or longest > grid.cols:
            return text
        kept: list[str] = []
        widest = -1
        for frame in reversed(frames[1:]):
            if len(frame) > widest:
                kept.append(frame)
                widest = len(frame)
        self._note_covered()
        return "\r".join([frames[0], *reversed(kept)])

    def _is_covered(self, run: str, behind: str) -> bool:
        """Return whether `behind`, after a carriage return, certainly overwrites text from the first column on."""
        grid = self.grid
        if grid.insert or not 0 <= _cells(run) <= _cells(behind) <= grid.cols:
            return False
        self._note_covered()
        return True

    def _note_covered(self) -> None:
        """Mark the row of the cursor as overwritten, as drawing the text would have."""
        row = self.grid.rows[self.grid.y]
        row.over = True
        row.number = self.grid.number

    def _pass_alternate(self, text: str) -> str:
        """Skip text on the alternate screen; return the text after it has been left, or an empty text."""
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

    def _pass_pieces(self, pieces: list[str], at: int) -> int:
        """Skip text and tokens until the alternate screen is left; return that index."""
        controls = self._controls
        for place in range(at + 1, len(pieces), 2):
            token = pieces[place]
            if LASTING.match(token):
                controls.act(token)()
                if not controls.alternate:
                    return place + 1
            else:
                self.grid.number += token.count("\n")
        return len(pieces)

    def _may_pass(self) -> bool:
        """Whether plain lines only scroll the screen."""
        grid, controls = self.grid, self._controls
        return not (
            controls.alternate
            or controls.table is not None
            or grid.upper > 0
            or grid.bottom < grid.height - 1
            or grid.insert
            or not grid.wrap
            or any(row.text for row in grid.rows[grid.y + 1 :])
        )

    def _pass_lines(self, data: bytes, pos: int, stop: int) -> int:
        """Pass on plain lines, `data[pos:stop]`, without drawing them; return the offset from which to draw them."""
        del data, stop
        return pos


@lru_cache(maxsize=16)
def _cells(text: str) -> int:
    """Return how many cells text takes; -1 if it contains characters that may combine with others."""
    if text.isascii() or _NARROW.fullmatch(text):
        return len(text)
    return -1 if UNSURE.search(text) else len(text) + len(WIDE.findall(text))
