"""What a measurement gives: series of numbers, and rows that set ours beside the peers'."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

#: How a number of a unit is shown: from which size on, divided by what, with how many decimals, and as what.
_SHOWN: dict[str, tuple[tuple[float, float, int, str], ...]] = {
    "s": ((1.0, 1.0, 2, "s"), (0.1, 1e-3, 0, "ms"), (0.0, 1e-3, 1, "ms")),
    "B": ((1 << 20, 1 << 20, 1, "MiB"), (1 << 10, 1 << 10, 0, "KiB"), (0.0, 1, 0, "B")),
    "B/s": ((0.0, 1e6, 1, "MB/s"),),
    "ratio": ((10.0, 1, 0, ""), (0.0, 1, 2, "")),
    "%": ((0.0, 1, 2, "%"),),
}


def show(value: float, unit: str) -> str:
    """Return a number, rounded for people."""
    if unit not in _SHOWN:
        return f"{value:g} {unit}"
    _, divisor, decimals, name = next((one for one in _SHOWN[unit] if abs(value) >= one[0]), _SHOWN[unit][-1])
    return f"{value / divisor:.{decimals}f} {name}".rstrip()


@dataclass(frozen=True)
class Series:
    """Measurements of one thing: seconds (`s`), bytes (`B`), bytes a second (`B/s`), `ratio` or percent (`%`)."""

    values: tuple[float, ...]
    unit: str

    @property
    def median(self) -> float:
        """The middle of them."""
        return statistics.median(self.values)

    def percentile(self, percent: float) -> float:
        """Return the value that `percent` of them do not exceed."""
        ordered = sorted(self.values)
        return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]

    def __str__(self) -> str:
        """Return the median and the spread, or for many values the 95th percentile, as text."""
        median = show(self.median, self.unit)
        if len(self.values) == 1:
            return median
        if len(self.values) >= 20:
            return f"{median} (p95 {show(self.percentile(95), self.unit)})"
        low, high = show(min(self.values), self.unit), show(max(self.values), self.unit)
        return f"{median} ({low.split()[0]} to {high})"


def ratio(ours: Series, other: Series) -> Series:
    """Return ours ÷ other for each repetition: what disturbs the machine disturbs both of a pair."""
    return Series(tuple(one / two for one, two in zip(ours.values, other.values, strict=True)), "ratio")


@dataclass(frozen=True)
class Must:
    """What a value must reach."""

    limit: float
    unit: str
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Return whether `value` reaches the limit."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        """Return the limit, as text."""
        return f"{'≥' if self.at_least else '≤'} {show(self.limit, self.unit)}"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `ours` and `peers` are what was measured; `value` is what counts: the number that `must` (None: nothing) is about.
    `note` says what one must know to read it.
    """

    what: str
    value: Series
    ours: Series | None = None
    peers: dict[str, Series] = field(default_factory=dict)
    must: Must | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it reaches what it must; None where it must nothing."""
        return None if self.must is None else self.must.met(self.value.median)
