"""What it takes to look at many runs: metrics, charts, table and panel, screens as they were, and a search of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import captures, charts, panel, searching, seeking, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.plan import Plan
    from benchmarks.results import Row


def runs(plan: Plan) -> Iterator[Row]:
    """All of them."""
    for part in (captures.captures, charts.charts, table.table, panel.panel, seeking.seeking, searching.searching):
        yield from part(plan)
