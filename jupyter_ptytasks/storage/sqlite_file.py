"""An SQLite file that several processes share, on any file system: its transactions, its migrations, and its
replacement if it is corrupt.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager

from ..core.errors import InternalError, StorageFull, StoreUnavailable, storage_fault
from ..core.platform import locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .locks import Locks

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


class SqliteFile:
    """The database file at `path`. The caller closes it.

    Set `patience` to the seconds that transactions wait for other processes. `opened` counts how often it was opened.

    Args:
        fill: writes the content of a new file, or of one that replaces a corrupt file.
    """

    def __init__(self, path: str, fill: Callable[[sqlite3.Connection], None], locks: Locks) -> None:
        self.patience = BUSY
        self.opened = 0
        self._path = path
        self._name = os.path.basename(path)
        self._fill = fill
        self._locks = locks
        #: Whether the file system lacks the locks that SQLite uses.
        self._unlocked = False
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """Run the block in a transaction. A corrupt file is replaced, and InternalError raised."""
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
        """Exclude other processes from the block, if SQLite cannot do so itself."""
        if not self._unlocked:
            yield
            return
        with self._locks.hold(f"{self._name}.turn", self.patience) as held:
            if not held:
                raise StoreUnavailable(_BUSY_MESSAGE)
            yield

    def _open(self) -> sqlite3.Connection:
        """Return the connection; reopen it if another process has replaced the file."""
        if self._connection is not None and self._inode == _inode(self._path):
            return self._connection
        self.close()
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            # One process at a time checks the file: two would move each other's new file aside.
            with self._locks.hold(f"{self._name}.lock", self.patience) as held:
                if not held:
                    raise StoreUnavailable(_BUSY_MESSAGE)
                connection = self._open_checked()
        except OSError as error:
            raise storage_fault(error, "the task database cannot be opened") from error
        self._connection, self._inode = connection, _inode(self._path)
        self.opened += 1
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
        # https://www.sqlite.org/uri.html
        path = os.path.abspath(self._path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        address = f"file:{path}{'?nolock=1' if self._unlocked else ''}"
        connection = sqlite3.connect(
            address, uri=True, timeout=self.patience, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            # Not WAL, which does not work on NFS. The journal keeps its space, so that the end of a task can be
            # recorded on a full disk. What a power failure loses can be recovered from the directories.
            connection.execute("PRAGMA journal_mode = PERSIST")
            connection.execute("PRAGMA synchronous = NORMAL")
            # In KiB. Servers keep the tasks in memory, so pages are rarely read twice.
            connection.execute("PRAGMA cache_size = -256")
            if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check failed")
            if self._migrate(connection):
                connection.execute("BEGIN IMMEDIATE")
                self._fill(connection)
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
    """Return our error for an error of SQLite."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return StoreUnavailable(_BUSY_MESSAGE)
    if "unable to open" in text:
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as reason:  # SQLite does not report that it had no descriptor
            return StoreUnavailable(f"the task database cannot be opened: {reason}")
    if "full" in text or "disk I/O" in text or "unable to open" in text:
        return StorageFull(f"no space left for the task database: {error}")
    return InternalError(f"the task database failed: {error}")
