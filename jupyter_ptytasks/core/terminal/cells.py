"""Cells: one row of a screen as a string with a character for each cell, with operations for writing and editing.

The halves of wide characters are handled as in xterm.js (`BufferLine.ts` in its sources).
"""

from __future__ import annotations

import re

from .lazy import lazy
from .wcwidth import UNUSUAL, WIDE, ZERO, wcwidth

#: A cell that was never written or was erased, and the second half of a wide character.
NULL = "\0"
HALF = "\1"
#: The number of a row that was not written since `Cursor.forget`, and of one whose text was never known, either.
OLD, UNKNOWN = -1, -2

_FIRST = 0x100000
_MOST = 0xFFFE
_LONGEST = 64
#: Maximum number of marks in a row, and of characters in one: enough for prompts and the like, but not for images.
_MOST_MARKS = 32
_LONGEST_MARK = 1024
#: Private use characters that no known program prints: here they stand for clusters.
PRIVATE = f"{chr(_FIRST)}-\U0010ffff"
_CLUSTER = re.compile(f"[{PRIVATE}]")


class Clusters:
    """Characters with combining marks, each represented in a row by one character for its cell."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: list[str] = []

    def copy(self) -> Clusters:
        """Return an independent copy."""
        other = Clusters()
        other._known = list(self._known)
        return other

    def cell(self, text: str) -> str:
        """Return the cell that stands for `text`, a null if there are too many."""
        if len(self._known) >= _MOST:
            return NULL
        self._known.append(text)
        return chr(_FIRST + len(self._known) - 1)

    def joined(self, cell: str, mark: str) -> str:
        """Return `cell` with another combining mark, up to a maximum."""
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
    """One row: `text` with a character for each cell, `looks` with the look of each (empty if not wanted).

    The cells to the right of its text are null. `wraps` says that it continues the row above, `number` counts the line
    feeds before it was last written (or is OLD or UNKNOWN), `over` says that text in it was overwritten or erased.
    `marks` are tokens in it that take no cell, each with its column.

    What is erased looks like `blank`: NULL, or a background.
    """

    __slots__ = ("looks", "marks", "number", "over", "text", "wraps")

    def __init__(self, number: int, *, wraps: bool = False) -> None:
        self.text = ""
        self.looks = ""
        self.wraps = wraps
        self.number = number
        self.over = False
        self.marks: list[tuple[int, str]] | None = None

    def copy(self) -> Row:
        """Return an independent copy."""
        other = Row(self.number, wraps=self.wraps)
        other.text, other.looks, other.over = self.text, self.looks, self.over
        other.marks = None if self.marks is None else list(self.marks)
        return other

    def write(self, x: int, cells: str, looks: str) -> None:
        """Write cells from column `x` on; `looks` is empty or has the same length."""
        text = self.text
        if x >= len(text):
            # After the existing text.
            self.text = text.ljust(x, NULL) + cells
            if looks:
                self.looks = self.looks.ljust(x, NULL) + looks
            return
        self.over = True
        end = x + len(cells)
        before, behind = text[:x], text[end:]
        looks_before, looks_behind = self.looks[:x], self.looks[end:]
        # A remaining half gets the look of the text that overwrote the other half.
        if text[x : x + 1] == HALF:
            before, looks_before = before[:-1] + NULL, looks_before[:-1] + looks[:1]
        if behind[:1] == HALF:
            behind, looks_behind = NULL + behind[1:], looks[:1] + looks_behind[1:]
        self.text = before.ljust(x, NULL) + cells + behind
        if looks:
            self.looks = looks_before.ljust(x, NULL) + looks + looks_behind

    def join(self, x: int, mark: str, clusters: Clusters) -> None:
        """Add a combining mark to the character before column `x`."""
        text = self.text
        at = x - 1
        if text[at : at + 1] == HALF:
            at -= 1
        if 0 <= at < len(text):
            self.text = text[:at] + clusters.joined(text[at], mark) + text[at + 1 :]

    def clear(self, cols: int, blank: str = NULL) -> None:
        """Erase the whole row; it no longer continues the row above."""
        self.text = self.looks = ""
        self.wraps = False
        self.over = True
        self.marks = None
        if blank != NULL:
            self.text, self.looks = NULL * cols, blank * cols

    def cut(self, start: int, cols: int, blank: str = NULL) -> None:
        """Erase the cells from `start` on."""
        text = self.text
        self.over = True
        if start < len(text):
            is_half = text[start] == HALF and start > 0
            self.text = text[: start - 1] + NULL if is_half else text[:start]
            self.looks = self.looks[: start - 1] + blank if is_half and self.looks else self.looks[:start]
        if blank != NULL and start < cols:
            self.text = self.text.ljust(start, NULL) + NULL * (cols - start)
            self.looks = self.looks.ljust(start, NULL) + blank * (cols - start)

    def erase(self, start: int, end: int, cols: int, blank: str = NULL) -> None:
        """Erase the cells from `start` up to, not including, `end`."""
        end = min(end, cols)
        if end >= len(self.text) and blank == NULL:
            self.cut(start, cols)
        elif start < end:
            self.write(start, NULL * (end - start), blank * (end - start) if self.looks or blank != NULL else "")
            self.over = True

    def insert(self, at: int, count: int, cols: int, clusters: Clusters, blank: str = NULL) -> None:
        """Insert erased cells at column `at`; cells that are pushed out of the row are lost."""
        count = min(count, cols - at)
        text = self.text.ljust(at, NULL)
        before, behind = text[:at], text[at : cols - count]
        if behind[:1] == HALF:
            # Split like this, both halves are erased.
            before, behind = before[:-1] + NULL, NULL + behind[1:]
            if self.looks:
                self.looks = self.looks[: at - 1] + blank + self.looks[at:]
        text = before + NULL * count + behind
        is_cut = len(text) == cols and text[-1] not in NULL + HALF and clusters.width(text[-1]) == 2
        self.text = text[:-1] + NULL if is_cut else text
        if self.looks or blank != NULL:
            looks = self.looks.ljust(at, NULL)
            self.looks = looks[:at] + blank * count + looks[at : cols - count]
            if is_cut:
                self.looks = self.looks[:-1] + blank
        self.over = True

    def delete(self, at: int, count: int, cols: int, blank: str = NULL) -> None:
        """Remove cells at column `at`; the following ones move left."""
        text = self.text
        before, behind = text[:at], text[at + count :]
        looks_before, looks_behind = self.looks[:at], self.looks[at + count :]
        if before and text[at : at + 1] == HALF:
            before, looks_before = before[:-1] + NULL, looks_before[:-1] + blank
        if behind[:1] == HALF:
            behind, looks_behind = NULL + behind[1:], blank + looks_behind[1:]
        self.text = before + behind
        self.looks = looks_before + looks_behind if self.looks else ""
        self.over = True
        start = max(cols - count, at)
        if blank != NULL:
            self.text = self.text.ljust(start, NULL) + NULL * (cols - start)
            self.looks = self.looks.ljust(start, NULL) + blank * (cols - start)

    def mark(self, x: int, token: str) -> None:
        """Add a token after the text before column `x`, unless it is too long to be kept."""
        if len(token) > _LONGEST_MARK:
            return
        marks = self.marks = self.marks or []
        marks.append((x, token))
        if len(marks) > _MOST_MARKS:
            del marks[0]

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to draw."""
        return not (self.text or self.marks)

    @property
    def is_wide_first(self) -> bool:
        """Whether it begins with a wide character."""
        return self.text[1:2] == HALF


#: A run of characters of the same width: zero, two, or one.
PARTS = lazy(f"{ZERO.pattern}+|(?:(?!{ZERO.pattern}){WIDE.pattern})+|[^{UNUSUAL.pattern[1:-1]}]+")
