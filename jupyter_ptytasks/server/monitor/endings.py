"""Says why tasks failed: with their end, or later, if no server saw it.

What is found is written down as the task's message, once for each attempt. The lines that say it are read again when
somebody asks for them.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ...core.errors import PtyTasksError
from ...storage.endings import changes_for, is_explained, why_failed

if TYPE_CHECKING:
    import logging

    from ...core.model import Task
    from ...core.why import Reason
    from ...storage.task_dirs import TaskDirs
    from ..changes import Change
    from ..hosts.supervisor import Supervisor
    from ..store import Store


class Explainer:
    """Explains failures. `stop` it.

    A success costs nothing; of a failure, the last lines of its output are read in a thread. Those that nobody has
    explained, such as those that the scheduler has noted while there was no server, are explained one after the other.
    """

    def __init__(self, store: Store, supervisor: Supervisor, task_dirs: TaskDirs, log: logging.Logger) -> None:
        self._store = store
        self._supervisor = supervisor
        self._task_dirs = task_dirs
        self._log = log
        #: The tasks that are still to be explained, in the order in which they were found.
        self._open: dict[str, None] = {}
        self._job: asyncio.Task[None] | None = None
        supervisor.end_hooks.append(self._end_hook)
        store.listeners.append(self._on_change)

    async def stop(self) -> None:
        """Stop explaining; what is left is done by the next server."""
        self._supervisor.end_hooks.remove(self._end_hook)
        self._store.listeners.remove(self._on_change)
        if self._job is not None:
            self._job.cancel()
            await asyncio.gather(self._job, return_exceptions=True)

    async def reason(self, task: Task) -> Reason | None:
        """Return why a task failed, with the lines that say it; None if it has not, or if that cannot be read."""
        try:
            return await asyncio.to_thread(why_failed, self._task_dirs, task)
        except Exception:  # noqa: BLE001  whatever it is, the task has ended and that must be told
            self._log.exception("task %s: the end of its output cannot be read", task.id)
            return None

    async def _end_hook(self, task: Task, changes: dict[str, Any]) -> dict[str, Any]:
        """Return the message of a task that fails, as changes."""
        ended = task.with_(**changes)
        return changes_for(await self.reason(ended)) if is_explained(ended) else {}

    # -- what nobody has explained ------------------------------------------------------------------------------------

    def _on_change(self, change: Change) -> None:
        task = change.new
        if task is None or not _is_open(task):
            return
        self._open[task.id] = None
        if self._job is None:
            self._job = asyncio.create_task(self._explain_open())

    async def _explain_open(self) -> None:
        try:
            while self._open:
                task_id = next(iter(self._open))
                del self._open[task_id]
                task = self._store.get(task_id)
                if task is not None and _is_open(task):
                    await self._explain(task)
        finally:
            self._job = None

    async def _explain(self, task: Task) -> None:
        changes = changes_for(await self.reason(task))

        def explained(now: Task) -> Task | None:
            """Return the task as explained, unless it was started again or another server was first."""
            return now.with_(**changes) if now.attempt == task.attempt and _is_open(now) else None

        try:
            await self._store.change_all([task.id], explained, lambda _: nullcontext())
        except PtyTasksError as error:
            self._log.warning("task %s: %s", task.id, error)


def _is_open(task: Task) -> bool:
    return not task.live and not task.why and is_explained(task)
