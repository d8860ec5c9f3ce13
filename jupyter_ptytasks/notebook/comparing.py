"""Compares tasks: a table of their parameters, and of the last and the best value of each metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..client import curves
from ..core.metrics.names import less_is_better
from . import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .task import Task

#: Default number of metrics in a table.
_COLUMNS = 4


class Comparison:
    """A snapshot of compared tasks. `rows` has a dictionary for each, for example for pandas."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __repr__(self) -> str:
        """Return a table as text."""
        return tables.as_text([name.upper() for name in self.columns], self._cells()) if self.rows else "no tasks"

    def _repr_html_(self) -> str:
        """Return a table as HTML."""
        return tables.as_html(self.columns, self._cells()) if self.rows else "<p>no tasks</p>"

    def _cells(self) -> list[list[str]]:
        return [[_said(row.get(name)) for name in self.columns] for row in self.rows]


def compare(tasks: Iterable[Task], metrics: Sequence[str] | None = None) -> Comparison:
    """Compare tasks by their metrics: `compare(tasks(tag="sweep"))`. The best ones come first.

    The best value is the lowest for a loss or an error, the highest for others.

    Args:
        metrics: the names of the metrics; by default the four that most tasks have.
    """
    told = [(task, task.info) for task in tasks]
    if metrics is None:
        count: dict[str, int] = {}
        for _, info in told:
            for name in info["metrics"]:
                count[name] = count.get(name, 0) + 1
        metrics = sorted(count, key=lambda name: -count[name])[:_COLUMNS]
    rows = []
    for task, info in told:
        row: dict[str, Any] = {"name": info["name"], "state": info["state"], **task.params}
        for name in metrics:
            one = info["metrics"].get(name)
            row[name] = None if one is None else float(one["value"])
            row[f"best {name}"] = None if one is None else one["min" if less_is_better(name) else "max"]
        rows.append(row)
    if metrics:
        first = f"best {metrics[0]}"
        sign = 1 if less_is_better(metrics[0]) else -1
        rows.sort(key=lambda row: (row[first] is None, sign * (row[first] or 0.0)))
    return Comparison(rows)


def _said(value: object) -> str:
    return "" if value is None else curves.number(value) if isinstance(value, float) else str(value)
