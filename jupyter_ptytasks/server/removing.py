"""Deletes tasks that have ended, however many: their rows in one transaction, their directories after it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from ..core.errors import Conflict, InternalError, StorageFull

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..core.model import Task
    from ..provision.base import Provisioners
    from ..storage.task_dirs import TaskDirs
    from .store import Store

#: Seconds for old ptyhosts to be gone after they reported their ends.
LEAVING = 5.0


class Remover:
    """Deletes tasks, all or none of them. Those that are gone already are left out; if none is there, TaskNotFound is
    raised.
    """

    def __init__(self, *, store: Store, task_dirs: TaskDirs, provisioners: Provisioners) -> None:
        self._store = store
        self._task_dirs = task_dirs
        self._provisioners = provisioners

    async def delete(self, tasks: Sequence[Task]) -> None:
        """Delete tasks that have ended. Raises Conflict if a ptyhost does not leave, InvalidState if a task runs
        again.
        """
        # Who starts a task again says so in the database: our transaction sees it, or theirs that there is no task.
        await asyncio.to_thread(self._see_off, tasks)
        await self.erase(tasks)

    def _see_off(self, tasks: Iterable[Task]) -> None:
        """Return when no task has a ptyhost any more. Raises Conflict, InternalError."""
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

    async def erase(self, tasks: Sequence[Task]) -> None:
        """Delete all that is known of tasks that have no ptyhosts.

        What is left of them on other machines is removed there, too: that does not wait for these machines, and is
        noted before, so that nothing makes it be forgotten.
        """
        ids = [task.id for task in tasks]
        elsewhere = [task for task in tasks if not self._provisioners.shares_files(task)]
        unnoted = await asyncio.to_thread(self._note, elsewhere)
        try:
            removed = await self._store.remove(*ids)
        except StorageFull:
            # Not even room to note that they are gone: deleting their output makes some.
            await asyncio.to_thread(self._remove_outputs, ids)
            removed = await self._store.remove(*ids)
        await asyncio.to_thread(self._task_dirs.discard, *removed)
        await asyncio.to_thread(self._note, unnoted)  # on a full disk there is room only now
        for task in {task.provisioner: task for task in elsewhere}.values():
            await asyncio.to_thread(self._provisioners.remove_deleted, task)

    def _note(self, tasks: Iterable[Task]) -> list[Task]:
        """Note that tasks are to be removed at their places; return those for which that did not work."""
        return [task for task in tasks if not self._is_noted(task)]

    def _is_noted(self, task: Task) -> bool:
        try:
            self._task_dirs.removals.note(task.provisioner, task.id)
        except InternalError:
            return False  # what cannot be noted must not keep a task from being deleted
        return True

    def _remove_outputs(self, task_ids: Iterable[str]) -> None:
        for task_id in task_ids:
            self._task_dirs.remove_output(task_id)
