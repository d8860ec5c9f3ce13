"""The verb that deletes tasks: their rows in one transaction, their directories after it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from ..core.errors import Conflict, InternalError, InvalidState, StorageFull
from ..core.queue.turn import runs_again
from ..core.states import State
from .stopping import STOP_SLACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..core.model import Task
    from .context import Context
    from .control import Control
    from .hosts.supervisor import Supervisor
    from .stopping import Stopper
    from .waiting import Waiter

#: Seconds for old ptyhosts to exit after they have reported their end.
LEAVING = 5.0


class Remover:
    """Deletes tasks, all or none. Those that no longer exist are left out; if none exists, TaskNotFound is raised."""

    def __init__(
        self, context: Context, control: Control, stopper: Stopper, supervisor: Supervisor, waiter: Waiter
    ) -> None:
        self._control = control
        self._stopper = stopper
        self._supervisor = supervisor
        self._waiter = waiter
        self._store = context.store
        self._task_dirs = context.task_dirs
        self._provisioners = context.provisioners

    async def delete(self, *refs: str, stop: bool = False, force: bool = False) -> None:
        """Delete ended tasks and their output; with `stop` live ones are stopped first, with `force` those on other
        machines are abandoned even if they are running. Raises InvalidState, Conflict, HostUnreachable.
        """
        tasks = [await self._control.get(ref) for ref in refs]
        live = [self._end(task, stop=stop, force=force) for task in tasks if task.live or runs_again(task)]
        for failure in await asyncio.gather(*live, return_exceptions=True):
            if failure is not None:
                raise failure
        await self._delete(tasks)

    async def delete_unpinned(self, tasks: Sequence[Task]) -> list[str]:
        """Delete those of the ended tasks that are still not pinned, and return the ids of those that existed. Raises
        InvalidState if one is running again, Conflict.
        """
        return await self._delete(tasks, spare_pinned=True)

    async def erase(self, task: Task) -> None:
        """Delete all data of a task whose lock the caller holds."""
        await self._erase([task])

    async def _end(self, task: Task, *, stop: bool, force: bool) -> None:
        """Make sure that a task to be deleted has ended."""
        machine = self._supervisor.machine(task.id)
        if force and not self._provisioners.connects(task):
            machine = await asyncio.to_thread(self._provisioners.of(task).machine, task)
        if task.active and force and machine is not None:
            facts = {"state_reason": "given_up", "state_message": f"deleted by force; it ran on {machine}"}
            await self._store.observe(task.id, task.attempt, State.LOST, ended=time.time(), **facts)
            return
        if not stop:
            state = task.state.value if task.live else "to be retried"
            raise InvalidState(f"the task is {state}; stop it first", field="state")
        sequence = await self._stopper.sequence_of(task)
        await self._stopper.stop_unless_ended(task.id)
        # Not the end of this attempt: the next one may have begun before it was stopped.
        await self._waiter.until(task.id, lambda now: not now.live, sum(grace for _, grace in sequence) + STOP_SLACK)

    async def _delete(self, tasks: Sequence[Task], *, spare_pinned: bool = False) -> list[str]:
        """Delete ended tasks, and return the ids of those that existed; with `spare_pinned`, tasks that are pinned by
        now are kept. Raises Conflict if a ptyhost does not exit, InvalidState if a task is running again.
        """
        # A restart is recorded in the database: either our transaction sees it, or theirs sees that the task is gone.
        await asyncio.to_thread(self._see_off, tasks)
        return await self._erase(tasks, spare_pinned=spare_pinned)

    def _see_off(self, tasks: Iterable[Task]) -> None:
        """Wait until all ptyhosts of the tasks have exited. Raises Conflict, InternalError."""
        deadline = time.monotonic() + LEAVING
        for task in tasks:
            try:
                lock = self._task_dirs.lock(task.id, max(deadline - time.monotonic(), 0.0))
            except InternalError:
                if self._task_dirs.exists(task.id):
                    raise
                continue  # its directory was removed
            if lock is None:
                raise Conflict(f"the ptyhost of {task.name} has not ended yet; try again")
            lock.close()

    async def _erase(self, tasks: Sequence[Task], *, spare_pinned: bool = False) -> list[str]:
        """Delete all data of tasks without ptyhosts; see `_delete`.

        Their files on other machines are removed there, too, without waiting for these machines: this is noted first,
        so that it is not forgotten.
        """
        ids = [task.id for task in tasks]
        elsewhere = [task for task in tasks if not self._provisioners.shares_files(task)]
        unnoted = await asyncio.to_thread(self._note, elsewhere)
        try:
            removed = await self._store.remove(*ids, spare_pinned=spare_pinned)
        except StorageFull:
            # There is not even space to record their deletion: deleting their output frees some.
            loose = [task.id for task in tasks if not (spare_pinned and task.pinned)]
            await asyncio.to_thread(self._remove_outputs, loose)
            removed = await self._store.remove(*loose)
        finally:
            # Tasks that are kept must not be removed elsewhere, either.
            kept = [task.id for task in elsewhere if self._store.get(task.id) is not None]
            await asyncio.to_thread(self._task_dirs.removals.done, kept)
        await asyncio.to_thread(self._task_dirs.trash.discard, *removed)
        # On a full disk there is space only now.
        await asyncio.to_thread(self._note, [task for task in unnoted if task.id in removed])
        for task in {task.provisioner: task for task in elsewhere}.values():
            await asyncio.to_thread(self._provisioners.remove_deleted, task)
        return removed

    def _note(self, tasks: Iterable[Task]) -> list[Task]:
        """Note that tasks must be removed at their places; return those for which this failed."""
        return [task for task in tasks if not self._is_noted(task)]

    def _is_noted(self, task: Task) -> bool:
        try:
            self._task_dirs.removals.note(task.provisioner, task.id)
        except InternalError:
            return False  # a failed note must not prevent the deletion
        return True

    def _remove_outputs(self, task_ids: Iterable[str]) -> None:
        for task_id in task_ids:
            self._task_dirs.remove_output(task_id)
