"""The task database (SQLite), shared by all servers of a user: reads and changes tasks. Blocking; used in one thread,
by `store`.

Fields used in queries are columns; the rest of a task is JSON. Everything can be rebuilt from the task directories (see
`task_dirs`), so a corrupt file is moved aside, and never repaired in place.
"""

from __future__ import annotations

import json
import os

from ..core.errors import InvalidState, NameInUse, TaskNotFound, TooManyTasks
from ..core.model import Exit, IfExists, Task
from ..core.states import ACTIVE, State, check, is_news
from . import revisions
from .locks import Locks
from .records import with_attempt
from .revisions import Delta
from .row_reader import RowReader, Unreadable
from .sqlite_file import SqliteFile
from .transactions import Transactions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Container, Iterable, Iterator
    from contextlib import AbstractContextManager
    from typing import Any

    #: Returns a context manager for a task that is about to be stored. Its work belongs to the same transaction.
    Also = Callable[[Task], AbstractContextManager[object]]
    #: The same for several tasks.
    AlsoAll = Callable[[list[Task]], AbstractContextManager[object]]


class Database:
    """The database file at `path`. The caller closes it.

    Every method is one transaction. It may raise StorageFull, StoreUnavailable or InternalError, and has then changed
    nothing. Set `patience` to the seconds that transactions wait for other processes.

    Args:
        rebuild: returns all tasks, to fill a new file, or one that replaces a corrupt file.
        recall: returns a task from its directory, given its id, to replace a damaged row.
        submitted: returns a task as in its spec, given its id, to complete a row written by an older version.
    """

    def __init__(
        self,
        path: str,
        rebuild: Callable[[], Iterable[Task]],
        recall: Callable[[str], Task | None] = lambda _: None,
        locks: Locks | None = None,
        submitted: Callable[[str], Task | None] = lambda _: None,
    ) -> None:
        self._rebuild = rebuild
        self._rows = RowReader(recall, submitted)
        self._file = SqliteFile(path, self._fill, locks or Locks(os.path.dirname(path)))
        self._transactions = Transactions(self._file)

    @property
    def written(self) -> list[tuple[Task | None, Task | None]]:
        """The tasks before and after each change of the last transaction (None: did not exist)."""
        return self._transactions.written

    @property
    def patience(self) -> float:
        """Seconds that a transaction waits for other processes."""
        return self._file.patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._file.patience = seconds

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _fill(self, sql: sqlite3.Connection) -> None:
        for task in self._rebuild():
            revisions.store(sql, task)

    def together(self) -> AbstractContextManager[None]:
        """Make one transaction of all changes in a block (Transactions.together)."""
        return self._transactions.together()

    # -- operations -------------------------------------------------------------------------------------------------

    def version(self) -> tuple[int, int]:
        """Return a version that changes when the file was reopened, or changed by another connection."""
        with self._transactions.reading() as sql:
            return self._file.opened, int(sql.execute("PRAGMA data_version").fetchone()[0])

    def changes(self, since: int) -> Delta:
        """Return the changes after revision `since`; for 0, all tasks."""
        with self._transactions.reading() as sql:
            revision = revisions.last(sql)
            changed = list(revisions.changed(sql, since))
            removed = list(revisions.removed(sql, since))
        tasks, unreadable = [], []
        for row in changed:
            try:
                tasks.append(self._rows.task(row))
            except Unreadable:
                unreadable.append(row["id"])
        return Delta(tasks, removed, revision, unreadable)

    def each_change(self, since: int) -> Iterator[Task | str]:
        """Yield the same one by one: tasks, and the ids of those that were removed or cannot be read. The database must
        not be used otherwise meanwhile.
        """
        with self._transactions.reading() as sql:
            yield from revisions.removed(sql, since)
            for row in revisions.changed(sql, since):
                try:
                    yield self._rows.task(row)
                except Unreadable:
                    yield row["id"]

    def confirm(self, task_id: str) -> None:
        """Raise TaskNotFound if there is no task with this id."""
        with self._transactions.reading() as sql:
            if sql.execute("SELECT 1 FROM tasks WHERE id = ?", (task_id,)).fetchone() is None:
                raise _not_found(task_id)

    def _find(self, sql: sqlite3.Connection, task_id: str) -> Task:
        """Return a task that will be changed. Raises TaskNotFound."""
        row = sql.execute("SELECT * FROM tasks WHERE id = ?", (task_id,)).fetchone()
        try:
            if row is not None:
                task = self._rows.intact(row)
                if task is not None:
                    return task
                # Repair the damaged row: the directory may have newer data than the servers have seen.
                task = self._rows.task(row)
                return self._put(sql, task, task)
        except Unreadable:
            pass
        raise _not_found(task_id)

    def add(self, task: Task, if_exists: IfExists, max_live: int) -> tuple[Task, bool]:
        """Add `task` and return it with True; or, depending on `if_exists`, return a live task of the same name with
        False.

        With `RESTART`, the newest task of that name is returned even if it has ended. Raises NameInUse (for `FAIL`) and
        TooManyTasks.
        """
        with self._transactions.writing() as (sql, _):
            found = self._newest(sql, task.name) if if_exists is not IfExists.NEW else None
            if found is not None and (found.live or if_exists is IfExists.RESTART):
                if if_exists is IfExists.FAIL:
                    raise NameInUse(f"the task {found.id} with this name is {found.state.value}", field="name")
                return found, False
            if task.active:
                _check_room(sql, max_live)
            return self._put(sql, None, task), True

    def add_all(self, tasks: Iterable[Task], also: AlsoAll) -> list[Task]:
        """Add tasks that are pending or have ended, all or none of them. For `also` see `change`."""
        with self._transactions.writing() as (sql, together):
            added = [self._put(sql, None, task) for task in tasks]
            together.enter_context(also(added))
            return added

    def _newest(self, sql: sqlite3.Connection, name: str) -> Task | None:
        for row in sql.execute("SELECT * FROM tasks WHERE name = ? ORDER BY id DESC", (name,)):
            try:
                return self._rows.task(row)
            except Unreadable:
                continue
        return None

    def put(self, tasks: Iterable[Task]) -> list[Task]:
        """Add tasks found on disk; existing ones are not changed."""
        with self._transactions.writing() as (sql, _):
            known = {row["id"] for row in sql.execute("SELECT id FROM tasks")}
            return [self._put(sql, None, task) for task in tasks if task.id not in known]

    def observe(self, task_id: str, attempt: int, state: State, **facts: Any) -> Task:
        """Record that an attempt is in `state`, with the `facts` known then, and return the updated task.

        Several servers report the same attempt. A report that is not new, or of another attempt, only fills fields that
        are still missing; once the task has ended, only `git`. Raises TaskNotFound, and InvalidState for an impossible
        transition.
        """
        with self._transactions.writing() as (sql, _):
            task = self._find(sql, task_id)
            if task.attempt != attempt:
                return task
            if is_news(task.state, state):
                return self._put(sql, task, task.with_(state=state, **facts))
            missing = {
                name: value
                for name, value in facts.items()
                if getattr(task, name) is None and value is not None and (task.live or name == "git")
            }
            return self._put(sql, task, task.with_(**missing)) if missing else task

    def change(self, task_id: str, also: Also | None = None, **changes: Any) -> Task:
        """Change fields that do not depend on the state, and return the updated task.

        Args:
            also: a context entered within the transaction and left after it, so that its work on the task's directory
                happens together with the change or not at all, and never concurrently with another server's.

        Raises:
            TaskNotFound: or what `also` raises.
        """
        return self.edit(task_id, lambda task: task.with_(**changes), also)

    def edit(self, task_id: str, make: Callable[[Task], Task], also: Also | None = None) -> Task:
        """Change a task to what `make` returns for its current fields, and return it. For `also` see `change`.

        Raises TaskNotFound, or what `make` or `also` raises; then nothing has changed.
        """
        with self._transactions.writing() as (sql, together):
            old = self._find(sql, task_id)
            task = self._put(sql, old, make(old))
            if also is not None:
                together.enter_context(also(task))
            return task

    def begin_attempt(
        self,
        task_id: str,
        attempt: int,
        max_live: int,
        also: Also | None = None,
        *,
        state: State = State.STARTING,
    ) -> tuple[Task, bool]:
        """Move a finished task to `starting` (or `queued`) with a new `attempt`, and return it with True.

        If another server was first, return the task with False. For `also` see `change`. Raises TaskNotFound,
        InvalidState, TooManyTasks.
        """
        with self._transactions.writing() as (sql, together):
            task = self._find(sql, task_id)
            if attempt <= task.attempt:
                return task, False
            if task.live:
                raise InvalidState(f"the task has not ended: it is {task.state.value}", field="state")
            if state.active:
                _check_room(sql, max_live)
            fresh = self._put(sql, task, next_attempt(task, attempt, state))
            if also is not None:
                together.enter_context(also(fresh))
            return fresh, True

    def run_again(self, task_id: str, attempt: int, *, also: Also, state: State, **facts: Any) -> Task:
        """Record that a batch system runs a live task again, as this `attempt`, and return the task. If that is already
        known, or the task has ended, return it unchanged. For `also` see `change`. Raises TaskNotFound.
        """
        with self._transactions.writing() as (sql, together):
            task = self._find(sql, task_id)
            if attempt <= task.attempt or not task.live:
                return task
            fresh = self._put(sql, task, next_attempt(task, attempt, state).with_(**facts))
            together.enter_context(also(fresh))
            return fresh

    def move(
        self,
        task_id: str,
        before: Container[State],
        state: State,
        *,
        max_live: int | None = None,
        also: Also | None = None,
        **facts: Any,
    ) -> tuple[Task, bool]:
        """Move a task to `state` if its state is one of `before`, and return it with True.

        Otherwise return it unchanged with False: if several processes try, one succeeds. For `also` see `change`.
        Raises TaskNotFound, InvalidState, and TooManyTasks if `max_live` tasks are already active.
        """
        with self._transactions.writing() as (sql, together):
            task = self._find(sql, task_id)
            if task.state not in before:
                return task, False
            if state is not task.state:
                check(task.state, state)
            if max_live is not None:
                _check_room(sql, max_live)
            moved = self._put(sql, task, task.with_(state=state, **facts))
            if also is not None:
                together.enter_context(also(moved))
            return moved, True

    def change_all(self, task_ids: Iterable[str], change: Callable[[Task], Task | None], also: AlsoAll) -> list[Task]:
        """Change several tasks, all or none of them, and return those that were changed. `change` returns the changed
        task, or None to leave it unchanged. Missing tasks are skipped. For `also` see `change`. Raises InvalidState.
        """
        with self._transactions.writing() as (sql, together):
            changed = []
            for task_id in task_ids:
                try:
                    old = self._find(sql, task_id)
                except TaskNotFound:
                    continue
                task = change(old)
                if task is not None:
                    if task.state is not old.state:
                        check(old.state, task.state)
                    changed.append(self._put(sql, old, task))
            together.enter_context(also(changed))
            return changed

    def remove(self, *task_ids: str, spare_pinned: bool = False) -> list[str]:
        """Remove ended tasks, all or none of them, and return the ids of those that were removed; with `spare_pinned`,
        pinned ones are kept. Raises InvalidState if one is live, TaskNotFound if none exists.
        """
        removed = []
        found = False
        with self._transactions.writing() as (sql, _):
            for task_id in task_ids:
                try:
                    task = self._find(sql, task_id)
                except TaskNotFound:
                    continue
                found = True
                if spare_pinned and task.pinned:
                    continue
                if task.live:
                    raise InvalidState("the task has not ended", field="state")
                revisions.remove(sql, task_id)
                self.written.append((task, None))
                removed.append(task_id)
            if not found:
                raise _not_found(" or ".join(task_ids))
        return removed

    def _put(self, sql: sqlite3.Connection, old: Task | None, task: Task) -> Task:
        """Store a task that replaces `old`, and return it with its revision."""
        task = revisions.store(sql, task)
        self.written.append((old, task))
        return task


def next_attempt(task: Task, attempt: int, state: State, **facts: Any) -> Task:
    """Return an ended task in the initial state of its next attempt."""
    return task.with_(
        state=state, state_reason="", state_message="", why="", exit=Exit(), attempt=attempt,
        pid=None, host_pid=None, started=None, ended=None, usage={},
        progress=None, metrics=None, leftover=0, job={}, git=None, earlier=with_attempt(task), **facts,
    )  # fmt: skip


def _check_room(sql: sqlite3.Connection, max_live: int) -> None:
    states = json.dumps([state.value for state in ACTIVE])
    query = "SELECT count(*) FROM tasks WHERE state IN (SELECT value FROM json_each(?))"
    active = sql.execute(query, (states,)).fetchone()[0]
    if active >= max_live:
        raise TooManyTasks(f"{active} tasks are running; the limit is {max_live} (max_live_tasks)")


def _not_found(task_id: str) -> TaskNotFound:
    return TaskNotFound(f"no task has the id {task_id}")
