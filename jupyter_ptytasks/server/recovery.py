"""Finds existing tasks when a server starts, and periodically after that."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from ..core.errors import PtyTasksError
from ..core.states import State

if TYPE_CHECKING:
    import logging

    from ..provision.base import Provisioners
    from ..storage.task_dirs import TaskDirs
    from .hosts.supervisor import Supervisor
    from .launching import Launcher
    from .queueing import Queue
    from .store import Store

#: Seconds between two checks for changes by other servers, and between two checks of the directories of lost tasks.
_LOOK_EVERY = 1.0
_CORRECT_EVERY = 60.0
#: Seconds after the end of a lost task during which its exit record is still looked for.
_CORRECT_FOR = 30 * 86400.0


class Recovery:
    """Synchronizes the store with the task directories, links to live tasks, and keeps watching. `stop` it.

    If something fails at the start (a full or read-only disk), it is retried until it works. `problem` describes the
    problem, and is empty if there is none.
    """

    def __init__(
        self,
        *,
        store: Store,
        task_dirs: TaskDirs,
        supervisor: Supervisor,
        provisioners: Provisioners,
        launcher: Launcher,
        queue: Queue,
        log: logging.Logger,
    ) -> None:
        self._store = store
        self._task_dirs = task_dirs
        self._supervisor = supervisor
        self._provisioners = provisioners
        self._launcher = launcher
        self._queue = queue
        self._log = log
        self._lost = store.index.where(lambda task: task.state is State.LOST)
        self._watch: asyncio.Task[None] | None = None
        self._recovered = False
        self._corrected = -_CORRECT_EVERY
        self.problem = ""

    async def start(self) -> None:
        """Adopt live tasks, read the records of ended ones, then keep watching in the background."""
        await self._look()
        self._watch = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            await self._look()

    async def _look(self) -> None:
        """Check once. A problem is logged when it first occurs and when it is gone."""
        try:
            if self._recovered:
                await self._store.refresh(_LOOK_EVERY / 2)
            else:
                await self._recover()
            self._adopt()
            self._supervisor.lookout.look()
            for provisioner in self._provisioners.all:
                provisioner.reap()
            await self._queue.look()
            await self._queue.wake_if_needed()
            await self._correct()
        except (PtyTasksError, OSError) as error:
            if str(error) != self.problem:
                self._log.warning("tasks cannot be managed right now: %s", error)
            self.problem = str(error)
        except Exception:  # noqa: BLE001  the next look may do better
            self._log.exception("tasks cannot be managed right now")
            self.problem = "an internal error; see the server's log"
        else:
            if self.problem:
                self._log.info("tasks are managed again")
            self.problem = ""

    async def _recover(self) -> None:
        """Add tasks that are missing in the database."""
        await self._store.refresh(0.0)
        if self._store.problem is not None:
            raise self._store.problem
        known = self._store.ids
        unknown = await asyncio.to_thread(lambda: list(self._task_dirs.tasks(besides=known)))
        if unknown:
            self._log.info("found %d tasks on disk that were not in the database", len(unknown))
            await self._store.put(unknown)
        self._recovered = True

    def _adopt(self) -> None:
        for task in self._store.active:
            self._supervisor.keep(task)
        self._launcher.finish_restarts()

    async def _correct(self) -> None:
        """Check whether lost tasks have an exit record now."""
        if time.monotonic() - self._corrected < _CORRECT_EVERY:
            return
        self._corrected = time.monotonic()
        for task in self._lost.newest_first:
            if time.time() - (task.ended or 0.0) < _CORRECT_FOR:
                await self._supervisor.outcomes.correct(task)
