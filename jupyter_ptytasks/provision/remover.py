"""Removes the remaining files of deleted tasks from another machine (storage.removals)."""

from __future__ import annotations

import asyncio
import logging

from ..core.errors import HostUnreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..storage.task_dirs import TaskDirs
    from .connection import Connection

_LOG = logging.getLogger(__name__)
#: Seconds between attempts to remove the files of a ptyhost that has reported its end and is about to exit.
_LEAVING = (0.1, 0.5, 2.0)


class Remover:
    """Removes files at a place, soon after `remove_soon` and whenever the place is reached. `close` it."""

    def __init__(self, connection: Connection, task_dirs: TaskDirs, place: str) -> None:
        self._connection = connection
        self._task_dirs = task_dirs
        self._place = place
        #: The running removal, and whether to check the notes again.
        self._removing: asyncio.Task[None] | None = None
        self._is_due = False
        connection.on_up.append(self.remove_soon)

    def close(self) -> None:
        """Remove no more."""
        if self._removing is not None:
            self._removing.cancel()

    def remove_soon(self) -> None:
        """Start processing the current notes. On the loop."""
        self._is_due = True
        if self._removing is None:
            self._removing = asyncio.create_task(self._remove_noted())

    async def _remove_noted(self) -> None:
        try:
            while self._is_due:
                self._is_due = False
                for task_id in await asyncio.to_thread(self._noted):
                    if await self._remove(task_id):
                        await asyncio.to_thread(self._task_dirs.removals.done, [task_id])
        except (HostUnreachable, OSError) as error:
            _LOG.debug("files of deleted tasks on %s will be removed later: %s", self._connection.host, error)
        finally:
            self._removing = None

    async def _remove(self, task_id: str) -> bool:
        """Remove the remaining files of a task there; return whether none is left."""
        for pause in (*_LEAVING, None):
            answer = await (await self._connection.reach()).call("remove", id=task_id)
            if answer.get("removed") or pause is None:
                break
            await asyncio.sleep(pause)
        return answer.get("removed") is True

    def _noted(self) -> list[str]:
        """Return the noted tasks that no longer exist: the note is written before the deletion."""
        return [one for one in self._task_dirs.removals.of(self._place) if not self._task_dirs.exists(one)]
