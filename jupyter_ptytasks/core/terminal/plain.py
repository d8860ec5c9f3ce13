"""Plain lines: text that a terminal shows just as it was written, recognized without drawing it."""

from __future__ import annotations

import re

from .vt import seven_bit

_TEXT = bytes([byte for byte in range(256) if byte >= 32 and byte != 127])
_LONE_RETURN = re.compile(rb"\r[^\n]")
_COLORS = re.compile(rb"\x1b\[(?:[0-9;:]*m|0?K)")


class Whole:
    """Plain lines: `count` of them from number `number` on, in `text`, each with its CR LF. `end` is where they end in
    the bytes that they were taken from.
    """

    __slots__ = ("count", "end", "number", "text")

    def __init__(self, number: int, text: str, count: int, end: int) -> None:
        self.number = number
        self.text = text
        self.count = count
        self.end = end

    def lines(self) -> list[tuple[int, str]]:
        """Return them one by one: number and text."""
        return list(enumerate(self.text.split("\r\n")[:-1], self.number))


def plain_lines(data: bytes) -> tuple[bytes, int] | None:
    """Return whole lines without their colors, and how many they are; None if a terminal may show others.

    `data` begins and ends with a line. The controls alone tell most: what is left of plain lines without their text is
    CR LF, again and again. That takes a fifth of the time of a look at each line.
    """
    if b"\x1b" in data:
        data = _COLORS.sub(b"", data)
    controls = data.translate(None, _TEXT)
    count = len(controls) // 2
    if controls != b"\r\n" * count or _LONE_RETURN.search(data) or seven_bit(data) != data:
        return None
    return data, count


def last_lines(data: bytes, count: int, start: int = 0) -> int:
    """Return where the last `count` of the whole lines in `data` from `start` on begin; `start` if it has no more."""
    end = data.rfind(b"\n", start)
    for _ in range(count):
        end = data.rfind(b"\n", start, max(end, start))
    return end + 1 or start
