"""Transactions of the task database: one change or several, together with the related changes of task directories."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from ..core.model import Task
    from .sqlite_file import SqliteFile


class Transactions:
    """Transactions of `file`, in one thread.

    `written` has the tasks before and after each change of the last one (None: did not exist).
    """

    def __init__(self, file: SqliteFile) -> None:
        self.written: list[tuple[Task | None, Task | None]] = []
        #: While several changes are one transaction: its connection, and the stack of its file changes.
        self._common: tuple[sqlite3.Connection, ExitStack] | None = None
        self._file = file

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make one transaction of all changes in the block: all of them are stored when it ends, or none. A change that
        raises an error changes nothing, and does not affect the others.

        An error at the end concerns all of them. Do not read within the block.
        """
        with ExitStack() as stack, self._file.transaction() as sql:
            self._common = sql, stack
            try:
                yield
            finally:
                self._common = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read within one transaction."""
        self.written = []
        with self._file.transaction(write=False) as sql:
            yield sql

    @contextmanager
    def writing(self) -> Iterator[tuple[sqlite3.Connection, ExitStack]]:
        """Begin a change, with a stack for related file changes, which is closed after the transaction."""
        self.written = []
        if self._common is None:
            with ExitStack() as stack, self._file.transaction() as sql:
                yield sql, stack
            return
        sql, stack = self._common
        sql.execute("SAVEPOINT one")
        try:
            yield sql, stack
        except BaseException:
            if sql.in_transaction:  # not if a full disk has ended it
                sql.execute("ROLLBACK TO one")
                sql.execute("RELEASE one")
            raise
        sql.execute("RELEASE one")
