"""Processes tasks one after the other, mostly those that ended while no server was running."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ...core.errors import PtyTasksError

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Mapping

    from ...core.model import Task
    from ..changes import Change
    from ..store import Store


class Backlog:
    """Tasks for which `is_open` is true; `find` returns the changes to store. `stop` it.

    `find` does not raise, and after its changes the task is no longer open.
    """

    def __init__(
        self,
        store: Store,
        log: logging.Logger,
        is_open: Callable[[Task], bool],
        find: Callable[[Task], Awaitable[Mapping[str, Any]]],
    ) -> None:
        self._store = store
        self._log = log
        self._is_open = is_open
        self._find = find
        #: In the order in which they were found.
        self._waiting: dict[str, None] = {}
        self._job: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        store.listeners.append(self._on_change)

    async def stop(self) -> None:
        """Stop processing; the rest is done by the next server."""
        self._store.listeners.remove(self._on_change)
        if self._job is not None:
            self._job.cancel()
            await asyncio.gather(self._job, return_exceptions=True)

    def _on_change(self, change: Change) -> None:
        task = change.new
        if task is None or not self._is_open(task):
            return
        self._waiting[task.id] = None
        if self._job is None:
            self._job = asyncio.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting:
                task_id = next(iter(self._waiting))
                del self._waiting[task_id]
                await self.settle(task_id)
        finally:
            self._job = None

    async def settle(self, task_id: str) -> None:
        """Process a task next, if it is open."""
        async with self._turn:
            task = self._store.get(task_id)
            if task is not None and self._is_open(task):
                await self._settle(task)

    async def _settle(self, task: Task) -> None:
        changes = await self._find(task)

        def settled(now: Task) -> Task | None:
            """Return the changed task, unless it was restarted or another server was first."""
            return now.with_(**changes) if now.attempt == task.attempt and self._is_open(now) else None

        try:
            await self._store.change_all([task.id], settled, lambda _: nullcontext())
        except PtyTasksError as error:
            self._log.warning("task %s: %s", task.id, error)
