"""Reads tasks from rows of the database, and from their directories if a row is damaged or incomplete."""

from __future__ import annotations

from . import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from ..core.model import Task


class Unreadable(Exception):
    """A row is damaged, or was written by a newer version."""


class RowReader:
    """Reads rows.

    Args:
        recall: returns a task from its directory, given its id, to replace a damaged row.
        submitted: returns a task as in its spec, given its id, to complete a row written by an older version.
    """

    def __init__(self, recall: Callable[[str], Task | None], submitted: Callable[[str], Task | None]) -> None:
        self._recall = recall
        self._submitted = submitted

    def task(self, row: sqlite3.Row) -> Task:
        """Return the task of a row; if it is damaged, from the task's directory. Raises Unreadable."""
        task = self.intact(row)
        if task is None and row["state"] in rows.STATES:
            task = self._recall(row["id"])
        # An unknown state is from a newer version: do not replace it by a guess.
        if task is None:
            raise Unreadable(row["id"])
        return task.with_(revision=row["revision"])

    def intact(self, row: sqlite3.Row) -> Task | None:
        """Return the task of a row; None if it is damaged or from a newer version."""
        task = rows.read(row)
        spec = self._submitted(task.id) if task is not None and not rows.is_complete(row) else None
        if task is None or spec is None:
            return task
        return task.with_(
            turn=spec.turn, sweep=spec.sweep, params=spec.params, gpus=spec.gpus, gpu_share=spec.gpu_share
        )
