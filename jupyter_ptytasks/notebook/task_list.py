"""A list of tasks that is displayed as a table."""

from __future__ import annotations

from ..client import format as formats
from . import tables
from .task import Task

_HEAD = ("name", "state", "exit", "ran", "started", "tags", "id", "command")


class TaskList(list[Task]):
    """A list of tasks, newest first."""

    def __repr__(self) -> str:
        """Return a table as text."""
        return tables.as_text([name.upper() for name in _HEAD], self._rows()) if self else "no tasks"

    def _repr_html_(self) -> str:
        """Return a table as HTML."""
        return tables.as_html(_HEAD, self._rows()) if self else "<p>no tasks</p>"

    def _rows(self) -> list[tuple[str, ...]]:
        # As of when the list was made: a consistent snapshot, without a request per row.
        return [_row(task) for task in self]


def _row(task: Task) -> tuple[str, ...]:
    info = task.as_heard
    ran = formats.runtime(info)
    return (
        info["name"],
        info["state"].replace("_", " "),
        formats.ending(info),
        "" if ran is None else formats.duration(ran),
        f"{formats.duration(formats.ago(info['started'] or info['created']))} ago",
        ", ".join(info["tags"]),
        info["id"],
        formats.command(info),
    )
