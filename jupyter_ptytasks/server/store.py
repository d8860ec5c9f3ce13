"""The tasks as this server sees them: a mirror of the database, which other servers of the user write as well."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..core.errors import TaskNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..core.model import IfExists, Task
    from ..core.states import State
    from ..storage.database import Database, Delta

    Listener = Callable[[Task | None, Task | None], None]

#: A look at the mirror may be this old (seconds); what this server itself does is in it at once.
_FRESH = 0.1


class Store:
    """All tasks, and news of every change to them, whichever server made it.

    `listeners` are called on the loop with the task before and after each change (None: it was not there, or is not any
    more). Reading is free of waiting (`tasks`, `find`); what writes waits for the one thread on which sqlite runs.
    `close` it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, "ptytasks-store")
        self._tasks: dict[str, Task] = {}
        self._revision = 0
        self._version: tuple[int, int] | None = None
        self._looked = -_FRESH
        self._looking = asyncio.Lock()
        self.listeners: list[Listener] = []

    async def close(self) -> None:
        """Close the database once what is under way is done."""
        await self._run(self._database.close)
        self._thread.shutdown(wait=False)

    async def _run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: function(*args, **kwargs))

    # -- reading ----------------------------------------------------------------------------------------------------

    @property
    def tasks(self) -> list[Task]:
        """All tasks, newest first."""
        return sorted(self._tasks.values(), key=lambda task: task.id, reverse=True)

    @property
    def live(self) -> list[Task]:
        """The tasks that have not ended, newest first."""
        return [task for task in self.tasks if task.live]

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
        """Take in what other servers have changed, unless the last look is less than `max_age` seconds old."""
        # One at a time: who comes while somebody looks must not see what was there before.
        async with self._looking:
            if time.monotonic() - self._looked < max_age:
                return
            began = time.monotonic()
            found = await self._run(self._look)
            if found is not None:
                self._take_in(*found)
            self._looked = began

    def _take_in(self, version: tuple[int, int], delta: Delta, whole: bool) -> None:
        known = {task.id for task in delta.tasks}
        gone = [task_id for task_id in self._tasks if task_id not in known] if whole else delta.removed
        self._version = version
        self._revision = max(delta.revision, 0 if whole else self._revision)
        for task_id in gone:
            self._apply(self._tasks.get(task_id), None)
        for task in delta.tasks:
            old = self._tasks.get(task.id)
            if old != task and (whole or old is None or old.revision < task.revision):
                self._apply(old, task)

    def _look(self) -> tuple[tuple[int, int], Delta, bool] | None:
        version = self._database.version()
        if version == self._version:
            return None
        # Opened anew, it may be another file, whose revisions say nothing about ours.
        whole = self._version is None or version[0] != self._version[0]
        return version, self._database.changes(0 if whole else self._revision), whole

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
        for listener in list(self.listeners):
            listener(old, new)

    # -- writing ----------------------------------------------------------------------------------------------------

    async def newest_id(self) -> str:
        """Give the id that sorts last among all tasks of the user."""
        return str(await self._run(self._database.newest_id))

    async def add(self, task: Task, if_exists: IfExists, max_live: int) -> tuple[Task, bool]:
        """See Database.add."""
        found, added = await self._run(self._database.add, task, if_exists, max_live)
        self._see(found)
        return found, added

    async def put(self, tasks: Iterable[Task]) -> None:
        """See Database.put."""
        for task in await self._run(self._database.put, list(tasks)):
            self._see(task)

    async def change(
        self, task_id: str, *, state: State | None = None, attempt: int | None = None, **changes: Any
    ) -> Task:
        """See Database.change."""
        task: Task = await self._run(self._database.change, task_id, state=state, attempt=attempt, **changes)
        self._see(task)
        return self._tasks.get(task_id, task)

    async def begin_attempt(self, task_id: str, attempt: int, max_live: int) -> tuple[Task, bool]:
        """See Database.begin_attempt."""
        task, begun = await self._run(self._database.begin_attempt, task_id, attempt, max_live)
        self._see(task)
        return task, begun

    async def remove(self, task_id: str) -> None:
        """See Database.remove."""
        await self._run(self._database.remove, task_id)
        self._apply(self._tasks.get(task_id), None)
