"""The single thread that writes to the database. Writes that arrive during a disk flush are combined."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..core.errors import InternalError, PtyTasksError, StoreUnavailable
from ..storage.sqlite_file import BUSY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..core.model import Task
    from ..storage.database import Database

    #: Tasks before and after their changes, see Database.written.
    Written = list[tuple[Task | None, Task | None]]


class _Call:
    """A call of a database method, and its result."""

    __slots__ = ("_function", "deadline", "done", "error", "is_small", "result", "written")

    def __init__(self, function: Callable[[], Any], *, is_small: bool) -> None:
        self._function = function
        self.is_small = is_small
        self.deadline = time.monotonic() + BUSY
        self.done = asyncio.get_running_loop().create_future()
        self.error: Exception | None = None
        self.result: Any = None
        self.written: Written = []

    def make(self, database: Database) -> None:
        """Call it, and store its result or exception. Blocking."""
        self.error = None
        try:
            self.result, self.written = self._function(), database.written
        except Exception as error:  # noqa: BLE001  raised where it is waited for
            self.error = error

    def tell(self) -> None:
        """Wake the waiting caller, unless it was canceled."""
        if self.done.done():
            return
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result((self.result, self.written))


class _Aborted(Exception):
    """A call has failed in a way that may affect the others."""


class Writer:
    """Calls methods of `database`, one after the other. `close` it, which closes the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, "ptytasks-store")
        self._waiting: deque[_Call] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def write(self, function: Callable[[], Any], *, is_small: bool = False) -> tuple[Any, Written]:
        """Call a function that changes the database, and return its result and what it has written.

        With `is_small`, it changes nothing else, and may be combined with other small calls into one transaction; its
        exceptions do not affect them. Raises StoreUnavailable if the database is locked for as long as one transaction
        may wait, no matter how many calls are waiting.
        """
        call = _Call(function, is_small=is_small)
        self._waiting.append(call)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        result: tuple[Any, Written] = await call.done
        return result

    async def _write(self) -> None:
        while self._waiting:
            calls = [self._waiting.popleft()]
            while calls[0].is_small and self._waiting and self._waiting[0].is_small:
                calls.append(self._waiting.popleft())
            await asyncio.get_running_loop().run_in_executor(self._thread, self._make, calls)
            for call in calls:
                call.tell()
        self._writing = None

    def _make(self, calls: Sequence[_Call]) -> None:
        # The first one is checked last: the call that has waited longest sets the timeout.
        timely = [call for call in reversed(calls) if self._is_in_time(call)][::-1]
        if len(timely) > 1 and self._are_made_together(timely):
            return
        for call in timely:
            if self._is_in_time(call):
                call.make(self._database)

    def _are_made_together(self, calls: Sequence[_Call]) -> bool:
        """Run the calls in one transaction; return False if this fails, and nothing has changed."""
        try:
            with self._database.together():
                for call in calls:
                    call.make(self._database)
                    if isinstance(call.error, InternalError) or not isinstance(call.error, PtyTasksError | None):
                        raise _Aborted
        except StoreUnavailable as error:
            for call in calls:
                call.error = error  # the database is locked, for each call as for all
        except (_Aborted, PtyTasksError):
            return False
        return True

    def _is_in_time(self, call: _Call) -> bool:
        left = call.deadline - time.monotonic()
        if left <= 0:
            call.error = StoreUnavailable("the task database is busy; try again")
            return False
        self._database.patience = left
        return True

    async def close(self) -> None:
        """Close the database after all writes."""
        if self._writing is not None:
            await self._writing
        await asyncio.get_running_loop().run_in_executor(self._thread, self._database.close)
        self._thread.shutdown(wait=False)
