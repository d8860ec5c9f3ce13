"""Plain lines: text that a terminal shows just as it was written, recognized without drawing it."""

from __future__ import annotations

import re

from .vt import seven_bit

_TEXT = bytes([byte for byte in range(256) if byte >= 32 and byte != 127])
_LONE_RETURN = re.compile(rb"\r[^\n]")
_COLORS = re.compile(rb"\x1b\[(?:[0-9;:]*m|0?K)")
#: How many different sequences are looked for one by one. A program uses few, and that is several times faster.
_KINDS = 16


class Whole:
    """Plain lines: `count` of them from number `number` on, each with its CR LF, in `data` between `span`. `end` is
    where they end in the bytes that they were taken from.
    """

    __slots__ = ("_data", "_span", "count", "end", "number")

    def __init__(self, number: int, data: bytes, span: tuple[int, int], count: int, end: int) -> None:
        self.number = number
        self._data = data
        self._span = span
        self.count = count
        self.end = end

    def has(self, literal: bytes) -> bool:
        """Return whether these bytes are in them. That takes a fraction of the time that their text would."""
        return self._data.find(literal, *self._span) >= 0

    @property
    def text(self) -> str:
        """All of them as text."""
        begin, end = self._span
        return self._data[begin:end].decode("utf-8", "replace")

    def lines(self) -> list[tuple[int, str]]:
        """Return them one by one: number and text."""
        return list(enumerate(self.text.split("\r\n")[:-1], self.number))


def plain_lines(data: bytes) -> tuple[bytes, int] | None:
    """Return whole lines without their colors, and how many they are; None if a terminal may show others.

    `data` begins and ends with a line. The controls alone tell most: what is left of plain lines without their text is
    CR LF, again and again. That takes a fifth of the time of a look at each line.
    """
    if b"\x1b" in data:
        data = _without_colors(data)
    controls = data.translate(None, _TEXT)
    count = len(controls) // 2
    if controls != b"\r\n" * count or _LONE_RETURN.search(data) or seven_bit(data) != data:
        return None
    return data, count


def _without_colors(data: bytes) -> bytes:
    """Return `data` without what _COLORS matches."""
    if b"\0" in data:
        return _COLORS.sub(b"", data)
    # A mark stays where each was: what is left around one must not be taken for another.
    marked = data
    for _ in range(_KINDS):
        at = marked.find(b"\x1b")
        found = _COLORS.match(marked, at) if at >= 0 else None
        if found is None:
            break
        marked = marked.replace(found[0], b"\0")
    return _COLORS.sub(b"", marked).translate(None, b"\0") if b"\x1b" in marked else marked.translate(None, b"\0")


def last_lines(data: bytes, count: int, start: int = 0) -> int:
    """Return where the last `count` of the whole lines in `data` from `start` on begin; `start` if it has no more."""
    end = data.rfind(b"\n", start)
    for _ in range(count):
        end = data.rfind(b"\n", start, max(end, start))
    return end + 1 or start
