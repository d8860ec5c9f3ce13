"""The metrics in a task's JSON."""

from __future__ import annotations

from . import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .series import Series

#: Maximum number of metrics in a task's JSON; `GET …/metrics` has all of them.
TOLD = 8


def summary(series: Iterable[Series]) -> dict[str, Mapping[str, Any]]:
    """Return the metrics in a task's JSON, the most important first, at most `TOLD`; only the first one has a trend."""
    chosen = sorted(series, key=lambda one: (names.rank(one.name), one.order))[:TOLD]
    return {one.name: {**one.to_json(), "trend": [] if at else one.trend()} for at, one in enumerate(chosen)}
