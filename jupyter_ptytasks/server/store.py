"""The tasks as this server sees them: a mirror of the database, which other servers of the user write as well."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..core.errors import PtyTasksError, StoreUnavailable, TaskNotFound
from ..storage.database import BUSY
from .listeners import Listeners

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..core.model import IfExists, Task
    from ..core.states import State
    from ..storage.database import Also, Database, Delta

#: A look at the mirror may be this old (seconds); what this server itself does is in it at once.
_FRESH = 0.1
#: Seconds that a look waits for another process that has the database; that a reader waits for a look; and for the
#: first one, without which there is nothing to show.
_LOOK_BUSY = 0.2
_LOOK_PATIENCE = 1.0
_LOOK_FIRST = 30.0
#: Seconds after a look that failed in which no other is made.
_FAILED = 1.0

_LOG = logging.getLogger(__name__)


class Store:
    """All tasks, and news of every change to them, whichever server made it.

    `listeners` are called on the loop with the task before and after each change (None: it was not there, or is not any
    more). Reading never waits for writing: where the database does not answer, the mirror does, and `stale_since` tells
    (monotonic seconds) since when; None while it is up to date. What writes waits for the one thread that writes, at
    most as long as for one transaction. `open_database` is called twice, for who writes and for who reads. `close` it.
    """

    def __init__(self, open_database: Callable[[], Database]) -> None:
        self._database, self._reader = open_database(), open_database()
        self._reader.patience = _LOOK_BUSY
        self._writing = ThreadPoolExecutor(1, "ptytasks-store")
        self._reading = ThreadPoolExecutor(1, "ptytasks-look")
        self._tasks: dict[str, Task] = {}
        self._unreadable: set[str] = set()
        self._revision = 0
        self._version: tuple[int, int] | None = None
        #: When the last look began, the one that is under way, and when the last that failed ended.
        self._looked = -_FRESH
        self._look: asyncio.Task[None] | None = None
        self._failed = -_FAILED
        #: Counts what was written here, and the ids of what was removed: they are never given again.
        self._writes = 0
        self._removed: set[str] = set()
        self.problem: PtyTasksError | None = None
        self.stale_since: float | None = None
        self.listeners: Listeners[Task | None, Task | None] = Listeners()

    async def close(self) -> None:
        """Close the database once what is under way is done."""
        if self._look is not None:
            await asyncio.gather(self._look, return_exceptions=True)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writing, self._database.close)
        await loop.run_in_executor(self._reading, self._reader.close)
        self._writing.shutdown(wait=False)
        self._reading.shutdown(wait=False)

    # -- reading ----------------------------------------------------------------------------------------------------

    @property
    def tasks(self) -> list[Task]:
        """All tasks, newest first."""
        return sorted(self._tasks.values(), key=lambda task: task.id, reverse=True)

    @property
    def live(self) -> list[Task]:
        """The tasks that have not ended, newest first."""
        return [task for task in self.tasks if task.live]

    @property
    def ids(self) -> set[str]:
        """The ids of all tasks, also of those that this version cannot read."""
        return set(self._tasks) | self._unreadable

    @property
    def unreadable(self) -> int:
        """How many tasks this version cannot read."""
        return len(self._unreadable)

    def get(self, task_id: str) -> Task | None:
        """Give the task with this id."""
        return self._tasks.get(task_id)

    async def find(self, ref: str) -> Task:
        """Give the task with the id `ref`, else the newest one with that name. Raises TaskNotFound."""
        found = self.look_up(ref)
        if found is None:
            await self.refresh(0.0)
            found = self.look_up(ref)
        if found is None:
            raise TaskNotFound(f"there is no task with the id or name {ref!r}", field="ref")
        return found

    def look_up(self, ref: str) -> Task | None:
        """Like `find`, but only in the mirror as it is; None where it is not there."""
        if ref in self._tasks:
            return self._tasks[ref]
        return max((task for task in self._tasks.values() if task.name == ref), key=lambda task: task.id, default=None)

    async def refresh(self, max_age: float = _FRESH) -> None:
        """Take in what other servers have changed, unless the last look is less than `max_age` seconds old.

        A look that fails or takes long leaves the mirror as it is. Raises what it failed with, a PtyTasksError, only if
        none has ever succeeded.
        """
        wanted = time.monotonic() - max_age
        deadline = time.monotonic() + (_LOOK_PATIENCE if self._version is not None else _LOOK_FIRST)
        # A look that has begun before somebody comes may not see what was there before.
        while self._looked < wanted:
            if self._look is None:
                self._look = asyncio.create_task(self._look_once())
            done, _ = await asyncio.wait({self._look}, timeout=deadline - time.monotonic())
            if not done:
                self._be_stale(StoreUnavailable("the tasks' database does not answer"))
                break
        if self._version is None and self.problem is not None:
            raise self.problem

    async def _look_once(self) -> None:
        began = time.monotonic()
        try:
            if began - self._failed < _FAILED:
                return  # whoever has the database, asking again at once does not help
            writes = self._writes
            found = await asyncio.get_running_loop().run_in_executor(self._reading, self._read_changes)
            while found is not None and found[2] and writes != self._writes:
                # A whole list that was read before we wrote would undo in the mirror what we wrote.
                writes = self._writes
                found = await asyncio.get_running_loop().run_in_executor(self._reading, self._read_changes)
        except PtyTasksError as error:
            self._failed = time.monotonic()
            self._be_stale(error)
        else:
            if found is not None:
                self._take_in(*found)
            if self.problem is not None:
                _LOG.info("the tasks' database answers again")
            self.problem = self.stale_since = None
        finally:
            self._looked = began
            self._look = None

    def _be_stale(self, error: PtyTasksError) -> None:
        if self.problem is None or self.problem.message != error.message:
            _LOG.warning("what is shown of the tasks may be out of date: %s", error)
        self.problem = error
        if self.stale_since is None:
            self.stale_since = time.monotonic()

    def _take_in(self, version: tuple[int, int], delta: Delta, whole: bool) -> None:
        known = {task.id for task in delta.tasks}
        gone = [task_id for task_id in self._tasks if task_id not in known] if whole else delta.removed
        gone = [*gone, *delta.unreadable]
        self._version = version
        self._revision = max(delta.revision, 0 if whole else self._revision)
        for task_id in gone:
            self._apply(self._tasks.get(task_id), None)
        for task_id in set(delta.unreadable) - self._unreadable:
            _LOG.warning("the task %s is left out: it is damaged, or of a newer version of jupyter_ptytasks", task_id)
        if whole:
            self._unreadable.clear()
            self._removed.clear()
        self._unreadable -= known | set(delta.removed)
        self._unreadable |= set(delta.unreadable)
        for task in delta.tasks:
            old = self._tasks.get(task.id)
            if task.id in self._removed:
                continue  # read just before we removed it
            if old != task and (whole or old is None or old.revision < task.revision):
                self._apply(old, task)

    def _read_changes(self) -> tuple[tuple[int, int], Delta, bool] | None:
        version = self._reader.version()
        if version == self._version:
            return None
        # Opened anew, it may be another file, whose revisions say nothing about ours.
        whole = self._version is None or version[0] != self._version[0]
        return version, self._reader.changes(0 if whole else self._revision), whole

    def _see(self, task: Task) -> None:
        old = self._tasks.get(task.id)
        if old is None or old.revision < task.revision:
            self._apply(old, task)

    def _apply(self, old: Task | None, new: Task | None) -> None:
        if new is not None:
            self._tasks[new.id] = new
        elif old is not None:
            del self._tasks[old.id]
        else:
            return
        self.listeners(old, new)

    # -- writing ----------------------------------------------------------------------------------------------------

    async def _write(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a method of the database on the thread that writes. Raises StoreUnavailable when others are in the way
        for as long as one transaction may wait, however many are waiting.
        """
        deadline = time.monotonic() + BUSY

        def run() -> Any:
            left = deadline - time.monotonic()
            if left <= 0:
                raise StoreUnavailable("the tasks' database is busy; try again")
            self._database.patience = left
            return function(*args, **kwargs)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._writing, run)
        finally:
            self._writes += 1

    async def add(self, task: Task, if_exists: IfExists, max_live: int) -> tuple[Task, bool]:
        """See Database.add."""
        found, added = await self._write(self._database.add, task, if_exists, max_live)
        self._see(found)
        return found, added

    async def put(self, tasks: Iterable[Task]) -> None:
        """See Database.put."""
        for task in await self._write(self._database.put, list(tasks)):
            self._see(task)

    async def observe(self, task_id: str, attempt: int, state: State, **facts: Any) -> Task:
        """See Database.observe."""
        return self._now(await self._write(self._database.observe, task_id, attempt, state, **facts))

    async def change(self, task_id: str, also: Also | None = None, **changes: Any) -> Task:
        """See Database.change."""
        return self._now(await self._write(self._database.change, task_id, also, **changes))

    async def begin_attempt(
        self, task_id: str, attempt: int, max_live: int, also: Also | None = None
    ) -> tuple[Task, bool]:
        """See Database.begin_attempt."""
        task, begun = await self._write(self._database.begin_attempt, task_id, attempt, max_live, also)
        self._see(task)
        return task, begun

    async def remove(self, task_id: str) -> None:
        """See Database.remove."""
        await self._write(self._database.remove, task_id)
        self._removed.add(task_id)
        self._apply(self._tasks.get(task_id), None)

    def _now(self, task: Task) -> Task:
        """Take a task in, and return it as it is now: others may have changed it since."""
        self._see(task)
        return self._tasks.get(task.id, task)
