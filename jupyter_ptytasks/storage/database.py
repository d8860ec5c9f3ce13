"""The tasks in sqlite: what every server of the user agrees on. Blocking; runs on one thread, behind `store`.

The tables hold what is asked for in SQL as columns and the rest of a task as JSON. All of it can be rebuilt from the
task directories (see `task_dirs`), so a file that sqlite finds corrupt is moved aside and never repaired in place.
"""

from __future__ import annotations

import fcntl
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
from ..core.states import LIVE, State, check, is_news
from .locks import UNSUPPORTED, Locks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    #: Gives, for a task as it is about to be stored, a context that does something else together with that.
    Also = Callable[[Task], AbstractContextManager[object]]

#: One entry a version; `PRAGMA user_version` counts those that a file has been through.
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
_BUSY_MESSAGE = "the tasks' database is locked by another process (a backup, a server that hangs?); try again"
#: Removals that are remembered for servers that have not looked since.
_REMOVALS_KEPT = 1000


class Delta:
    """What has changed since a revision: the tasks as they are now, and the ids of those that are gone. `unreadable`
    are the ids of rows that this version cannot read.
    """

    __slots__ = ("removed", "revision", "tasks", "unreadable")

    def __init__(self, tasks: list[Task], removed: list[str], revision: int, unreadable: list[str]) -> None:
        self.tasks = tasks
        self.removed = removed
        self.revision = revision
        self.unreadable = unreadable


class Unreadable(Exception):
    """A row that this version cannot read: damaged, or of a newer version."""


class Database:
    """The file at `path`. `rebuild` gives the tasks to begin with when there is no file, or a corrupt one; `recall`
    the task with an id as its directory tells it, for a row that is damaged.

    Every method is one transaction and raises StorageFull, StoreUnavailable or InternalError (nothing is changed then).
    `patience` is how many seconds a transaction waits for other processes. The caller closes it.
    """

    def __init__(
        self,
        path: str,
        rebuild: Callable[[], Iterable[Task]],
        recall: Callable[[str], Task | None] = lambda _: None,
        locks: Locks | None = None,
    ) -> None:
        self.patience = BUSY
        self._path = path
        self._name = os.path.basename(path)
        self._rebuild = rebuild
        self._recall = recall
        self._locks = locks or Locks(os.path.dirname(path))
        #: Whether the file system has no locks for sqlite.
        self._unlocked = False
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._opened = 0

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # -- what servers do with it ------------------------------------------------------------------------------------

    def version(self) -> tuple[int, int]:
        """Give two numbers: the first differs whenever the file was opened anew, the second also when another
        connection has changed it.
        """
        with self._transaction(write=False) as sql:
            return self._opened, int(sql.execute("PRAGMA data_version").fetchone()[0])

    def changes(self, since: int) -> Delta:
        """Give what has changed after revision `since`; all tasks for 0."""
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
        """Return the task of a row; of a damaged row, what the task's directory tells. Raises Unreadable."""
        task = _read(row)
        if task is None and row["state"] in _STATES:
            task = self._recall(row["id"])
        # A state that we do not know is of a newer version: what we would say of the task would be wrong.
        if task is None:
            raise Unreadable(row["id"])
        return task.with_(revision=row["revision"])

    def _find(self, sql: sqlite3.Connection, task_id: str) -> Task:
        """Return a task that is about to be changed. Raises TaskNotFound."""
        row = sql.execute("SELECT * FROM tasks WHERE id = ?", (task_id,)).fetchone()
        try:
            if row is not None:
                task = self._task(row)
                # A damaged row is mended: what its directory tells may be later than what anybody has seen.
                return task if _read(row) is not None else _put(sql, task)
        except Unreadable:
            pass
        raise TaskNotFound(f"there is no task {task_id}")

    def add(self, task: Task, if_exists: IfExists, max_live: int) -> tuple[Task, bool]:
        """Add `task`, unless a live task of its name stands in the way: then give that one and False.

        With `RESTART` a finished task of the name counts as well, but only the newest. Raises NameInUse (`FAIL`) and
        TooManyTasks.
        """
        with self._transaction() as sql:
            found = self._newest(sql, task.name)
            if found is not None and if_exists is not IfExists.NEW and (found.live or if_exists is IfExists.RESTART):
                if if_exists is IfExists.FAIL:
                    raise NameInUse(f"the task {found.id} of this name is {found.state.value}", field="name")
                return found, False
            _check_room(sql, max_live)
            return _put(sql, task), True

    def _newest(self, sql: sqlite3.Connection, name: str) -> Task | None:
        for row in sql.execute("SELECT * FROM tasks WHERE name = ? ORDER BY id DESC", (name,)):
            try:
                return self._task(row)
            except Unreadable:
                continue
        return None

    def put(self, tasks: Iterable[Task]) -> list[Task]:
        """Add tasks that were found on disk; those that are there already stay as they are."""
        with self._transaction() as sql:
            known = {row["id"] for row in sql.execute("SELECT id FROM tasks")}
            return [_put(sql, task) for task in tasks if task.id not in known]

    def observe(self, task_id: str, attempt: int, state: State, **facts: Any) -> Task:
        """Take in a report that an attempt is in `state`, with the fields that go with it; return the task as it is
        then.

        Several servers report what they see of the same attempt. A report of what somebody else has reported already,
        or of something earlier, or of another attempt, changes nothing but fields that are still missing. Raises
        TaskNotFound, and InvalidState for what cannot have happened.
        """
        with self._transaction() as sql:
            task = self._find(sql, task_id)
            if task.attempt != attempt:
                return task
            if is_news(task.state, state):
                return _put(sql, task.with_(state=state, **facts))
            missing = {name: value for name, value in facts.items() if getattr(task, name) is None}
            return _put(sql, task.with_(**missing)) if missing and task.live else task

    def change(self, task_id: str, also: Also | None = None, **changes: Any) -> Task:
        """Change what does not depend on a task's state, and return the task as it is then.

        `also` is entered inside the transaction and left after it, so that what it does (to the task's directory)
        happens together with the change or not at all, and never at the same time as another server's. Raises
        TaskNotFound, and what `also` raises.
        """
        with ExitStack() as together, self._transaction() as sql:
            task = _put(sql, self._find(sql, task_id).with_(**changes))
            if also is not None:
                together.enter_context(also(task))
            return task

    def begin_attempt(self, task_id: str, attempt: int, max_live: int, also: Also | None = None) -> tuple[Task, bool]:
        """Move a finished task to `starting`, with `attempt`, the one that follows its last. If somebody else has done
        so, return the task as it is and False. `also`: see `change`. Raises TaskNotFound, InvalidState, TooManyTasks.
        """
        with ExitStack() as together, self._transaction() as sql:
            task = self._find(sql, task_id)
            if attempt <= task.attempt:
                return task, False
            check(task.state, State.STARTING)
            _check_room(sql, max_live)
            fresh = task.with_(
                state=State.STARTING, state_reason="", state_message="", exit=Exit(), attempt=attempt,
                pid=None, host_pid=None, started=None, ended=None, usage={},
                progress=None, leftover=0,
            )  # fmt: skip
            fresh = _put(sql, fresh)
            if also is not None:
                together.enter_context(also(fresh))
            return fresh, True

    def remove(self, task_id: str) -> None:
        """Remove a task that has ended. Raises TaskNotFound, InvalidState."""
        with self._transaction() as sql:
            if self._find(sql, task_id).live:
                raise InvalidState("the task has not ended", field="state")
            self._remove(sql, task_id)

    def _remove(self, sql: sqlite3.Connection, task_id: str) -> None:
        revision = _next_revision(sql)
        sql.execute("DELETE FROM tasks WHERE id = ?", (task_id,))
        sql.execute("INSERT INTO removals VALUES (?, ?)", (revision, task_id))
        sql.execute("DELETE FROM removals WHERE revision <= ?", (revision - _REMOVALS_KEPT,))

    # -- the file ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """Run the block in a transaction. A corrupt file is replaced, and the caller told to come again."""
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
                    # Opened anew it is looked at again: somebody may have emptied it.
                    self.close()
                raise fault from error
            except sqlite3.DatabaseError as error:
                self.close()
                self._open()
                raise InternalError(
                    f"the tasks' database was damaged ({error}) and has been rebuilt; ask again"
                ) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other servers out of the block, where sqlite cannot do so itself."""
        if not self._unlocked:
            yield
            return
        with self._locks.hold(f"{self._name}.turn", self.patience) as held:
            if not held:
                raise StoreUnavailable(_BUSY_MESSAGE)
            yield

    def _open(self) -> sqlite3.Connection:
        """Return the connection to the file at the path: if another server has moved it aside meanwhile, to the new
        one.
        """
        if self._connection is not None and self._inode == _inode(self._path):
            return self._connection
        self.close()
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            # One server at a time looks whether the file is good: two would move each other's aside.
            with self._locks.hold(f"{self._name}.lock", self.patience) as held:
                if not held:
                    raise StoreUnavailable(_BUSY_MESSAGE)
                connection = self._open_checked()
        except OSError as error:
            raise storage_fault(error, "the tasks' database cannot be opened") from error
        self._connection, self._inode = connection, _inode(self._path)
        self._opened += 1
        return connection

    def _open_checked(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.OperationalError as error:
            if not self._unlocked and not _has_locks(self._path):
                self._unlocked = True
                return self._open_checked()
            raise _fault(error) from error
        except sqlite3.DatabaseError:
            self._move_aside()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        if not os.path.exists(self._path):
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        # https://www.sqlite.org/uri.html#urinolock
        address = f"file:{quote(os.path.abspath(self._path))}{'?nolock=1' if self._unlocked else ''}"
        connection = sqlite3.connect(
            address, uri=True, timeout=self.patience, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            # Not WAL: home directories are on NFS, where it needs what is not there. The journal keeps its room, so
            # that an end can be written down when the disk is full. What a power cut may cost is in the directories.
            connection.execute("PRAGMA journal_mode = PERSIST")
            connection.execute("PRAGMA synchronous = NORMAL")
            if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check failed")
            if self._migrate(connection):
                connection.execute("BEGIN IMMEDIATE")
                for task in self._rebuild():
                    _put(connection, task)
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> bool:
        """Bring the file to the newest version; True if it was empty."""
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
    """Return what an error of sqlite means to us."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return StoreUnavailable(_BUSY_MESSAGE)
    if "unable to open" in text:
        try:
            os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as reason:  # sqlite does not tell that it had no descriptor
            return StoreUnavailable(f"the tasks' database cannot be opened: {reason}")
    if "full" in text or "disk I/O" in text or "unable to open" in text:
        return StorageFull(f"the tasks' database has no room: {error}")
    return InternalError(f"the tasks' database: {error}")


def _has_locks(path: str) -> bool:
    """Return whether the file system of `path` has the locks that sqlite uses (POSIX record locks)."""
    with open(f"{path}.lock", "ab") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in UNSUPPORTED
    return True


def _check_room(sql: sqlite3.Connection, max_live: int) -> None:
    states = json.dumps([state.value for state in LIVE])
    query = "SELECT count(*) FROM tasks WHERE state IN (SELECT value FROM json_each(?))"
    live = sql.execute(query, (states,)).fetchone()[0]
    if live >= max_live:
        raise TooManyTasks(f"{live} tasks are live, and {max_live} is the limit (max_live_tasks)")


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


def _put(sql: sqlite3.Connection, task: Task) -> Task:
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
    """Return the task of a row; None if it is damaged or of a newer version."""
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
            # What a server of an older version has written knows less.
            **{name: body[name] for name in _PLAIN if name in body},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
