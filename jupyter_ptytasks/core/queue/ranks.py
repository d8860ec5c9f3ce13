"""Ranks: text that orders the waiting tasks of one priority. A rank is a task's id until the task is moved."""

from __future__ import annotations

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def between(low: str, high: str) -> str:
    """Return a rank after `low` and before `high`; empty for no rank on that side.

    What follows the last rank comes before all ids of later tasks. Raises ValueError if nothing lies between them.
    """
    if not high:
        return low + _DIGITS[len(_DIGITS) // 2]
    width = max(len(low), len(high))
    for digits in (width, width + 1):
        below, above = _value(low, digits), _value(high, digits)
        if above - below > 1:
            return _text((below + above) // 2, digits)
    raise ValueError(f"there is no rank between {low!r} and {high!r}")


def is_after(rank: str, other: str) -> bool:
    """Return whether there is room between `other` and the higher `rank`."""
    width = max(len(rank), len(other))
    return _value(rank, width) > _value(other, width)


def _value(rank: str, digits: int) -> int:
    return int(rank.ljust(digits, "0") or "0", 36)


def _text(value: int, digits: int) -> str:
    text = ""
    for _ in range(digits):
        value, digit = divmod(value, 36)
        text = _DIGITS[digit] + text
    return text
