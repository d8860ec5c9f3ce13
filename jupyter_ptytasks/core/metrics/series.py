"""The points of one metric, bounded: dropped points lie between the lowest and highest of their neighbors."""

from __future__ import annotations

import math
from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

#: Maximum number of points; beyond that, two of every four adjacent points are dropped.
KEPT = 4096
#: How often a name must be seen before it is a metric.
_SIGHTINGS = 3
#: Maximum number of values of a trend.
_TREND = 16


class Series:
    """The points of a metric, in order of arrival. Times are Unix seconds.

    `order` is the position of its name among all names, by first appearance; `sure` says that the program logs it
    explicitly, so that it counts immediately.
    """

    __slots__ = (
        "_rises",
        "count",
        "highest",
        "is_whole",
        "last",
        "lowest",
        "name",
        "order",
        "steps",
        "sure",
        "times",
        "values",
    )

    def __init__(self, name: str, order: int, *, sure: bool = False) -> None:
        self.name = name
        self.order = order
        self.sure = sure
        self.times, self.steps, self.values = array("d"), array("d"), array("d")
        #: All points, including dropped ones.
        self.count = 0
        self.last: tuple[float, float, float] | None = None
        #: Of the finite values.
        self.lowest, self.highest = math.inf, -math.inf
        #: Whether all values so far are integers, and each is greater than the one before.
        self.is_whole = True
        self._rises = True

    @property
    def counts(self) -> bool:
        """Whether it is a metric: it was repeated, has changed, and does not just count up."""
        if self.sure:
            return self.count > 0
        return self.count >= _SIGHTINGS and self.changes and not self.is_counter

    @property
    def changes(self) -> bool:
        """Whether it has had several values."""
        return self.lowest < self.highest or (self.last is not None and not math.isfinite(self.last[2]))

    @property
    def is_counter(self) -> bool:
        """Whether it has only counted up so far."""
        return self.is_whole and self._rises

    def add(self, time: float, step: float, value: float) -> None:
        """Add a point."""
        if self.last is not None and not value > self.last[2]:
            self._rises = False
        self.is_whole = self.is_whole and math.isfinite(value) and value == int(value)
        if math.isfinite(value):
            self.lowest, self.highest = min(self.lowest, value), max(self.highest, value)
        self.count += 1
        self.last = (time, step, value)
        self.times.append(time)
        self.steps.append(step)
        self.values.append(value)
        if len(self.values) > KEPT:
            self._keep(thinned(self.values, KEPT // 2))

    def trend(self) -> list[float | None]:
        """Return a few values with four digits, for a sparkline; NaN and infinity are None."""
        chosen = [self.values[at] for at in thinned(self.values, _TREND)]
        return [float(f"{value:.4g}") if math.isfinite(value) else None for value in chosen]

    def facts(self) -> list[Any]:
        """Return everything except the points, for `from_facts`."""
        seen = [self.count, self.last, self.lowest, self.highest, self.is_whole, self._rises]
        return [self.name, self.order, self.sure, *seen]

    @classmethod
    def from_facts(cls, facts: Sequence[Any]) -> Series:
        """Return the series described by `facts`, without its points. Raises TypeError or ValueError."""
        name, order, sure, count, last, lowest, highest, is_whole, rises = facts
        found = cls(str(name), int(order), sure=bool(sure))
        found.count = int(count)
        time, step, value = map(float, last)
        found.last = (time, step, value)
        found.lowest, found.highest = float(lowest), float(highest)
        found.is_whole, found._rises = bool(is_whole), bool(rises)
        return found

    def _keep(self, chosen: Sequence[int]) -> None:
        for name in ("times", "steps", "values"):
            column = getattr(self, name)
            setattr(self, name, array("d", (column[at] for at in chosen)))

    def to_json(self) -> dict[str, Any]:
        """Return its last value and step, and the lowest and highest value, as in a task's JSON."""
        assert self.last is not None
        _, step, value = self.last
        known = self.lowest <= self.highest
        return {
            "value": number_to_json(value),
            "step": number_to_json(step),
            "min": number_to_json(self.lowest) if known else None,
            "max": number_to_json(self.highest) if known else None,
            **({} if math.isfinite(value) else {"not_finite_since": number_to_json(self._broken_since())}),
        }

    def _broken_since(self) -> float:
        """Return the first step after the last finite value. `thinned` keeps it, unless the values there alternate."""
        values = self.values
        last = next((at for at in range(len(values) - 1, -1, -1) if math.isfinite(values[at])), -1)
        return self.steps[last + 1]


def thinned(values: Sequence[float], most: int) -> list[int]:
    """Return the indexes of at most `most` (4 or more) values, in order: the first and the last, and the lowest and the
    highest of each of as many intervals as possible; NaN counts as the highest.
    """
    count = len(values)
    if count <= most:
        return list(range(count))
    stretches = (most - 2) // 2
    chosen = {0, count - 1}
    for at in range(stretches):
        stretch = range(1 + at * (count - 2) // stretches, 1 + (at + 1) * (count - 2) // stretches)
        if stretch:
            chosen.add(min(stretch, key=lambda one: _height(values[one])))
            chosen.add(max(stretch, key=lambda one: _height(values[one])))
    return sorted(chosen)


def _height(value: float) -> float:
    return math.inf if math.isnan(value) else value


def since(steps: Iterable[float], least: float | None) -> list[int]:
    """Return the indexes of the steps that are greater than `least`; all if it is None."""
    return [at for at, step in enumerate(steps) if least is None or step > least]


def number_to_json(value: float) -> float | str:
    """Return a number for JSON, which has no word for nan and infinity: those are the text that JavaScript's `Number`
    and Python's `float` read.
    """
    if math.isfinite(value):
        return int(value) if value == int(value) and abs(value) < 1 << 53 else value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
