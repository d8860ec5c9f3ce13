"""What listeners of the store receive: a task before and after a change, and whether this server made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.model import Task


@dataclass(frozen=True)
class Change:
    """A task before and after a change: `old` is None for a new task, `new` for a deleted one.

    Every server of the user sees every change. `by_us` is True on the server that made it, where changes are never
    merged: anything that must happen once per change (a hook, a notification) uses it.
    """

    old: Task | None
    new: Task | None
    by_us: bool

    @property
    def task(self) -> Task:
        """The task after the change; before it, if it was deleted."""
        task = self.new or self.old
        assert task is not None
        return task

    @property
    def task_id(self) -> str:
        """The id of the task."""
        return self.task.id
