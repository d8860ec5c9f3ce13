"""How metrics are read, and how they are told."""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .series import Series

#: The most metrics in a task's JSON; `GET …/metrics` has all of them.
TOLD = 8


@dataclass(frozen=True)
class Settings:
    """How the metrics of one task are read.

    `pattern` is a regular expression with named groups, one for each metric and `step`, that is looked for in each
    line instead of all else; `include` are the names that count, all if empty; with `off` only those that the program
    logs are read.
    """

    pattern: str = ""
    include: tuple[str, ...] = ()
    off: bool = False

    @classmethod
    def from_json(cls, value: object) -> Settings:
        """Read what a spec has; what is not valid is as usual."""
        if not isinstance(value, dict):
            return cls()
        pattern, include = value.get("pattern"), value.get("include")
        return cls(
            pattern=pattern if isinstance(pattern, str) else "",
            include=tuple(str(name) for name in include) if isinstance(include, list) else (),
            off=value.get("off") is True,
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as in a spec, without what is as usual."""
        told = {"pattern": self.pattern, "include": list(self.include), "off": self.off}
        return {name: value for name, value in told.items() if value}


def number_to_json(value: float) -> float | str:
    """Return a number for JSON, which has no word for nan and infinity: those are the text that JavaScript's `Number`
    and Python's `float` read.
    """
    if math.isfinite(value):
        return int(value) if value == int(value) and abs(value) < 1 << 53 else value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def summary(series: Iterable[Series]) -> dict[str, Mapping[str, Any]]:
    """Return the metrics of a task's JSON, the most telling first, at most `TOLD`; the trend of that one only."""
    chosen = sorted(series, key=lambda one: (names.rank(one.name), one.order))[:TOLD]
    return {one.name: {**one.to_json(), "trend": [] if at else one.trend()} for at, one in enumerate(chosen)}
