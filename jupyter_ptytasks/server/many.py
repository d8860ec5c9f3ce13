"""The verbs for many tasks at a time, all or none: label, retry, release, cancel, delete."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.errors import InvalidState, PtyTasksError, TaskNotFound
from ..core.queue.decisions import waits_here
from ..core.queue.turn import runs_again
from ..core.states import State
from ..storage.database import next_attempt
from ..storage.drafts import Drafts, in_parallel
from . import spec as specs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..core.labels import Relabeling
    from ..core.model import Task
    from .context import Context
    from .control import Control
    from .queueing import Queue
    from .removing import Remover
    from .stopping import Stopper

_LOG = logging.getLogger(__name__)


class Many:
    """Changes several tasks at a time. Every verb takes tasks as last seen, returns the ids of the changed ones, and
    raises errors of core.errors.
    """

    def __init__(self, context: Context, control: Control, stopper: Stopper, remover: Remover, queue: Queue) -> None:
        self._control = control
        self._stopper = stopper
        self._remover = remover
        self._queue = queue
        self._store = context.store
        self._task_dirs = context.task_dirs
        self._provisioners = context.provisioners
        self._spawn_defaults = context.spawn_defaults

    async def relabel(self, task_ids: Iterable[str], change: Relabeling) -> list[str]:
        """Change the labels of the tasks with these ids; missing ones are left out. Raises BadRequest if one would have
        too many tags.
        """
        await self._store.refresh(0.0)  # labels that another server has just changed count as they are

        def labeled(task: Task) -> Task | None:
            new = change(task)
            return new if new != task else None

        tasks = [task for one in dict.fromkeys(task_ids) if (task := self._store.get(one)) is not None]
        return await self._change(tasks, labeled, spec_of=self._task_dirs.specs.labeled)

    async def retry(self, tasks: Iterable[Task], states: frozenset[State]) -> list[str]:
        """Requeue the tasks that ended in one of these states. They get the server's current environment."""
        ended = [task for task in tasks if task.state in states and not self._control.is_restarting(task)]
        attempts = {task.id: task.attempt for task in ended}

        def again(task: Task) -> Task | None:
            if task.state not in states or task.attempt != attempts[task.id]:
                return None  # it was changed concurrently
            turn = replace(task.turn, not_before=None)
            return next_attempt(task, task.attempt + 1, State.QUEUED, turn=turn)

        environments = await asyncio.to_thread(self._environments, list(attempts))
        changed = await self._change(ended, again, environments)
        if changed:
            await self._queue.wake()
        return changed

    async def release(self, tasks: Iterable[Task]) -> list[str]:
        """Release held tasks, here or at their places. Raises PlaceUnreachable."""
        held = list(tasks)
        for task in held:
            if task.state is State.HELD and not waits_here(task):
                await asyncio.to_thread(self._provisioners.of(task).release, task)

        def released(task: Task) -> Task | None:
            return task.with_(state=State.QUEUED) if task.state is State.HELD else None

        changed = await self._change(held, released)
        if changed:
            await self._queue.wake()
        return changed

    async def cancel(self, tasks: Iterable[Task], message: str) -> list[str]:
        """Cancel pending tasks, with this message, and begin to stop running ones."""
        facts = {"state_reason": "cancelled", "state_message": message, "ended": time.time()}

        def canceled(task: Task) -> Task | None:
            if waits_here(task):
                return task.with_(state=State.CANCELLED, **facts)
            return task.with_(turn=replace(task.turn, retry=None)) if runs_again(task) else None

        meant = [task.id for task in tasks]
        changed = await self._change(tasks, canceled)
        await asyncio.to_thread(in_parallel, self._task_dirs.specs.forget_environment, changed)
        await self._store.refresh(0.0)  # the scheduler may have started one meanwhile
        now = (self._store.get(task_id) for task_id in meant)
        active = [task.id for task in now if task is not None and task.live]
        for task_id, error in zip(active, await asyncio.gather(*map(self._stop, active)), strict=True):
            if error is not None:
                _LOG.warning("task %s is not stopped with the others: %s", task_id, error)
        return sorted({*changed, *active})

    async def _stop(self, task_id: str) -> PtyTasksError | None:
        try:
            await self._stopper.stop_unless_ended(task_id)
        except PtyTasksError as error:
            return error
        return None

    async def delete(self, tasks: Sequence[Task], *, stop: bool, force: bool) -> None:
        """Delete ended tasks and their output. With `stop`, live ones are stopped first; with `force`, those on other
        machines are abandoned.

        Raises InvalidState if one has not ended, Conflict; in these cases none is deleted.
        """
        live = sum(task.live or runs_again(task) or self._control.is_restarting(task) for task in tasks)
        if live and not stop and not force:
            raise InvalidState(f"{live} of the tasks have not ended; cancel them first", field="state")
        if stop:
            await self.cancel(tasks, "canceled to be deleted")
        left = [task.id for task in tasks if self._store.get(task.id) is not None]
        with suppress(TaskNotFound):  # it was deleted concurrently
            await self._remover.delete(*left, stop=stop, force=force)

    async def _change(
        self,
        tasks: Iterable[Task],
        make: Callable[[Task], Task | None],
        environments: Mapping[str, Mapping[str, str]] = {},
        spec_of: Callable[[Task], Mapping[str, Any]] | None = None,
    ) -> list[str]:
        """Replace each task by the result of `make` (None: unchanged), all or none, together with their specs and the
        `environments` of their next attempts. `spec_of` returns the spec of a changed task; by default all of it.
        """
        changes = [(task, new) for task in tasks if (new := make(task)) is not None]
        drafts = Drafts(self._task_dirs, spec_of or self._task_dirs.specs.next)

        def change(task: Task) -> Task | None:
            new = make(task)
            if new is not None:
                drafts.note(task)
            return new

        try:
            await asyncio.to_thread(drafts.write, changes, environments)
            ids = [task.id for task, _ in changes]
            changed = await self._store.change_all(ids, change, drafts.placed) if ids else []
        finally:
            await asyncio.to_thread(drafts.settle)
        return [task.id for task in changed]

    def _environments(self, task_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        defaults = self._spawn_defaults()
        dirs = self._task_dirs
        return {one: specs.environment(dirs.specs.read(one), defaults, dirs.files(one).function) for one in task_ids}
