"""A list of tasks that is displayed as a table."""

from __future__ import annotations

from html import escape

from ..client import format as formats
from .task import Task

_HEAD = ("name", "state", "exit", "ran", "started", "tags", "id", "command")
#: Longest text of a table cell.
_WIDTH = 40


class TaskList(list[Task]):
    """A list of tasks, newest first."""

    def __repr__(self) -> str:
        """Return a table as text."""
        if not self:
            return "no tasks"
        rows = [tuple(name.upper() for name in _HEAD), *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        """Return a table as HTML."""
        if not self:
            return "<p>no tasks</p>"
        left = 'style="text-align: left"'
        head = "".join(f"<th {left}>{name}</th>" for name in _HEAD)
        rows = ("".join(f"<td {left}>{escape(cell)}</td>" for cell in row) for row in self._rows())
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _rows(self) -> list[tuple[str, ...]]:
        # As of when the list was made: a consistent snapshot, without a request per row.
        return [_row(task) for task in self]


def _row(task: Task) -> tuple[str, ...]:
    info = task.as_heard
    ran = formats.runtime(info)
    cells = (
        info["name"],
        info["state"].replace("_", " "),
        formats.ending(info),
        "" if ran is None else formats.duration(ran),
        f"{formats.duration(formats.ago(info['started'] or info['created']))} ago",
        ", ".join(info["tags"]),
        info["id"],
        formats.command(info),
    )
    return tuple(cell if len(cell) <= _WIDTH else cell[: _WIDTH - 1] + "…" for cell in cells)
