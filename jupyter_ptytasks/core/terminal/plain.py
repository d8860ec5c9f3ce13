"""Plain lines: text that a terminal shows just as it was written, recognized without drawing it."""

from __future__ import annotations

import re

from .needles import COLORS, DIGITS
from .vt import seven_bit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .needles import Needle

_TEXT = bytes([byte for byte in range(256) if byte >= 32 and byte != 127])
_LONE_RETURN = re.compile(rb"\r[^\n]")
#: A line, and of it what comes before its last color, with the character behind that.
_HEAD = re.compile(rb"(.*\x1b\[[0-9;:]*[mK][^\r\n]?)?.*\n")
#: A sequence that would be another one with other digits.
_CHANGED = b"\x1b[1K"
#: Bytes that tell whether the lines of a block are of few kinds.
_GLANCE = 1 << 14
#: How many different sequences are looked for one by one. A program uses few, and that is several times faster.
_KINDS = 16


class Plain:
    """What is known of plain lines: how many they are, and the bytes next to colors, with `1` for all digits."""

    __slots__ = ("before", "behind", "count")

    def __init__(self, count: int, before: bytes = b"", behind: bytes = b"") -> None:
        self.count = count
        self.before = before
        self.behind = behind


class Whole:
    """Plain lines: `count` of them from number `number` on, each with its CR LF, in `data` from `start` to `end`.

    `offset` is where `data` begins in the output, and `feeds` how many line feeds come before the lines: the same as
    `number`, unless there was a line that was drawn further down.
    """

    __slots__ = ("_begins", "_data", "_offset", "count", "end", "feeds", "number", "plain", "start")

    def __init__(self, number: int, feeds: int, offset: int, data: bytes, span: tuple[int, int], plain: Plain) -> None:
        self.number = number
        self.feeds = feeds
        self.start, self.end = span
        self.plain = plain
        self.count = plain.count
        self._offset = offset
        self._data = data
        #: Where lines begin in `data`, by number, of those that were found.
        self._begins: dict[int, int] = {}

    def place(self, number: int) -> tuple[int, int]:
        """Return the offset at which a line begins, and the line feeds before it: the line with this number if it was
        found, else the first one.
        """
        if self.number == self.feeds and number in self._begins:
            return self._offset + self._begins[number], number
        return self._offset + self.start, self.feeds

    @property
    def behind(self) -> tuple[int, int]:
        """The offset behind them, and the line feeds before it."""
        return self._offset + self.end, self.feeds + self.count

    def holding(self, needle: Needle) -> Iterator[tuple[int, str]] | None:
        """Return those that hold a needle, number and text; None if it cannot be told from their bytes.

        Most lines are told apart from these at the speed of a search for bytes.
        """
        find = needle.finder(self._data, self.plain.before, self.plain.behind)
        return None if find is None else self._found(find)

    def _found(self, find: Callable[[int, int], int]) -> Iterator[tuple[int, str]]:
        data, end = self._data, self.end
        number, pos = self.number, self.start
        while (at := find(pos, end)) >= 0:
            begin = data.rfind(b"\n", pos, at) + 1 or pos
            number += data.count(b"\n", pos, begin)
            pos = data.index(b"\n", at) + 1
            self._begins[number] = begin
            yield number, COLORS.sub(b"", data[begin : pos - 2]).decode("utf-8", "replace")
            number += 1

    @property
    def text(self) -> str:
        """All of them as text."""
        data = self._data[self.start : self.end]
        return (_without_colors(data) if self.plain.behind else data).decode("utf-8", "replace")

    def lines(self) -> list[tuple[int, str]]:
        """Return them one by one: number and text."""
        return list(enumerate(self.text.split("\r\n")[:-1], self.number))


def plain_lines(data: bytes) -> Plain | None:
    """Return what is known of whole lines; None if a terminal may show others.

    `data` begins and ends with a line. Most lines of a log differ in numbers alone, or are alike up to the last color:
    then one of each kind is looked at, which takes a third of the time.
    """
    if b"\x1b" not in data:
        count = _count(data)
        return None if count is None else Plain(count)
    if b"\0" in data:
        return None
    sample, count = _sample(data)
    if _CHANGED in sample:
        sample, count = data, 0
    marked = _marked(sample)
    looked = _count(marked.translate(None, b"\0"))
    if looked is None or count is None:
        return None
    parts = marked.split(b"\0")
    before, behind = {part[-1:] for part in parts[:-1]}, {part[:1] for part in parts[1:]}
    return Plain(count or looked, b"".join(before).translate(DIGITS), b"".join(behind).translate(DIGITS))


def _sample(data: bytes) -> tuple[bytes, int | None]:
    """Return lines that are plain only if those in `data` are, and how many these are: None if they are not plain, 0 if
    that is not known.
    """
    folded = data.translate(DIGITS)
    if _is_varied(folded[:_GLANCE].split(b"\n")):
        heads = _HEAD.findall(folded)
        if _is_varied(heads):
            return data, 0
        is_all = b"".join(heads).count(b"\x1b") == data.count(b"\x1b")
        return b"\r\n".join({*heads, b""}) + b"\r\n", _count(data.translate(None, b"\x1b")) if is_all else None
    lines = folded.split(b"\n")
    return b"\n".join({*lines[:-1]}) + b"\n", len(lines) - 1


def _is_varied(parts: list[bytes]) -> bool:
    return len(set(parts)) > len(parts) // 2


def _count(data: bytes) -> int | None:
    """Return how many lines without colors there are, None if not all are plain.

    The controls alone tell most: what is left of plain lines without their text is CR LF, again and again. That takes a
    fifth of the time of a look at each line.
    """
    controls = data.translate(None, _TEXT)
    count = len(controls) // 2
    is_plain = controls == b"\r\n" * count and not _LONE_RETURN.search(data) and seven_bit(data) == data
    return count if is_plain else None


def _marked(data: bytes) -> bytes:
    """Return `data`, in which there is no NUL, with one instead of each color.

    What is left around one must not be taken for another.
    """
    for _ in range(_KINDS):
        at = data.find(b"\x1b")
        found = COLORS.match(data, at) if at >= 0 else None
        if found is None:
            break
        data = data.replace(found[0], b"\0")
    return COLORS.sub(b"\0", data) if b"\x1b" in data else data


def _without_colors(data: bytes) -> bytes:
    """Return `data` without what COLORS matches."""
    return COLORS.sub(b"", data) if b"\0" in data else _marked(data).translate(None, b"\0")


def last_lines(data: bytes, count: int, start: int = 0) -> int:
    """Return where the last `count` of the whole lines in `data` from `start` on begin; `start` if it has no more."""
    end = data.rfind(b"\n", start)
    for _ in range(count):
        end = data.rfind(b"\n", start, max(end, start))
    return end + 1 or start
