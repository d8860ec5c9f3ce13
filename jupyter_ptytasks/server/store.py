"""The tasks in memory: a mirror of the database, to which other servers of the user also write."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..core.errors import PtyTasksError, StoreUnavailable, TaskNotFound
from ..core.names import did_you_mean
from ..core.states import State
from .changes import Change
from .index import Index
from .listeners import Listeners
from .writing import Writer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Container, Iterable

    from ..core.model import IfExists, Task
    from ..storage.database import Also, AlsoAll, Database
    from ..storage.revisions import Delta

#: Maximum age of the mirror in seconds; changes by this server are in it immediately.
_FRESH = 0.1
#: Seconds that a refresh waits for another process that has locked the database; that a reader waits for a refresh; and
#: for the first refresh, without which there is nothing to show.
_LOOK_BUSY = 0.2
_LOOK_PATIENCE = 1.0
_LOOK_FIRST = 30.0
#: How many new tasks are announced before yielding to the loop.
_ANNOUNCED = 20
#: How many of the newest tasks are considered for suggestions if a name is not found.
_LIKELY = 1000
#: Seconds without a refresh after a failed one.
_FAILED = 1.0
#: A revision that is never reached, for tasks that we have removed, until a refresh tells the real one.
_NEVER_AGAIN = 1 << 62

_LOG = logging.getLogger(__name__)


class Store:
    """All tasks, and every change to them, whichever server made it.

    `listeners` are called on the loop with each Change. Reads never wait for writes: if the database does not respond,
    the mirror is used, and `stale_since` (monotonic seconds) says since when; None while it is up to date. A write
    waits for the single writer thread, at most as long as for one transaction. `open_database` is called twice, for the
    writer thread and the reader thread. `close` it.
    """

    def __init__(self, open_database: Callable[[], Database]) -> None:
        self._database, self._reader = open_database(), open_database()
        self._reader.patience = _LOOK_BUSY
        self._writer = Writer(self._database)
        self._reading = ThreadPoolExecutor(1, "ptytasks-look")
        #: The tasks, sorted and grouped. Others may query it, but only the store changes it.
        self.index = Index()
        self._live = self.index.where(lambda task: task.live)
        self._active = self.index.where(lambda task: task.active)
        self._by_state = self.index.by(lambda task: (task.state,))
        #: The tasks of each sweep, by its id.
        self.by_sweep = self.index.by(lambda task: (task.sweep.id,) if task.sweep is not None else ())
        self._named = self.index.by(lambda task: (task.name,))
        self._unreadable: set[str] = set()
        self._revision = 0
        self._version: tuple[int, int] | None = None
        #: When the last refresh began, the current one, and when the last failed one ended.
        self._looked = -_FRESH
        self._look: asyncio.Task[None] | None = None
        self._failed = -_FAILED
        #: Number of writes.
        self._writes = 0
        #: Removed tasks by id, with the revision up to which data that was read about them is outdated.
        self._removed: dict[str, int] = {}
        #: Tasks that are being written, and data that was read about them meanwhile: it is applied once our own changes
        #: are known.
        self._in_flight: Counter[str] = Counter()
        self._held: dict[str, Task | None] = {}
        self._jobs: set[asyncio.Task[Any]] = set()
        self.problem: PtyTasksError | None = None
        self.stale_since: float | None = None
        self.listeners: Listeners[Change] = Listeners()
        #: Called when all tasks are known for the first time, before they are shown. Must not raise.
        self.on_first_look: Callable[[], Awaitable[None]] | None = None

    async def close(self) -> None:
        """Close the database after pending operations."""
        if self._look is not None:
            await asyncio.gather(self._look, return_exceptions=True)
        await asyncio.gather(*self._jobs, return_exceptions=True)
        loop = asyncio.get_running_loop()
        await self._writer.close()
        await loop.run_in_executor(self._reading, self._reader.close)
        self._reading.shutdown(wait=False)

    # -- reading ----------------------------------------------------------------------------------------------------

    @property
    def tasks(self) -> list[Task]:
        """All tasks, newest first."""
        return self.index.newest_first

    @property
    def live(self) -> list[Task]:
        """The tasks that have not ended, newest first."""
        return self._live.newest_first

    @property
    def active(self) -> list[Task]:
        """The tasks that have a ptyhost, or for which one is being started, newest first."""
        return self._active.newest_first

    @property
    def counts(self) -> dict[State, int]:
        """How many tasks are in each state."""
        return {state: len(self._by_state.get(state, ())) for state in State}

    @property
    def ids(self) -> set[str]:
        """The ids of all tasks, including those that this version cannot read."""
        return self.index.ids | self._unreadable

    @property
    def unreadable(self) -> int:
        """How many tasks this version cannot read."""
        return len(self._unreadable)

    def get(self, task_id: str) -> Task | None:
        """Return the task with this id."""
        return self.index.get(task_id)

    async def find(self, ref: str) -> Task:
        """Return the task with the id `ref`, else the newest one with that name. Raises TaskNotFound, which may suggest
        a similar name.
        """
        found = self.look_up(ref)
        if found is None:
            await self.refresh(0.0)
            found = self.look_up(ref)
        if found is None:
            names = [task.name for task in self.tasks[:_LIKELY]]
            hint = await asyncio.to_thread(did_you_mean, ref, names)
            raise TaskNotFound(f"no task has the id or name {ref!r}{hint}", field="ref")
        return found

    async def confirm(self, task_id: str) -> None:
        """Raise TaskNotFound if the task has been deleted, even if the mirror does not know that yet."""
        await self._write([], self._database.confirm, task_id)

    def look_up(self, ref: str) -> Task | None:
        """Like `find`, but only in the current mirror; None if it is not there."""
        named = self._named.get(ref)
        return self.index.get(ref) or (named.newest if named is not None else None)

    async def refresh(self, max_age: float = _FRESH) -> None:
        """Read changes by other servers, unless the last refresh is less than `max_age` seconds old. From half of that
        age on, the next refresh starts in the background, so frequent requests seldom wait for a thread.

        A refresh that fails or takes long leaves the mirror unchanged. Raises its error, a PtyTasksError, only if none
        has ever succeeded.
        """
        now = time.monotonic()
        wanted = now - max_age
        if self._look is None and wanted <= self._looked < now - max_age / 2:
            self._look = asyncio.create_task(self._look_once())
        deadline = time.monotonic() + (_LOOK_PATIENCE if self._version is not None else _LOOK_FIRST)
        # A refresh that began before this call may miss changes made before the call.
        while self._looked < wanted:
            if self._look is None:
                self._look = asyncio.create_task(self._look_once())
            done, _ = await asyncio.wait({self._look}, timeout=deadline - time.monotonic())
            if not done:
                self._be_stale(StoreUnavailable("the task database does not respond"))
                break
        if self._version is None and self.problem is not None:
            raise self.problem

    async def _look_once(self) -> None:
        began = time.monotonic()
        try:
            if began - self._failed < _FAILED:
                return  # retrying immediately does not help
            writes = self._writes
            found = await asyncio.get_running_loop().run_in_executor(self._reading, self._read_changes)
            while found is not None and found[2] and writes != self._writes:
                # A complete list that was read before our write would undo it in the mirror.
                writes = self._writes
                found = await asyncio.get_running_loop().run_in_executor(self._reading, self._read_changes)
        except PtyTasksError as error:
            self._failed = time.monotonic()
            self._be_stale(error)
        else:
            is_first = self._version is None
            if found is not None:
                self._take_in(*found)
            if is_first and self.on_first_look is not None:
                await self.on_first_look()
            if self.problem is not None:
                _LOG.info("the task database responds again")
            self.problem = self.stale_since = None
        finally:
            self._looked = began
            self._look = None

    def _be_stale(self, error: PtyTasksError) -> None:
        if self.problem is None or self.problem.message != error.message:
            _LOG.warning("task states may be out of date: %s", error)
        self.problem = error
        if self.stale_since is None:
            self.stale_since = time.monotonic()

    def _take_in(self, version: tuple[int, int], delta: Delta, whole: bool) -> None:
        known = {task.id for task in delta.tasks}
        gone = sorted(self.index.ids - known) if whole else delta.removed
        gone = [*gone, *delta.unreadable]
        self._version = version
        self._revision = max(delta.revision, 0 if whole else self._revision)
        for task_id in gone:
            self._learn(task_id, None)
        for task_id in set(delta.unreadable) - self._unreadable:
            _LOG.warning("task %s is not shown: it is damaged, or from a newer version of jupyter_ptytasks", task_id)
        if whole:
            self._unreadable.clear()
            self._removed.clear()
        self._removed.update(dict.fromkeys(delta.removed, delta.revision))
        self._unreadable -= known | set(delta.removed)
        self._unreadable |= set(delta.unreadable)
        for task in delta.tasks:
            self._learn(task.id, task, is_whole=whole)

    def _learn(self, task_id: str, task: Task | None, *, is_whole: bool = False) -> None:
        """Apply a task that was read. With `is_whole`, its revision cannot be compared with the known one."""
        if task is not None and not is_whole and task.revision <= self._removed.get(task_id, -1):
            return  # read just before it was removed
        if task_id in self._in_flight:
            held = self._held.get(task_id)
            if task is None or held is None or is_whole or held.revision < task.revision:
                self._held[task_id] = task
            return
        old = self.index.get(task_id)
        if task is None:
            self._apply(old, None)
        elif old != task and (is_whole or old is None or old.revision < task.revision):
            self._apply(old, task)

    def _read_changes(self) -> tuple[tuple[int, int], Delta, bool] | None:
        version = self._reader.version()
        if version == self._version:
            return None
        # After reopening, it may be a different file with unrelated revisions.
        whole = self._version is None or version[0] != self._version[0]
        return version, self._reader.changes(0 if whole else self._revision), whole

    def _apply(self, old: Task | None, new: Task | None, *, by_us: bool = False) -> None:
        if new is not None:
            self.index.put(new)
        elif old is not None:
            self.index.discard(old.id)
        else:
            return
        self.listeners(Change(old, new, by_us))

    # -- writing ----------------------------------------------------------------------------------------------------

    async def _write(
        self, task_ids: Collection[str], function: Callable[..., Any], *args: Any, is_small: bool = False, **kwargs: Any
    ) -> Any:
        """Run a method of the database that may change the tasks with these ids; see Writer.write."""
        # The change is announced even if the caller is canceled.
        job = asyncio.create_task(self._write_and_announce(task_ids, lambda: function(*args, **kwargs), is_small))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return await asyncio.shield(job)

    async def _write_and_announce(self, task_ids: Collection[str], function: Callable[[], Any], is_small: bool) -> Any:
        self._in_flight.update(task_ids)
        try:
            result, written = await self._writer.write(function, is_small=is_small)
            for number, (before, after) in enumerate(written, 1):
                self._take_ours(before, after)
                if before is None and number % _ANNOUNCED == 0:
                    await asyncio.sleep(0)  # a new task cannot have been changed before it is announced
            return result
        finally:
            self._writes += 1
            self._in_flight.subtract(task_ids)
            self._in_flight += Counter()  # without zeros
            for task_id in set(task_ids) & self._held.keys() - self._in_flight.keys():
                self._learn(task_id, self._held.pop(task_id))

    def _take_ours(self, before: Task | None, after: Task | None) -> None:
        """Apply and announce our own change, after earlier changes by others."""
        task = after or before
        assert task is not None
        known = self.index.get(task.id)
        if before is not None and (known is None or known.revision < before.revision):
            self._apply(known, before)
        if after is None:
            self._removed[task.id] = _NEVER_AGAIN
        self._apply(before, after, by_us=True)

    async def add(self, task: Task, if_exists: IfExists, max_live: int) -> tuple[Task, bool]:
        """See Database.add."""
        found, added = await self._write([task.id], self._database.add, task, if_exists, max_live, is_small=True)
        return self._now(found), added

    async def add_all(self, tasks: Iterable[Task], also: AlsoAll) -> list[Task]:
        """See Database.add_all."""
        new = list(tasks)
        added = await self._write([task.id for task in new], self._database.add_all, new, also)
        return [self._now(task) for task in added]

    async def put(self, tasks: Iterable[Task]) -> None:
        """See Database.put."""
        found = list(tasks)
        await self._write([task.id for task in found], self._database.put, found)

    async def observe(self, task_id: str, attempt: int, state: State, **facts: Any) -> Task:
        """See Database.observe."""
        observe = functools.partial(self._database.observe, **facts)
        return self._now(await self._write([task_id], observe, task_id, attempt, state, is_small=True))

    async def change(self, task_id: str, also: Also | None = None, **changes: Any) -> Task:
        """See Database.change."""
        return self._now(await self._write([task_id], self._database.change, task_id, also, **changes))

    async def edit(self, task_id: str, make: Callable[[Task], Task], also: Also) -> Task:
        """See Database.edit."""
        return self._now(await self._write([task_id], self._database.edit, task_id, make, also))

    async def begin_attempt(
        self, task_id: str, attempt: int, max_live: int, also: Also, state: State
    ) -> tuple[Task, bool]:
        """See Database.begin_attempt."""
        begin = functools.partial(self._database.begin_attempt, state=state)
        task, begun = await self._write([task_id], begin, task_id, attempt, max_live, also)
        return self._now(task), begun

    async def run_again(self, task_id: str, attempt: int, also: Also, state: State, **facts: Any) -> Task:
        """See Database.run_again."""
        run = functools.partial(self._database.run_again, also=also, state=state, **facts)
        return self._now(await self._write([task_id], run, task_id, attempt))

    async def move(
        self, task_id: str, before: Container[State], state: State, also: Also | None = None, **options: Any
    ) -> tuple[Task, bool]:
        """See Database.move."""
        task, moved = await self._write([task_id], self._database.move, task_id, before, state, also=also, **options)
        return self._now(task), moved

    async def change_all(
        self, task_ids: Collection[str], change: Callable[[Task], Task | None], also: AlsoAll
    ) -> list[Task]:
        """See Database.change_all."""
        changed = await self._write(task_ids, self._database.change_all, task_ids, change, also)
        return [self._now(task) for task in changed]

    async def remove(self, *task_ids: str, spare_pinned: bool = False) -> list[str]:
        """See Database.remove."""
        remove = functools.partial(self._database.remove, spare_pinned=spare_pinned)
        removed: list[str] = await self._write(task_ids, remove, *task_ids)
        return removed

    def _now(self, task: Task) -> Task:
        """Apply a task that was read, and return its current state: others may have changed it since."""
        self._learn(task.id, task)
        known = self.index.get(task.id)
        return known if known is not None and known.revision >= task.revision else task
