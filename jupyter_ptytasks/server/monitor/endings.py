"""Explains why tasks failed: at their end, or later, if no server saw it.

The reason is stored as the task's message, once for each attempt. The lines that show it are read again when a client
requests them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ...storage.endings import changes_for, is_explained, why_failed
from .backlog import Backlog

if TYPE_CHECKING:
    import logging

    from ...core.model import Task
    from ...core.why import Reason
    from ...storage.task_dirs import TaskDirs
    from ..hosts.supervisor import Supervisor
    from ..store import Store


class Explainer:
    """Explains failures. `stop` it.

    A success costs nothing; for a failure, the last lines of its output are read in a thread. Unexplained failures,
    such as those from when no server was running, are explained one after the other.
    """

    def __init__(self, store: Store, supervisor: Supervisor, task_dirs: TaskDirs, log: logging.Logger) -> None:
        self._supervisor = supervisor
        self._task_dirs = task_dirs
        self._log = log
        supervisor.outcomes.end_hooks.append(self._end_hook)
        self._backlog = Backlog(store, log, _is_open, self._explanation)

    async def stop(self) -> None:
        """Stop explaining; the rest is done by the next server."""
        self._supervisor.outcomes.end_hooks.remove(self._end_hook)
        await self._backlog.stop()

    async def reason(self, task: Task) -> Reason | None:
        """Return why a task failed, with the lines that show it; None if it has not failed or cannot be read."""
        try:
            return await asyncio.to_thread(why_failed, self._task_dirs, task)
        except Exception:  # noqa: BLE001  whatever it is, the task has ended and that must be told
            self._log.exception("task %s: the end of its output cannot be read", task.id)
            return None

    async def _end_hook(self, task: Task, changes: dict[str, Any]) -> dict[str, Any]:
        """Return the message of a task that fails, as changes."""
        ended = task.with_(**changes)
        return changes_for(await self.reason(ended)) if is_explained(ended) else {}

    async def _explanation(self, task: Task) -> dict[str, Any]:
        return changes_for(await self.reason(task))


def _is_open(task: Task) -> bool:
    return not task.live and not task.why and is_explained(task)
