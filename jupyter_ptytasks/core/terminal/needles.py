"""Needles: text to search for in the bytes of plain lines, which may have colors between any two characters."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Sequences that show nothing: colors, and erasing to the right.
COLORS = re.compile(rb"\x1b\[(?:[0-9;:]*m|0?K)")
#: Maps all digits to `1`: lines that differ only in numbers are of the same kind.
DIGITS = bytes(ord("1") if byte in b"0123456789" else byte for byte in range(256))

#: Non-ASCII characters that are a case variant of an ASCII letter: the capital I with dot above, the long s, and the
#: Kelvin sign (CaseFolding.txt of Unicode).
_ODD_CASES = ("\u0130".encode(), "\u017f".encode(), "\u212a".encode())
_BETWEEN = rb"(?:" + COLORS.pattern + rb")*"


class Needle:
    """Text to search for, without control characters. With `any_case`, it must be ASCII, and case is ignored."""

    __slots__ = ("_any_case", "_bytes", "_parted", "_word")

    def __init__(self, text: str, *, any_case: bool = False) -> None:
        longest = max(text.split(" "), key=len)
        #: Its longest part without spaces, since the output may have tabs instead of them.
        self._word = self if longest == text else Needle(longest, any_case=any_case) if longest else None
        self._any_case = any_case
        self._bytes = text.lower().encode() if any_case else text.encode()
        self._parted: dict[tuple[int, ...], re.Pattern[bytes]] = {}

    def finder(self, data: bytes, before: bytes, behind: bytes, *, loose: bool) -> Callable[[int, int], int] | None:
        """Return a function that finds the needle in `data` between two offsets (-1 if it is not there); None if the
        bytes do not show whether it is there.

        `before`, `behind` and `loose` describe the lines (see `plain.Plain`). In loose lines, only a part of the needle
        is searched for.
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
        """Return a pattern for the needle that allows colors at these positions, and nowhere else."""
        found = self._parted.get(places)
        if found is None:
            parts = [self._bytes[start:end] for start, end in zip((0, *places), (*places, len(self._bytes)))]
            found = self._parted[places] = re.compile(_BETWEEN.join(map(re.escape, parts)))
        return found
