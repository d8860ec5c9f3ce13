"""Metrics for people: rounded numbers, and sparklines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .types import AnyNumber

_BLOCKS = "▁▂▃▄▅▆▇█"


def step(value: AnyNumber) -> str:
    """Return a step, with all its digits."""
    exact = float(value)
    return f"{exact:.0f}" if exact.is_integer() else number(value)


def number(value: AnyNumber | None) -> str:
    """Return a number with four digits; empty for None."""
    return "" if value is None else f"{float(value):.4g}"


def sparkline(values: Sequence[AnyNumber | None]) -> str:
    """Return a sparkline with one character per value; "!" for one that is not a number."""
    numbers = [float(value) if value is not None else math.nan for value in values]
    known = [value for value in numbers if math.isfinite(value)]
    if not known:
        return "!" * len(numbers)
    low, high = min(known), max(known)
    top = len(_BLOCKS) - 1
    return "".join(
        "!" if not math.isfinite(value) else _BLOCKS[round(top * (value - low) / (high - low)) if high > low else 0]
        for value in numbers
    )
