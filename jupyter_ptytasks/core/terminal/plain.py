"""Plain lines: text that a terminal shows exactly as it was written, recognized without drawing it."""

from __future__ import annotations

import re

from .needles import COLORS, DIGITS
from .vt import seven_bit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .needles import Needle

_TEXT = bytes([byte for byte in range(256) if byte >= 32 and byte != 127] + [ord("\t")])
_LONE_RETURN = re.compile(rb"\r[^\r\n]")
#: Where a program writes CR LF itself, or runs in a terminal within a terminal, the terminal adds another CR.
_RETURNS = re.compile(rb"\r+\n")
#: A line. Its group is the part up to the last color, with the character after it.
_HEAD = re.compile(rb"(.*\x1b\[[0-9;:]*[mK][^\r\n]?)?.*\n")
#: A sequence that has another meaning with other digits.
_CHANGED = b"\x1b[1K"
#: Number of first bytes of a block that show whether its lines are of few kinds.
_GLANCE = 1 << 14
#: Maximum number of different sequences to replace one by one. Programs use few, and this is several times faster.
_KINDS = 16


class Plain:
    """What is known about plain lines: how many there are, the bytes before and after colors (each digit as `1`), and
    whether they are `loose`, that is, contain tabs or several CRs before a line feed.
    """

    __slots__ = ("before", "behind", "count", "loose")

    def __init__(self, count: int, before: bytes = b"", behind: bytes = b"", *, loose: bool = False) -> None:
        self.count = count
        self.before = before
        self.behind = behind
        self.loose = loose


class Whole:
    """Plain lines: `count` lines with numbers from `number` on, each ending in CR LF, in `data[start:end]`.

    `offset` is the offset of `data` in the output. `feeds` is the number of line feeds before the lines; it equals
    `number` unless an earlier line was drawn further down. `expand` returns a line with its tabs replaced by spaces.
    """

    __slots__ = ("_begins", "_data", "_expand", "_offset", "count", "end", "feeds", "number", "plain", "start")

    def __init__(
        self,
        number: int,
        feeds: int,
        offset: int,
        data: bytes,
        span: tuple[int, int],
        plain: Plain,
        expand: Callable[[str], str],
    ) -> None:
        self.number = number
        self.feeds = feeds
        self.start, self.end = span
        self.plain = plain
        self.count = plain.count
        self._offset = offset
        self._data = data
        self._expand = expand
        #: Where the lines that were found begin in `data`, by their number.
        self._begins: dict[int, int] = {}

    def place(self, number: int) -> tuple[int, int]:
        """Return the offset at which a line begins and the number of line feeds before it: the line with this number if
        it was found, else the first line.
        """
        if self.number == self.feeds and number in self._begins:
            return self._offset + self._begins[number], number
        return self._offset + self.start, self.feeds

    @property
    def behind(self) -> tuple[int, int]:
        """The offset after the last line, and the number of line feeds before that offset."""
        return self._offset + self.end, self.feeds + self.count

    def holding(self, needle: Needle) -> Iterator[tuple[int, str]] | None:
        """Return the lines that may contain a needle (number, text); None if their bytes do not show which ones do.

        Most other lines are ruled out at the speed of a search for bytes.
        """
        find = needle.finder(self._data, self.plain.before, self.plain.behind, loose=self.plain.loose)
        return None if find is None else self._found(find)

    def _found(self, find: Callable[[int, int], int]) -> Iterator[tuple[int, str]]:
        data, end = self._data, self.end
        number, pos = self.number, self.start
        while (at := find(pos, end)) >= 0:
            begin = data.rfind(b"\n", pos, at) + 1 or pos
            number += data.count(b"\n", pos, begin)
            pos = data.index(b"\n", at) + 1
            self._begins[number] = begin
            text = COLORS.sub(b"", data[begin : pos - 2]).decode("utf-8", "replace")
            yield number, self._spell(text.rstrip("\r")) if self.plain.loose else text
            number += 1

    @property
    def text(self) -> str:
        """The text of all lines."""
        data = self._data[self.start : self.end]
        text = (_without_colors(data) if self.plain.behind else data).decode("utf-8", "replace")
        if not self.plain.loose:
            return text
        return "\r\n".join([self._spell(line.rstrip("\r")) for line in text.split("\n")[:-1]] + [""])

    def _spell(self, line: str) -> str:
        return self._expand(line) if "\t" in line else line

    def lines(self) -> list[tuple[int, str]]:
        """Return the lines as (number, text)."""
        return list(enumerate(self.text.split("\r\n")[:-1], self.number))


def plain_lines(data: bytes, cols: int) -> Plain | None:
    """Return what is known about complete lines; None if a terminal with `cols` columns may show something else.

    `data` begins at the start of a line and ends at the end of one. Most lines of a log differ only in numbers, or are
    the same up to the last color. Then only one line of each kind is checked, which takes a third of the time.
    """
    loose = b"\t" in data
    if loose and _reaches_edge(data, cols):
        return None
    if b"\x1b" not in data:
        count, returns = _count(data)
        return None if count is None else Plain(count, loose=loose or returns)
    if b"\0" in data:
        return None
    sample, (count, returns) = _sample(data)
    if _CHANGED in sample:
        sample, count = data, 0
    marked = _marked(sample)
    looked, has_returns = _count(marked.translate(None, b"\0"))
    if looked is None or count is None:
        return None
    parts = marked.split(b"\0")
    before, behind = {part[-1:] for part in parts[:-1]}, {part[:1] for part in parts[1:]}
    next_to = [b"".join(some).translate(DIGITS) for some in (before, behind)]
    return Plain(count or looked, *next_to, loose=loose or returns or has_returns)


def _reaches_edge(data: bytes, cols: int) -> bool:
    """Return whether a line with tabs may reach the last column, where a tab has no effect."""
    # Counted in bytes: a character has at least as many bytes as cells.
    expanded = data.expandtabs(8).split(b"\n")
    if max(map(len, expanded)) < cols:
        return False
    return any(b"\t" in line for line, wide in zip(data.split(b"\n"), expanded) if len(wide) >= cols)


def _sample(data: bytes) -> tuple[bytes, tuple[int | None, bool]]:
    """Return sample lines that are plain only if all lines in `data` are; the number of lines in `data`, 0 if it is to
    be counted in the sample, None if `data` must be drawn; and whether a line is known to have more than one CR.
    """
    folded = data.translate(DIGITS)
    if _is_varied(folded[:_GLANCE].split(b"\n")):
        heads = _HEAD.findall(folded)
        if _is_varied(heads):
            return data, (0, False)
        if b"".join(heads).count(b"\x1b") < data.count(b"\x1b"):
            return b"", (None, False)
        return b"\r\n".join({*heads, b""}) + b"\r\n", _count(data.translate(None, b"\x1b"))
    lines = folded.split(b"\n")
    return b"\n".join({*lines[:-1]}) + b"\n", (len(lines) - 1, False)


def _is_varied(parts: list[bytes]) -> bool:
    return len(set(parts)) > len(parts) // 2


def _count(data: bytes) -> tuple[int | None, bool]:
    """Return the number of lines in `data`, which has no colors, or None if not all are plain; and whether one of them
    has more than one CR.

    Plain lines without their text are a repeated CR LF. Checking this takes a fifth of the time of checking each line.
    """
    controls = data.translate(None, _TEXT)
    found = controls if len(controls) == 2 * controls.count(b"\n") else _RETURNS.sub(b"\r\n", controls)
    count = len(found) // 2
    is_plain = found == b"\r\n" * count and not _LONE_RETURN.search(data) and seven_bit(data) == data
    return count if is_plain else None, found is not controls


def _marked(data: bytes) -> bytes:
    """Return `data`, which contains no NUL, with each color replaced by a NUL.

    Colors are not simply removed: the bytes around one could then form another.
    """
    for _ in range(_KINDS):
        at = data.find(b"\x1b")
        found = COLORS.match(data, at) if at >= 0 else None
        if found is None:
            break
        data = data.replace(found[0], b"\0")
    return COLORS.sub(b"\0", data) if b"\x1b" in data else data


def _without_colors(data: bytes) -> bytes:
    """Return `data` without the sequences that COLORS matches."""
    return COLORS.sub(b"", data) if b"\0" in data else _marked(data).translate(None, b"\0")


def last_lines(data: bytes, count: int, start: int = 0) -> int:
    """Return where the last `count` complete lines in `data[start:]` begin; `start` if there are no more than that."""
    end = data.rfind(b"\n", start)
    for _ in range(count):
        end = data.rfind(b"\n", start, max(end, start))
    return end + 1 or start
