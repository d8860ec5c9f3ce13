"""Ranks: text that orders pending tasks with the same priority. The rank of a task is its id until it is moved."""

from __future__ import annotations

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def between(low: str, high: str) -> str:
    """Return a rank after `low` and before `high`; an empty one means no limit on that side.

    A rank after the last one comes before the ids of all later tasks. Raises ValueError if there is none in between.
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
    """Return whether there is a rank between `other` and the higher `rank`."""
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
