"""The tasks in sqlite: what every server of the user agrees on. Blocking; runs on one thread, behind `store`.

The tables hold what is asked for in SQL as columns and the rest of a task as JSON. All of it can be rebuilt from the
task directories (see `catalogue`), so a file that sqlite finds corrupt is moved aside and never repaired in place.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..core.errors import IllegalMove, NameInUse, ServiceFault, StorageFull, TaskNotFound, TooManyTasks
from ..core.model import Exit, IfExists, Kind, Output, Task
from ..core.states import LIVE, State, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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

#: Seconds to wait for another server that is writing.
_BUSY = 10.0
#: Removals that are remembered for servers that have not looked since.
_REMOVALS_KEPT = 1000


class Delta:
    """What has changed since a revision: the tasks as they are now, and the ids of those that are gone."""

    __slots__ = ("removed", "revision", "tasks")

    def __init__(self, tasks: list[Task], removed: list[str], revision: int) -> None:
        self.tasks = tasks
        self.removed = removed
        self.revision = revision


class Database:
    """The file at `path`. `rebuild` gives the tasks to begin with when there is no file, or a corrupt one.

    Every method is one transaction and raises StorageFull or ServiceFault (nothing is changed then). The caller closes
    it.
    """

    def __init__(self, path: str, rebuild: Callable[[], Iterable[Task]]) -> None:
        self._path = path
        self._rebuild = rebuild
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
            tasks = [_task(row) for row in sql.execute("SELECT * FROM tasks WHERE revision > ? ORDER BY id", (since,))]
            removed = [row["id"] for row in sql.execute("SELECT id FROM removals WHERE revision > ?", (since,))]
            return Delta(tasks, removed, revision)

    def newest_id(self) -> str:
        """Give the id that sorts last; empty when there are no tasks."""
        with self._transaction(write=False) as sql:
            return sql.execute("SELECT max(id) FROM tasks").fetchone()[0] or ""

    def add(self, task: Task, if_exists: IfExists, max_live: int) -> tuple[Task, bool]:
        """Add `task`, unless a live task of its name stands in the way: then give that one and False.

        With `RESTART` a finished task of the name counts as well, but only the newest. Raises NameInUse (`FAIL`) and
        TooManyTasks.
        """
        with self._transaction() as sql:
            row = sql.execute("SELECT * FROM tasks WHERE name = ? ORDER BY id DESC LIMIT 1", (task.name,)).fetchone()
            found = _task(row) if row is not None else None
            if found is not None and if_exists is not IfExists.NEW and (found.live or if_exists is IfExists.RESTART):
                if if_exists is IfExists.FAIL:
                    raise NameInUse(f"the task {found.id} of this name is {found.state.value}", field="name")
                return found, False
            _check_room(sql, max_live)
            return _put(sql, task), True

    def put(self, tasks: Iterable[Task]) -> list[Task]:
        """Add tasks that were found on disk; those that are there already stay as they are."""
        with self._transaction() as sql:
            known = {row["id"] for row in sql.execute("SELECT id FROM tasks")}
            return [_put(sql, task) for task in tasks if task.id not in known]

    def change(self, task_id: str, *, state: State | None = None, attempt: int | None = None, **changes: Any) -> Task:
        """Change a task and give it as it is then; the move to `state`, if one is given, must be allowed.

        With `attempt` the task must still be at it. Raises TaskNotFound, IllegalMove.
        """
        with self._transaction() as sql:
            task = _find(sql, task_id)
            if attempt is not None and task.attempt != attempt:
                raise IllegalMove(f"the task is at attempt {task.attempt} by now, not {attempt}")
            if state is not None:
                check(task.state, state)
                changes["state"] = state
            return _put(sql, task.with_(**changes))

    def begin_attempt(self, task_id: str, attempt: int, max_live: int) -> tuple[Task, bool]:
        """Move a finished task to `starting`, with `attempt`, the one that follows its last; where somebody else has
        done so, give the task as it is and False. Raises TaskNotFound, IllegalMove, TooManyTasks.
        """
        with self._transaction() as sql:
            task = _find(sql, task_id)
            if attempt <= task.attempt:
                return task, False
            check(task.state, State.STARTING)
            _check_room(sql, max_live)
            fresh = task.with_(
                state=State.STARTING, state_reason="", state_message="", exit=Exit(), attempt=attempt,
                pid=None, host_pid=None, started=None, ended=None, usage={},
                progress=None,
            )  # fmt: skip
            return _put(sql, fresh), True

    def remove(self, task_id: str) -> None:
        """Remove a task that has ended. Raises TaskNotFound, IllegalMove."""
        with self._transaction() as sql:
            if _find(sql, task_id).live:
                raise IllegalMove("the task has not ended", field="state")
            revision = _next_revision(sql)
            sql.execute("DELETE FROM tasks WHERE id = ?", (task_id,))
            sql.execute("INSERT INTO removals VALUES (?, ?)", (revision, task_id))
            sql.execute("DELETE FROM removals WHERE revision <= ?", (revision - _REMOVALS_KEPT,))

    # -- the file ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """Run the block in a transaction. A corrupt file is replaced, and the caller told to come again."""
        connection = self._open()
        try:
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            if _is_full(error):
                raise StorageFull(f"the tasks' database has no room: {error}") from error
            # Opened anew it is looked at again: somebody may have emptied it.
            self.close()
            raise ServiceFault(f"the tasks' database: {error}") from error
        except sqlite3.DatabaseError as error:
            self.close()
            self._open()
            raise ServiceFault(f"the tasks' database was damaged ({error}) and has been rebuilt; ask again") from error

    def _open(self) -> sqlite3.Connection:
        """Give the connection to the file at the path: if another server has moved it aside meanwhile, to the new
        one.
        """
        if self._connection is not None and self._inode == _inode(self._path):
            return self._connection
        self.close()
        os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
        # One server at a time looks whether the file is good: two would move each other's aside.
        with open(f"{self._path}.lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                connection = self._connect()
            except sqlite3.OperationalError as error:
                raise (StorageFull if _is_full(error) else ServiceFault)(
                    f"the tasks' database cannot be opened: {error}"
                ) from error
            except sqlite3.DatabaseError:
                self._move_aside()
                connection = self._connect()
        self._connection, self._inode = connection, _inode(self._path)
        self._opened += 1
        return connection

    def _connect(self) -> sqlite3.Connection:
        is_new = not os.path.exists(self._path)
        if is_new:
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
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
            raise ServiceFault(f"{self._path} was written by a newer version of jupyter_ptytasks")
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


def _is_full(error: sqlite3.OperationalError) -> bool:
    return "full" in str(error) or "disk I/O" in str(error) or "unable to open" in str(error)


def _check_room(sql: sqlite3.Connection, max_live: int) -> None:
    states = json.dumps([state.value for state in LIVE])
    query = "SELECT count(*) FROM tasks WHERE state IN (SELECT value FROM json_each(?))"
    live = sql.execute(query, (states,)).fetchone()[0]
    if live >= max_live:
        raise TooManyTasks(f"{live} tasks are live, and {max_live} is the limit (max_live_tasks)")


def _find(sql: sqlite3.Connection, task_id: str) -> Task:
    row = sql.execute("SELECT * FROM tasks WHERE id = ?", (task_id,)).fetchone()
    if row is None:
        raise TaskNotFound(f"there is no task {task_id}")
    return _task(row)


def _revision(sql: sqlite3.Connection) -> int:
    return int(sql.execute("SELECT revision FROM counter").fetchone()[0])


def _next_revision(sql: sqlite3.Connection) -> int:
    sql.execute("UPDATE counter SET revision = revision + 1")
    return _revision(sql)


_PLAIN = (
    "command", "cwd", "created", "state_reason", "state_message", "attempt", "pid", "host_pid", "rows", "cols",
    "started", "ended", "last_output", "group", "metadata", "usage", "progress", "timeout", "provisioner",
)  # fmt: skip


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


def _task(row: sqlite3.Row) -> Task:
    body = json.loads(row["body"])
    return Task(
        id=row["id"],
        name=row["name"],
        state=State(row["state"]),
        revision=row["revision"],
        kind=Kind(body["kind"]),
        tags=tuple(body["tags"]),
        exit=Exit(*body["exit"]),
        output=Output(*body["output"]),
        # What a server of an older version has written knows less.
        **{name: body[name] for name in _PLAIN if name in body},
    )
