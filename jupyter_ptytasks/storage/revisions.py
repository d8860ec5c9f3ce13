"""Tracks changes of the database: each task that is stored or removed gets the next revision."""

from __future__ import annotations

from . import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from ..core.model import Task

#: The number of revisions for which removals are kept, for servers that have not seen them yet. Deleting a sweep may
#: remove a thousand tasks at once.
_REMOVALS_KEPT = 10_000


class Delta:
    """The changes since a revision: current tasks, ids of removed ones, and ids of rows that cannot be read."""

    __slots__ = ("removed", "revision", "tasks", "unreadable")

    def __init__(self, tasks: list[Task], removed: list[str], revision: int, unreadable: list[str]) -> None:
        self.tasks = tasks
        self.removed = removed
        self.revision = revision
        self.unreadable = unreadable


def last(sql: sqlite3.Connection) -> int:
    """Return the last revision."""
    return int(sql.execute("SELECT revision FROM counter").fetchone()[0])


def changed(sql: sqlite3.Connection, since: int) -> Iterator[sqlite3.Row]:
    """Yield the rows of tasks that were stored after revision `since`."""
    yield from sql.execute("SELECT * FROM tasks WHERE revision > ? ORDER BY id", (since,))


def removed(sql: sqlite3.Connection, since: int) -> Iterator[str]:
    """Yield the ids of tasks that were removed after revision `since`."""
    for row in sql.execute("SELECT id FROM removals WHERE revision > ?", (since,)):
        yield row["id"]


def store(sql: sqlite3.Connection, task: Task) -> Task:
    """Store a task with the next revision, and return it."""
    task = task.with_(revision=_next(sql))
    rows.write(sql, task)
    return task


def remove(sql: sqlite3.Connection, task_id: str) -> None:
    """Remove a task, and record its removal with the next revision."""
    revision = _next(sql)
    sql.execute("DELETE FROM tasks WHERE id = ?", (task_id,))
    sql.execute("INSERT INTO removals VALUES (?, ?)", (revision, task_id))
    sql.execute("DELETE FROM removals WHERE revision <= ?", (revision - _REMOVALS_KEPT,))


def _next(sql: sqlite3.Connection) -> int:
    sql.execute("UPDATE counter SET revision = revision + 1")
    return last(sql)
