"""The verbs for pending tasks: release, hold, change, move."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.errors import BadRequest, InvalidState, TaskNotFound
from ..core.queue.decisions import waits_here
from ..core.states import State
from . import spec as specs

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.model import Task, TaskRequest
    from ..storage.database import Also
    from .context import Context
    from .control import Control
    from .queueing import Queue


class Pending:
    """Changes when tasks start, and what they run. Every verb takes an id or a name and raises errors of core.errors,
    InvalidState for a task that has started.
    """

    def __init__(self, context: Context, control: Control, queue: Queue) -> None:
        self._control = control
        self._queue = queue
        self._store = context.store
        self._task_dirs = context.task_dirs
        self._provisioners = context.provisioners
        self._spawn_defaults = context.spawn_defaults

    async def release(self, ref: str) -> Task:
        """Release a held task, and return it. Raises InvalidState if it is not pending."""
        task = await self._control.get(ref)
        if not task.pending:
            raise InvalidState(f"the task is not held: it is {task.state.value}", field="state")
        if task.state is State.HELD and not waits_here(task):
            await asyncio.to_thread(self._provisioners.of(task).release, task)
        task, _ = await self._store.move(task.id, {State.HELD}, State.QUEUED, also=self._task_dirs.specs.respec)
        await self._queue.wake()
        return task

    async def hold(self, ref: str) -> Task:
        """Hold a pending task until it is released, and return it. Raises InvalidState if it is not pending,
        PlaceUnreachable.
        """
        task = await self._control.get(ref)
        if not task.pending:
            raise InvalidState(f"the task is not pending: it is {task.state.value}", field="state")
        if task.state is State.HELD:
            return task
        facts = {} if waits_here(task) else await asyncio.to_thread(self._provisioners.of(task).hold, task)
        task, held = await self._store.move(
            task.id, {State.QUEUED}, State.HELD, also=self._task_dirs.specs.respec, **facts
        )
        if not held and task.state is not State.HELD:
            raise InvalidState(f"the task has just been started: it is {task.state.value}", field="state")
        await self._queue.wake()
        return task

    async def revise(self, ref: str, change: Callable[[TaskRequest], TaskRequest]) -> Task:
        """Change what a pending task runs and waits for, and return it. `change` gets its request, and returns the
        changed one. Raises InvalidState if it has started, BadRequest, SpawnFailed.
        """
        task = await self._pending(ref)
        spec = await asyncio.to_thread(self._task_dirs.specs.read, task.id)
        request = change(replace(specs.request_of(spec, task.name), turn=task.turn))
        turn = await self._queue.resolved(request.turn, task.id)
        defaults = self._spawn_defaults()
        shares_files = self._provisioners.shares_files(task)
        changes = await asyncio.to_thread(specs.revised, spec, request, defaults, shares_files=shares_files)
        fresh = {**spec, **changes}
        env = await asyncio.to_thread(specs.environment, fresh, defaults, self._task_dirs.files(task.id).function)
        also = functools.partial(self._task_dirs.specs.revised, spec=fresh, env=env)
        facts = {"turn": turn, "command": fresh["command"], "cwd": fresh["cwd"]}
        return await self._change_pending(task, also, **facts)

    async def move(self, ref: str, target: str | None, *, after: bool, group: str | None = None) -> Task:
        """Move a pending task right before or `after` another one in its group, or in another `group`, whose priority
        it takes; without a `target` before or after all others. Return it. Raises InvalidState if it has started,
        BadRequest.
        """
        task = await self._pending(ref)
        try:
            other = await self._store.find(target) if target is not None else None
        except TaskNotFound as error:
            field = "after" if after else "before"
            raise BadRequest(f"{field}: {error.message}", field=field) from error
        if other is not None and other.id == task.id:
            return task
        there = task if group is None else task.with_(group=group)
        turn = self._queue.moved(there, other.id if other is not None else "", after=after)
        task = await self._change_pending(task, self._task_dirs.specs.respec, turn=turn, group=there.group)
        await self._queue.wake()
        return task

    async def _pending(self, ref: str) -> Task:
        task = await self._control.get(ref)
        if not task.pending:
            raise InvalidState(f"this can be changed until the task starts; it is {task.state.value}", field="state")
        if not waits_here(task):
            raise InvalidState(f"the task waits at {task.provisioner}, and cannot be changed there", field="place")
        return task

    async def _change_pending(self, task: Task, also: Also, **facts: Any) -> Task:
        task, moved = await self._store.move(task.id, {task.state}, task.state, also=also, **facts)
        if not moved:
            raise InvalidState(f"the task has just been started: it is {task.state.value}", field="state")
        return task
