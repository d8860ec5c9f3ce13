"""What it takes to look at many runs: their metrics, charts, table and panel, and their screens as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import captures, charts, panel, seeking, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.plan import Plan
    from benchmarks.results import Row


def runs(plan: Plan) -> Iterator[Row]:
    """All of them."""
    for part in (captures.captures, charts.charts, table.table, panel.panel, seeking.seeking):
        yield from part(plan)
