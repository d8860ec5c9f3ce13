"""Stores the outcomes of tasks: reports of ptyhosts and news of places."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ...core.errors import TaskNotFound
from ...core.model import Exit
from ...core.states import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ...core.model import Task
    from ...provision.base import Provisioners
    from ...storage.task_dirs import TaskDirs
    from ..store import Store


class Outcomes:
    """Stores outcomes of tasks. The first server to see an end does so."""

    def __init__(self, store: Store, task_dirs: TaskDirs, provisioners: Provisioners) -> None:
        self._store = store
        self._task_dirs = task_dirs
        self._provisioners = provisioners
        #: Called with a task that is about to end, and its changes; they return additional changes.
        self.end_hooks: list[Callable[[Task, dict[str, Any]], Awaitable[dict[str, Any]]]] = []

    async def settle(self, task_id: str) -> None:
        """Find out what happened to a task whose ptyhost does not respond; if it has ended, store that."""
        task = self._store.get(task_id)
        if task is None or not task.active:
            return
        news = (await asyncio.to_thread(self._provisioners.of(task).poll, [task])).get(task_id)
        if news is not None:
            await self.take_news(task, news)

    async def take_news(self, task: Task, news: dict[str, Any]) -> None:
        """Store the news of a place about a task."""
        state = news["state"]
        if task.state is State.STARTING and state.pending and await asyncio.to_thread(self._task_dirs.is_hosted, task):
            return  # it has been restarted since
        attempt = news.pop("attempt", task.attempt)
        if attempt != task.attempt:
            await self._store.run_again(task.id, attempt, self._task_dirs.specs.respec, **news)
        elif state is task.state:
            changed = {name: value for name, value in news.items() if getattr(task, name) != value}
            if changed:
                await self._store.move(task.id, {state}, **{"state": state, **changed})
        else:
            if task.pending and not (state.pending or state is State.STARTING):
                await self.observe(task, State.STARTING)
            if state.live:
                await self.observe(task, **news)
            else:
                await self.end(task, news)

    async def end(self, task: Task, changes: dict[str, Any]) -> None:
        """Store the end of a task, with the additional changes of the hooks."""
        more = await asyncio.gather(*(hook(task, changes) for hook in self.end_hooks))
        await self.observe(task, **{name: value for facts in (changes, *more) for name, value in facts.items()})

    async def observe(self, task: Task, state: State, **facts: Any) -> None:
        """Store the state of a task, unless it has been deleted."""
        try:
            await self._store.observe(task.id, task.attempt, state, **facts)
        except TaskNotFound:
            pass  # it has been deleted

    async def correct(self, task: Task) -> None:
        """Apply the exit record of a task that was marked as lost, if there is one now."""
        if task.exit != Exit():
            return  # it is already known; the batch system has decided that the task is lost
        found = await asyncio.to_thread(self._task_dirs.read_exit, task)
        if found is not None:
            await self.end(task, found)
