"""What it takes to look at many runs: their metrics, charts, table and panel, and their screens as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .captures import captures
from .charts import charts
from .panel import panel
from .seeking import seeking
from .table import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.plan import Plan
    from benchmarks.results import Row


def runs(plan: Plan) -> Iterator[Row]:
    """All of them."""
    for part in (captures, charts, table, panel, seeking):
        yield from part(plan)
