"""Needles: text that is looked for in the bytes of plain lines, between whose characters there may be colors."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: What a terminal shows nothing of: colors, and erasing to the right.
COLORS = re.compile(rb"\x1b\[(?:[0-9;:]*m|0?K)")
#: Digits as one: lines that differ in numbers alone are of one kind.
DIGITS = bytes(ord("1") if byte in b"0123456789" else byte for byte in range(256))

#: Characters that are a case of an ASCII letter, and no ASCII themselves: an I with a dot, the long s, and the sign for
#: kelvins (Unicode's CaseFolding.txt).
_ODD_CASES = ("\u0130".encode(), "\u017f".encode(), "\u212a".encode())
_BETWEEN = rb"(?:" + COLORS.pattern + rb")*"


class Needle:
    """Text without control characters to look for. With `any_case` it is ASCII, and so are all cases that count."""

    __slots__ = ("_any_case", "_bytes", "_parted", "_word")

    def __init__(self, text: str, *, any_case: bool = False) -> None:
        longest = max(text.split(" "), key=len)
        #: A part of it without blanks, for which there may be tabs.
        self._word = self if longest == text else Needle(longest, any_case=any_case) if longest else None
        self._any_case = any_case
        self._bytes = text.lower().encode() if any_case else text.encode()
        self._parted: dict[tuple[int, ...], re.Pattern[bytes]] = {}

    def finder(self, data: bytes, before: bytes, behind: bytes, *, loose: bool) -> Callable[[int, int], int] | None:
        """Return what finds it in `data` between two places, -1 for nowhere; None if it may be there unseen.

        `before`, `behind` and `loose` are what is known of the lines there (plain.Plain). In loose ones a part of it is
        found.
        """
        if loose and self._word is not self:
            return self._word.finder(data, before, behind, loose=True) if self._word is not None else None
        if self._any_case:
            if not data.isascii() and any(odd in data for odd in _ODD_CASES):
                return None
            data, before, behind = data.lower(), before.lower(), behind.lower()
        needle = self._bytes
        kinds = needle.translate(DIGITS)
        places = tuple([at for at in range(1, len(kinds)) if kinds[at - 1] in before and kinds[at] in behind])
        if not places:
            return lambda start, end: data.find(needle, start, end)
        found = self._between(places)
        return lambda start, end: match.start() if (match := found.search(data, start, end)) else -1

    def _between(self, places: tuple[int, ...]) -> re.Pattern[bytes]:
        """Return an expression for it with colors at some places, and nowhere else."""
        found = self._parted.get(places)
        if found is None:
            parts = [self._bytes[start:end] for start, end in zip((0, *places), (*places, len(self._bytes)))]
            found = self._parted[places] = re.compile(_BETWEEN.join(map(re.escape, parts)))
        return found
