"""Waits for a condition of a task, no matter which process makes it true: this server, another one, or its ptyhost."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..core.model import Task
    from .changes import Change
    from .hosts.supervisor import Supervisor
    from .listeners import Listeners
    from .store import Store


class Waiter:
    """Waits on tasks of `store`, whose ptyhosts `supervisor` is linked to."""

    def __init__(self, store: Store, supervisor: Supervisor) -> None:
        self._store = store
        self._supervisor = supervisor

    async def until(
        self,
        task_id: str,
        done: Callable[[Task], bool],
        timeout: float | None,
        *,
        or_else: Callable[[], bool] = lambda: False,
    ) -> None:
        """Return when `done` holds for a task or `or_else` holds, both checked whenever there is news about the task;
        when the task is deleted; or after `timeout` seconds (None: no limit).
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.news(task_id) as changed:
            while (task := self._store.get(task_id)) is not None and not done(task) and not or_else():
                changed.clear()
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return
                try:
                    await asyncio.wait_for(changed.wait(), left)
                except asyncio.TimeoutError:
                    return

    @contextmanager
    def news(self, task_id: str, *more: Listeners[str]) -> Iterator[asyncio.Event]:
        """Set an event whenever there is news about a task within the block: about its state, from its ptyhost, or for
        listeners in `more`.
        """
        changed = asyncio.Event()

        def on_change(change: Change) -> None:
            if change.task_id == task_id:
                changed.set()

        def on_update(about: str) -> None:
            if about == task_id:
                changed.set()

        sources = [self._supervisor.on_update, *more]
        self._store.listeners.append(on_change)
        for source in sources:
            source.append(on_update)
        try:
            yield changed
        finally:
            self._store.listeners.remove(on_change)
            for source in sources:
                source.remove(on_update)

    async def ended(self, task: Task, timeout: float | None) -> None:
        """Return when the current attempt of `task` has ended, or after `timeout` seconds."""
        await self.until(task.id, lambda now: is_over(task, now), timeout)


def is_over(task: Task, now: Task) -> bool:
    """Return whether the attempt of `task` has ended; another server may already have started the next one."""
    return not now.live or now.attempt != task.attempt
