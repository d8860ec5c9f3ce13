"""Cells: one row of a screen as a string with a character for each cell, and how it is written to and edited.

What happens to the halves of wide characters is what xterm.js does (`BufferLine.ts` of its sources).
"""

from __future__ import annotations

import re

from .wcwidth import WIDE, ZERO, wcwidth

#: A cell that nothing was written to, or that was erased, and the second half of a wide character.
NULL = "\0"
HALF = "\1"

_FIRST = 0x100000
_MOST = 0xFFFE
_LONGEST = 64
#: The characters that Unicode leaves to private use and nobody is known to print: here they stand for clusters.
PRIVATE = f"{chr(_FIRST)}-\U0010ffff"
_CLUSTER = re.compile(f"[{PRIVATE}]")


class Clusters:
    """Characters with their combining marks, each of which is one cell and stands in rows as one character."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: list[str] = []

    def cell(self, text: str) -> str:
        """Return the cell that stands for `text`, a null where there are too many."""
        if len(self._known) >= _MOST:
            return NULL
        self._known.append(text)
        return chr(_FIRST + len(self._known) - 1)

    def joined(self, cell: str, mark: str) -> str:
        """Return `cell` with a combining mark more; there is an end to how many it takes."""
        if cell == NULL:
            return mark
        base = self.text(cell)
        return self.cell(base + mark) if len(base) < _LONGEST and len(self._known) < _MOST else cell

    def text(self, cell: str) -> str:
        """Return the character of a cell that is not null."""
        return self._known[ord(cell) - _FIRST] if cell >= chr(_FIRST) else cell

    def width(self, cell: str) -> int:
        """Return how many cells a cell's character takes."""
        return wcwidth(self.text(cell)[0])

    def spell(self, cells: str) -> str:
        """Return the text of cells: blanks for nulls, clusters in full."""
        text = cells.replace(NULL, " ")
        if text.isascii() and HALF not in text:
            return text
        text = text.replace(HALF, "")
        return _CLUSTER.sub(lambda match: self._known[ord(match[0]) - _FIRST], text) if self._known else text


class Row:
    """One row: `text` with a character for each cell, `pens` with the look of each (empty where nobody wants to know).

    To the right of its text there are nulls. `wraps` says that it goes on the row above, `number` is that of the line
    feed it was last written behind, `over` says that something was written over in it, or erased.
    """

    __slots__ = ("number", "over", "pens", "text", "wraps")

    def __init__(self, number: int, *, wraps: bool = False) -> None:
        self.text = ""
        self.pens = ""
        self.wraps = wraps
        self.number = number
        self.over = False

    def write(self, x: int, cells: str, pens: str) -> None:
        """Put cells from column `x` on; pens are empty, or as many."""
        end = x + len(cells)
        text = self.text
        self.over = self.over or x < len(text)
        before, behind = text[:x], text[end:]
        if text[x : x + 1] == HALF:
            before = before[:-1] + NULL
        if behind[:1] == HALF:
            behind = NULL + behind[1:]
        self.text = before.ljust(x, NULL) + cells + behind
        if pens:
            self.pens = self.pens[:x].ljust(x, NULL) + pens + self.pens[end:]

    def join(self, x: int, mark: str, clusters: Clusters) -> None:
        """Add a combining mark to the character before column `x`."""
        text = self.text
        at = x - 1
        if text[at : at + 1] == HALF:
            at -= 1
        if 0 <= at < len(text):
            self.text = text[:at] + clusters.joined(text[at], mark) + text[at + 1 :]

    def clear(self) -> None:
        """Erase all of it; it goes on nothing any more."""
        self.text = self.pens = ""
        self.wraps = False
        self.over = True

    def cut(self, start: int) -> None:
        """Erase the cells from `start` on."""
        text = self.text
        self.over = True
        if start < len(text):
            self.text = text[: start - 1] + NULL if text[start] == HALF and start else text[:start]
            self.pens = self.pens[:start]

    def blank(self, start: int, end: int) -> None:
        """Erase the cells from `start` up to, not including, `end`."""
        if end >= len(self.text):
            self.cut(start)
        else:
            self.write(start, NULL * (end - start), NULL * (end - start) if self.pens else "")
            self.over = True

    def insert(self, at: int, count: int, cols: int, clusters: Clusters) -> None:
        """Insert nulls at column `at`; what is pushed out of the row is gone."""
        count = min(count, cols - at)
        text = self.text.ljust(at, NULL)
        before, behind = text[:at], text[at : cols - count]
        if behind[:1] == HALF:
            # So cut, neither half is anything.
            before, behind = before[:-1] + NULL, NULL + behind[1:]
        text = before + NULL * count + behind
        if len(text) == cols and text[-1] not in NULL + HALF and clusters.width(text[-1]) == 2:
            text = text[:-1] + NULL
        self.text = text
        if self.pens:
            pens = self.pens.ljust(at, NULL)
            self.pens = pens[:at] + NULL * count + pens[at : cols - count]
        self.over = True

    def delete(self, at: int, count: int) -> None:
        """Take cells out at column `at`; what follows moves up."""
        text = self.text
        before, behind = text[:at], text[at + count :]
        if before and text[at : at + 1] == HALF:
            before = before[:-1] + NULL
        if behind[:1] == HALF:
            behind = NULL + behind[1:]
        self.text = before + behind
        self.pens = self.pens[:at] + self.pens[at + count :]
        self.over = True

    @property
    def is_wide_first(self) -> bool:
        """Whether it begins with a wide character."""
        return self.text[1:2] == HALF


#: Characters of one width in a row: those that take no cell, two, or one.
PARTS = re.compile(f"{ZERO.pattern}+|(?:{WIDE.pattern})+|(?:(?!{ZERO.pattern}|{WIDE.pattern}).)+", re.DOTALL)
