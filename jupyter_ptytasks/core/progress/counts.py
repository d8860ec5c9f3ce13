"""The counts in one piece of text, outermost first, and their numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum


class Rank(IntEnum):
    """Which counts contain which; with equal rank, an earlier count contains a later one."""

    OUTER = 0
    EPOCH = 1
    INNER = 2


@dataclass(frozen=True)
class Count:
    """A count of one kind of thing."""

    name: str
    done: float
    total: float | None
    unit: str = ""
    rank: Rank = Rank.INNER
    #: Counts in one slot replace each other: "bar" (of one row), "step", "plain", or the name.
    slot: str = "plain"
    #: Whether `done` is the item in progress: "Epoch 1/10" at its beginning.
    begun: bool = False
    #: Whether it counts from 0 to the last: "Epoch 0/9".
    from_zero: bool = False

    @property
    def completed(self) -> float:
        """How many are done."""
        return self.done - 1 if self.begun and not self.from_zero else self.done

    @property
    def size(self) -> float | None:
        """How many there are."""
        return self.total + 1 if self.total is not None and self.from_zero else self.total

    @property
    def fraction(self) -> float | None:
        """The fraction that is done, according to this count alone."""
        return self.with_inner(0.0)

    def with_inner(self, inner: float) -> float | None:
        """The fraction that is done if `inner` (0 to 1) of the current item is done."""
        size = self.size
        return None if size is None else min(max((self.completed + inner) / size, 0.0), 1.0)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.fraction == 1.0

    def is_of(self, other: Count) -> bool:
        """Return whether it counts the same thing as `other`, perhaps in another row."""
        return self.slot.split()[0] == other.slot.split()[0] and self.key == other.key

    def continues(self, other: Count) -> bool:
        """Return whether it counts the same thing up to the same total."""
        return self.is_of(other) and self.total == other.total and self.total is not None

    @property
    def key(self) -> str:
        """The constant part: the label without its numbers."""
        return _NUMBERS.sub("", self.name)


@dataclass(frozen=True)
class Match:
    """The progress found in one fragment."""

    counts: tuple[Count, ...]
    source: str
    eta: float | None = None
    #: Whether it is a bar, which may be one of several in rows.
    bar: bool = False


_NUMBERS = re.compile(r"[\d.,:%/]+")

#: A number as in bars: 12, 1,234, 40.1, 1.2M, 3.4kB, 5GiB.
NUMBER = r"\d[\d,]{0,14}(?:\.\d{1,6})?"
_OPEN = ("?", "U")
_SCALES = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}


def number(digits: str, scale: str | None = None) -> float:
    """Read `digits` that match NUMBER, times k, M, G, T or P."""
    value = float(digits.replace(",", ""))
    value *= _SCALES.get((scale or " ")[0], 1.0)
    return int(value) if value == int(value) else value


def has_count(text: str) -> bool:
    """Return whether there may be a count in `text`: 3/10, 3 / 10, 1.2M/5M, 12/?, 12/Unknown, 3 of 10. This is much
    faster than the regular expressions if there is none.
    """
    at = text.find("/")
    while at > 0:
        after = text[at + 1 : at + 3].lstrip(" ")[:1]
        if (after.isdigit() or after in _OPEN) and any(map(str.isdigit, text[max(at - 4, 0) : at])):
            return True
        at = text.find("/", at + 1)
    at = text.find("of ")
    while at > 0:
        if text[at + 3 : at + 4].isdigit():
            return True
        at = text.find("of ", at + 1)
    return False


def has_percentage(text: str) -> bool:
    """Return whether there may be a percentage in `text`."""
    at = text.find("%")
    while at > 0:
        if text[at - 1].isdigit() or text[at - 2 : at].strip().isdigit():
            return True
        at = text.find("%", at + 1)
    return False


def seconds(clock: str) -> float | None:
    """Read 1:02:03 or 02:03; None for ? and the like."""
    fields = clock.split(":")
    if not 2 <= len(fields) <= 3 or not all(field.isdecimal() and len(field) < 6 for field in fields):
        return None
    total = 0.0
    for field in fields:
        total = total * 60 + int(field)
    return total


def sane(done: float, total: float | None) -> bool:
    """Return whether these numbers can be progress at all."""
    return total is None or (total > 0 and 0 <= done <= total)
