"""Copies of the output of tasks on another machine: they follow running tasks, and fetch the rest of ended ones. On the
loop.
"""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ..core.model import Task
    from ..storage.task_dirs import TaskDirs
    from .channels import Tail
    from .connection import Connection

#: Seconds to wait for the rest of the output of an ended task; after that, it is checked again later.
_REST = 5.0


class Copies:
    """The copies over one connection."""

    def __init__(self, connection: Connection, task_dirs: TaskDirs) -> None:
        self._connection = connection
        self._task_dirs = task_dirs
        self._tails: dict[str, Tail] = {}
        self._rests: dict[str, Tail] = {}
        connection.on_up.append(self._forget_all)

    def _forget_all(self) -> None:
        self._tails.clear()
        self._rests.clear()

    def forget_all_but(self, active: Collection[str]) -> None:
        """Stop following all tasks except these (ids)."""
        for task_id in [task_id for task_id in self._tails if task_id not in active]:
            self._tails.pop(task_id).close()

    async def follow(self, task: Task) -> Tail:
        """Return the copy that follows the current attempt of a task. Raises HostUnreachable."""
        relay = await self._connection.reach()
        tail = self._tails.get(task.id)
        if tail is None or tail.attempt != task.attempt or tail.ended.done():
            if tail is not None:
                tail.close()
            files = self._task_dirs.files(task.id)
            tail = self._tails[task.id] = await relay.tail(task.id, task.attempt, files, follow=True)
        return tail

    async def fetch_rest(self, task: Task) -> bool:
        """Copy the missing output of an ended task; return whether it is complete now. Raises HostUnreachable."""
        relay = await self._connection.reach()
        rest = self._rests.get(task.id)
        if rest is None or (rest.ended.done() and rest.ended.result()):
            files = self._task_dirs.files(task.id)
            rest = self._rests[task.id] = await relay.tail(task.id, task.attempt, files, follow=False)
        await asyncio.wait([rest.ended], timeout=_REST)
        if not rest.ended.done():
            return False
        self._rests.pop(task.id, None)
        return not rest.ended.result()
