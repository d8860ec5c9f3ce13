"""The task database (sqlite), shared by all servers of a user. Blocking; runs in one thread, behind `store`.

Fields used in queries are columns; the rest of a task is JSON. Everything can be rebuilt from the task directories (see
`task_dirs`), so a file that sqlite finds corrupt is moved aside and never repaired in place.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..core.errors import (
    InternalError,
    InvalidState,
    NameInUse,
    StorageFull,
    StoreUnavailable,
    TaskNotFound,
    TooManyTasks,
    storage_fault,
)
from ..core.model import Exit, IfExists, Kind, Output, Task
from ..core.platform import locks
from ..core.states import ACTIVE, State, check, is_news
from .locks import Locks

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    #: Returns, for a task about to be stored, a context manager whose work belongs to the same transaction.
    Also = Callable[[Task], AbstractContextManager[object]]

#: One script per version; `PRAGMA user_version` is the number of scripts applied to a file.
MIGRATIONS = (
    """
    CREATE TABLE tasks (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX tasks_by_name ON tasks (name, id);
    CREATE INDEX tasks_by_state ON tasks (state);
    CREATE INDEX tasks_by_revision ON tasks (revision);
    CREATE TABLE removals (revision INTEGER PRIMARY KEY, id TEXT NOT NULL);
    CREATE TABLE counter (revision INTEGER NOT NULL);
    INSERT INTO counter VALUES (0);
    """,
)

#: Seconds to wait for another process that reads or writes, unless the caller sets `patience`.
BUSY = 5.0
_BUSY_MESSAGE = "the task database is locked by another process (a backup, or a server that hangs?); try again"
#: How many removals are kept for servers that have not seen them yet.
_REMOVALS_KEPT = 1000


class Delta:
    """The changes since a revision: current tasks, ids of removed ones, and ids of rows that cannot be read."""

    __slots__ = ("removed", "revision", "tasks", "unreadable")

    def __init__(self, tasks: list[Task], removed: list[str], revision: int, unreadable: list[str]) -> None:
        self.tasks = tasks
        self.removed = removed
        self.revision = revision
        self.unreadable = unreadable


class Unreadable(Exception):
    """A row is damaged, or was written by a newer version."""


class Database:
    """The database file at `path`. The caller closes it.

    Every method is one transaction. It may raise StorageFull, StoreUnavailable or InternalError, and has then changed
    nothing. Set `patience` to the seconds that transactions wait for other processes. `written` has the tasks before
    and after each change of the last transaction (None: did not exist).

    Args:
        rebuild: returns all tasks, to fill a new file, or replace a corrupt one.
        recall: returns the task with an id from its directory, to replace a damaged row.
    """

    def __init__(
        self,
        path: str,
        rebuild: Callable[[], Iterable[Task]],
        recall: Callable[[str], Task | None] = lambda _: None,
        locks: Locks | None = None,
    ) -> None:
        self.patience = BUSY
        self.written: list[tuple[Task | None, Task | None]] = []
        self._path = path
        self._name = os.path.basename(path)
        self._rebuild = rebuild
        self._recall = recall
        self._locks = locks or Locks(os.path.dirname(path))
        #: Whether the file system lacks the locks that sqlite uses.
        self._unlocked = False
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._opened = 0

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # -- operations -------------------------------------------------------------------------------------------------

    def version(self) -> tuple[int, int]:
        """Return a version that changes when the file was reopened, or changed by another connection."""
        with self._transaction(write=False) as sql:
            return self._opened, int(sql.execute("PRAGMA data_version").fetchone()[0])

    def changes(self, since: int) -> Delta:
        """Return the changes after revision `since`; for 0, all tasks."""
        with self._transaction(write=False) as sql:
            revision = _revision(sql)
            rows = sql.execute("SELECT * FROM tasks WHERE revision > ? ORDER BY id", (since,)).fetchall()
            removed = [row["id"] for row in sql.execute("SELECT id FROM removals WHERE revision > ?", (since,))]
        tasks, unreadable = [], []
        for row in rows:
            try:
                tasks.append(self._task(row))
            except Unreadable:
                unreadable.append(row["id"])
        return Delta(tasks, removed, revision, unreadable)

    def _task(self, row: sqlite3.Row) -> Task:
        """Return the task of a row; if it is damaged, from the task's directory. Raises Unreadable."""
        task = _read(row)
        if task is None and row["state"] in _STATES:
            task = self._recall(row["id"])
        # An unknown state is from a newer version, and cannot be replaced by a guess.
        if task is None:
            raise Unreadable(row["id"])
        return task.with_(revision=row["revision"])

    def _find(self, sql: sqlite3.Connection, task_id: str) -> Task:
        """Return a task that will be changed. Raises TaskNotFound."""
        row = sql.execute("SELECT * FROM tasks WHERE id = ?", (task_id,)).fetchone()
        try:
            if row is not None:
                task = self._task(row)
                # Repair a damaged row: its directory may have newer data than anyone has seen.
                return task if _read(row) is not None else self._put(sql, task, task)
        except Unreadable:
            pass
        raise TaskNotFound(f"no task has the id {task_id}")

    def add(self, task: Task, if_exists: IfExists, max_live: int) -> tuple[Task, bool]:
        """Add `task` and return it with True; or return a live task of the same name with False, as `if_exists` says.

        With `RESTART`, the newest task of the name counts even if it has ended. Raises NameInUse (for `FAIL`) and
        TooManyTasks.
        """
        with self._transaction() as sql:
            found = self._newest(sql, task.name)
            if found is not None and if_exists is not IfExists.NEW and (found.live or if_exists is IfExists.RESTART):
                if if_exists is IfExists.FAIL:
                    raise NameInUse(f"the task {found.id} of this name is {found.state.value}", field="name")
                return found, False
            if task.active:
                _check_room(sql, max_live)
            return self._put(sql, None, task), True

    def _newest(self, sql: sqlite3.Connection, name: str) -> Task | None:
        for row in sql.execute("SELECT * FROM tasks WHERE name = ? ORDER BY id DESC", (name,)):
            try:
                return self._task(row)
            except Unreadable:
                continue
        return None

    def put(self, tasks: Iterable[Task]) -> list[Task]:
        """Add tasks found on disk; existing ones are not changed."""
        with self._transaction() as sql:
            known = {row["id"] for row in sql.execute("SELECT id FROM tasks")}
            return [self._put(sql, None, task) for task in tasks if task.id not in known]

    def observe(self, task_id: str, attempt: int, state: State, **facts: Any) -> Task:
        """Record that an attempt is in `state`, with the `facts` known then, and return the updated task.

        Several servers report the same attempt. A report that is not new, or of another attempt, only fills fields that
        are still missing. Raises TaskNotFound, and InvalidState for an impossible transition.
        """
        with self._transaction() as sql:
            task = self._find(sql, task_id)
            if task.attempt != attempt:
                return task
            if is_news(task.state, state):
                return self._put(sql, task, task.with_(state=state, **facts))
            missing = {name: value for name, value in facts.items() if getattr(task, name) is None}
            return self._put(sql, task, task.with_(**missing)) if missing and task.live else task

    def change(self, task_id: str, also: Also | None = None, **changes: Any) -> Task:
        """Change fields that do not depend on the state, and return the updated task.

        Args:
            also: a context entered within the transaction and left after it, so that its work on the task's directory
                happens together with the change or not at all, and never concurrently with another server's.

        Raises:
            TaskNotFound: or what `also` raises.
        """
        with ExitStack() as together, self._transaction() as sql:
            old = self._find(sql, task_id)
            task = self._put(sql, old, old.with_(**changes))
            if also is not None:
                together.enter_context(also(task))
            return task

    def begin_attempt(self, task_id: str, attempt: int, max_live: int, also: Also | None = None) -> tuple[Task, bool]:
        """Move a finished task to `starting` with a new `attempt`, and return it with True.

        If another server was first, return the task with False. For `also` see `change`. Raises TaskNotFound,
        InvalidState, TooManyTasks.
        """
        with ExitStack() as together, self._transaction() as sql:
            task = self._find(sql, task_id)
            if attempt <= task.attempt:
                return task, False
            if task.live:
                raise InvalidState(f"the task has not ended: it is {task.state.value}", field="state")
            _check_room(sql, max_live)
            fresh = task.with_(
                state=State.STARTING, state_reason="", state_message="", exit=Exit(), attempt=attempt,
                pid=None, host_pid=None, started=None, ended=None, usage={},
                progress=None, leftover=0,
            )  # fmt: skip
            fresh = self._put(sql, task, fresh)
            if also is not None:
                together.enter_context(also(fresh))
            return fresh, True

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
        Raises TaskNotFound, InvalidState, and TooManyTasks if `max_live` tasks are active already.
        """
        with ExitStack() as together, self._transaction() as sql:
            task = self._find(sql, task_id)
            if task.state not in before:
                return task, False
            check(task.state, state)
            if max_live is not None:
                _check_room(sql, max_live)
            moved = self._put(sql, task, task.with_(state=state, **facts))
            if also is not None:
                together.enter_context(also(moved))
            return moved, True

    def remove(self, task_id: str) -> None:
        """Remove a finished task. Raises TaskNotFound, InvalidState."""
        with self._transaction() as sql:
            task = self._find(sql, task_id)
            if task.live:
                raise InvalidState("the task has not ended", field="state")
            self._remove(sql, task_id)
            self.written.append((task, None))

    def _put(self, sql: sqlite3.Connection, old: Task | None, task: Task) -> Task:
        """Store a task that replaces `old`, and return it with its revision."""
        task = _write_row(sql, task)
        self.written.append((old, task))
        return task

    def _remove(self, sql: sqlite3.Connection, task_id: str) -> None:
        revision = _next_revision(sql)
        sql.execute("DELETE FROM tasks WHERE id = ?", (task_id,))
        sql.execute("INSERT INTO removals VALUES (?, ?)", (revision, task_id))
        sql.execute("DELETE FROM removals WHERE revision <= ?", (revision - _REMOVALS_KEPT,))

    # -- the file ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """Run the block in a transaction. A corrupt file is replaced, and InternalError raised."""
        self.written = []
        connection = self._open()
        with self._alone():
            try:
                connection.execute(f"PRAGMA busy_timeout = {int(self.patience * 1000)}")
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
            except sqlite3.OperationalError as error:
                fault = _fault(error)
                if not isinstance(fault, (StorageFull, StoreUnavailable)):
                    # Reopening checks the file again: it may have been truncated.
                    self.close()
                raise fault from error
            except sqlite3.DatabaseError as error:
                self.close()
                self._open()
                raise InternalError(
                    f"the task database was damaged ({error}) and has been rebuilt; try again"
                ) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Exclude other servers from the block, if sqlite cannot do so itself."""
        if not self._unlocked:
            yield
            return
        with self._locks.hold(f"{self._name}.turn", self.patience) as held:
            if not held:
                raise StoreUnavailable(_BUSY_MESSAGE)
            yield

    def _open(self) -> sqlite3.Connection:
        """Return the connection, to the new file if another server has moved the old one aside."""
        if self._connection is not None and self._inode == _inode(self._path):
            return self._connection
        self.close()
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            # One server at a time checks the file: two would move each other's aside.
            with self._locks.hold(f"{self._name}.lock", self.patience) as held:
                if not held:
                    raise StoreUnavailable(_BUSY_MESSAGE)
                connection = self._open_checked()
        except OSError as error:
            raise storage_fault(error, "the task database cannot be opened") from error
        self._connection, self._inode = connection, _inode(self._path)
        self._opened += 1
        return connection

    def _open_checked(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.OperationalError as error:
            if not self._unlocked and not locks.has_record_locks(f"{self._path}.lock"):
                self._unlocked = True
                return self._open_checked()
            raise _fault(error) from error
        except sqlite3.DatabaseError:
            self._move_aside()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        if not os.path.exists(self._path):
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
        # https://www.sqlite.org/uri.html#urinolock
        address = f"file:{quote(os.path.abspath(self._path))}{'?nolock=1' if self._unlocked else ''}"
        connection = sqlite3.connect(
            address, uri=True, timeout=self.patience, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            # Not WAL, which does not work on NFS. The journal keeps its space, so that an end can be recorded when the
            # disk is full. What a power failure loses can be recovered from the directories.
            connection.execute("PRAGMA journal_mode = PERSIST")
            connection.execute("PRAGMA synchronous = NORMAL")
            if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check failed")
            if self._migrate(connection):
                connection.execute("BEGIN IMMEDIATE")
                for task in self._rebuild():
                    _write_row(connection, task)
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> bool:
        """Migrate the file to the current version. Return whether it was empty."""
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise StoreUnavailable(f"{self._path} was written by a newer version of jupyter_ptytasks")
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
        return bool(version == 0)

    def _move_aside(self) -> None:
        name = f"{self._path}.corrupt-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
        for suffix in ("", "-journal"):
            if os.path.exists(self._path + suffix):
                os.replace(self._path + suffix, name + suffix)


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _fault(error: sqlite3.OperationalError) -> InternalError:
    """Return our error for one of sqlite."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return StoreUnavailable(_BUSY_MESSAGE)
    if "unable to open" in text:
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as reason:  # sqlite does not say that it had no descriptor
            return StoreUnavailable(f"the task database cannot be opened: {reason}")
    if "full" in text or "disk I/O" in text or "unable to open" in text:
        return StorageFull(f"no space left for the task database: {error}")
    return InternalError(f"the task database failed: {error}")


def _check_room(sql: sqlite3.Connection, max_live: int) -> None:
    states = json.dumps([state.value for state in ACTIVE])
    query = "SELECT count(*) FROM tasks WHERE state IN (SELECT value FROM json_each(?))"
    active = sql.execute(query, (states,)).fetchone()[0]
    if active >= max_live:
        raise TooManyTasks(f"{active} tasks are running; the limit is {max_live} (max_live_tasks)")


def _revision(sql: sqlite3.Connection) -> int:
    return int(sql.execute("SELECT revision FROM counter").fetchone()[0])


def _next_revision(sql: sqlite3.Connection) -> int:
    sql.execute("UPDATE counter SET revision = revision + 1")
    return _revision(sql)


_PLAIN = (
    "command", "cwd", "created", "state_reason", "state_message", "attempt", "pid", "host_pid", "rows", "cols",
    "started", "ended", "last_output", "group", "metadata", "usage", "progress", "timeout", "provisioner", "pinned",
    "leftover",
)  # fmt: skip


_NUMBER = (int, float, type(None))
_TYPES: Mapping[str, tuple[type, ...]] = {
    "command": (str, list), "cwd": (str,), "created": (int, float), "state_reason": (str,), "state_message": (str,),
    "attempt": (int,), "rows": (int,), "cols": (int,), "pid": _NUMBER, "host_pid": _NUMBER, "started": _NUMBER,
    "ended": _NUMBER, "last_output": _NUMBER, "timeout": _NUMBER, "group": (str,), "metadata": (dict,),
    "usage": (dict,), "progress": (dict, type(None)), "provisioner": (str,), "pinned": (bool,),
    "leftover": (int,),
}  # fmt: skip
_STATES = frozenset(state.value for state in State)


def _write_row(sql: sqlite3.Connection, task: Task) -> Task:
    task = task.with_(revision=_next_revision(sql))
    body = {name: getattr(task, name) for name in _PLAIN}
    body["kind"] = task.kind.value
    body["tags"] = list(task.tags)
    body["exit"] = [task.exit.code, task.exit.signal]
    body["output"] = [task.output.start, task.output.end, task.output.lines, task.output.lost]
    sql.execute(
        "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?)",
        (task.id, task.name, task.state.value, task.revision, json.dumps(body, separators=(",", ":"))),
    )
    return task


def _read(row: sqlite3.Row) -> Task | None:
    """Return the task of a row; None if it is damaged or from a newer version."""
    try:
        body = json.loads(row["body"])
        if not all(isinstance(body[name], types) for name, types in _TYPES.items() if name in body):
            return None
        return Task(
            id=row["id"],
            name=row["name"],
            state=State(row["state"]),
            revision=row["revision"],
            kind=Kind(body["kind"]),
            tags=tuple(body["tags"]),
            exit=Exit(*body["exit"]),
            output=Output(*(int(bound) for bound in body["output"])),
            # Older versions have written fewer fields.
            **{name: body[name] for name in _PLAIN if name in body},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
