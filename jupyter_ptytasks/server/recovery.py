"""What a server does when it starts, and from then on from time to time: find the tasks again, and forget the old
ones.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import PtyTasksError

if TYPE_CHECKING:
    import logging

    from ..core.model import Task
    from .manager import TaskManager

#: Seconds between two looks at what other servers do, and between two clean-ups.
_LOOK_EVERY = 1.0
_CLEAN_EVERY = 3600.0


@dataclass(frozen=True)
class Retention:
    """How long finished tasks are kept: `seconds` since their end, and `count` of them at most."""

    seconds: float = 30 * 86400.0
    count: int = 500

    def surplus(self, tasks: list[Task], now: float) -> list[Task]:
        """Give those of `tasks` (newest first) that have been kept for long enough."""
        ended = sorted(
            (task for task in tasks if not task.live), key=lambda task: task.ended or task.created, reverse=True
        )
        return [
            task
            for place, task in enumerate(ended)
            if place >= self.count or now - (task.ended or task.created) > self.seconds
        ]


class Recovery:
    """Brings the store into line with the task directories, links to what lives, and keeps looking. `stop` it."""

    def __init__(self, manager: TaskManager, retention: Retention, log: logging.Logger) -> None:
        self._manager = manager
        self._retention = retention
        self._log = log
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Adopt the living, take in the records of the dead, then go on watching in the background."""
        store, catalogue = self._manager.store, self._manager.catalogue
        await store.refresh(0.0)
        unknown = await asyncio.to_thread(lambda: list(catalogue.tasks(besides={task.id for task in store.tasks})))
        if unknown:
            self._log.info("found %d tasks on disk that the database did not know", len(unknown))
            await store.put(unknown)
        self._adopt()
        self._watch = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    def _adopt(self) -> None:
        for task in self._manager.store.live:
            self._manager.hosts.keep(task)

    async def _go_on(self) -> None:
        cleaned = -_CLEAN_EVERY
        while True:
            try:
                await self._manager.store.refresh(_LOOK_EVERY / 2)
                self._adopt()
                if time.monotonic() - cleaned >= _CLEAN_EVERY:
                    cleaned = time.monotonic()
                    await self._clean()
            except PtyTasksError as error:
                self._log.warning("the tasks cannot be looked after just now: %s", error)
            await asyncio.sleep(_LOOK_EVERY)

    async def _clean(self) -> None:
        store, catalogue = self._manager.store, self._manager.catalogue
        for task in self._retention.surplus(store.tasks, time.time()):
            await self._manager.delete(task.id)
        await asyncio.to_thread(catalogue.discard_unborn, {task.id for task in store.tasks})
        await asyncio.to_thread(catalogue.sweep)
