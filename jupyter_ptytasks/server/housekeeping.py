"""Bounds disk usage: deletes old tasks, compresses the output of finished ones, and removes leftovers."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ..core.errors import PtyTasksError

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from ..core.model import Task
    from ..provision.base import Provisioners
    from ..storage.task_dirs import TaskDirs
    from .changes import Change
    from .control import Control
    from .removing import Remover
    from .retention import Retention
    from .store import Store

#: Seconds between two cleanups, and between two while there is more to do.
_EVERY = 3600.0
_EVERY_BEHIND = 60.0
#: Seconds after the start of the server in which no task is deleted for its age: the clock may not be set yet.
_TRUST_CLOCK = 600.0
#: Seconds after a task's end when its output is compressed, and bytes of output that one cleanup compresses.
_PACK_AFTER = 86400.0
_PACK_MAX = 256 << 20


class Housekeeping:
    """Cleans up periodically, and tracks the disk usage of finished tasks. `stop` it."""

    def __init__(
        self,
        *,
        store: Store,
        task_dirs: TaskDirs,
        provisioners: Provisioners,
        control: Control,
        remover: Remover,
        retention: Retention,
        log: logging.Logger,
    ) -> None:
        self._store = store
        self._task_dirs = task_dirs
        self._provisioners = provisioners
        self._control = control
        self._remover = remover
        self._retention = retention
        self._log = log
        self._began = time.monotonic()
        #: Disk usage of finished tasks in bytes, by id and in total.
        self._sizes: dict[str, int] = {}
        self.used = 0
        self._job: asyncio.Task[None] | None = None
        self._measuring: set[asyncio.Task[None]] = set()
        store.listeners.append(self._on_change)

    def start(self) -> None:
        """Clean up now and periodically."""
        self._job = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop cleaning up; returns when nothing is being read or written."""
        self._store.listeners.remove(self._on_change)
        jobs = [*([self._job] if self._job is not None else []), *self._measuring]
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    def to_json(self) -> dict[str, Any]:
        """Return the disk usage of finished tasks and its limit, in bytes (null: no limit)."""
        return {"used": self.used, "limit": self._retention.size}

    async def sizes(self, tasks: Sequence[Task]) -> dict[str, int]:
        """Return the disk usage of ended tasks in bytes, by id, as last measured."""
        await self._measure([task for task in tasks if task.id not in self._sizes])
        return {task.id: self._sizes.get(task.id, 0) for task in tasks}

    def _on_change(self, change: Change) -> None:
        if change.new is None or change.new.live:
            self.used -= self._sizes.pop(change.task_id, 0)
        elif change.old is None or change.old.live:
            measuring = asyncio.create_task(self._measure([change.new]))
            self._measuring.add(measuring)
            measuring.add_done_callback(self._measuring.discard)

    async def _measure(self, tasks: list[Task]) -> None:
        sizes = await asyncio.to_thread(lambda: {task.id: self._task_dirs.size(task.id) for task in tasks})
        for task_id, size in sizes.items():
            task = self._store.get(task_id)
            if task is not None and not task.live:
                self.used += size - self._sizes.get(task_id, 0)
                self._sizes[task_id] = size

    async def _run(self) -> None:
        while True:
            try:
                behind = await self._clean()
            except Exception:  # noqa: BLE001  the next clean-up may do better
                self._log.exception("cleaning up tasks failed")
                behind = False
            await asyncio.sleep(_EVERY_BEHIND if behind else _EVERY if self._trusts_clock else _TRUST_CLOCK)

    @property
    def _trusts_clock(self) -> bool:
        return time.monotonic() - self._began > _TRUST_CLOCK

    async def _clean(self) -> bool:
        """Clean up once; return whether there is more to do."""
        if self._store.stale_since is None:
            await asyncio.to_thread(self._task_dirs.remove_incomplete, self._store.ids)
            if not self._store.unreadable:
                used = {task.sweep.id for task in self._store.tasks if task.sweep is not None}
                await asyncio.to_thread(self._task_dirs.sweeps.remove_unused, used)
            active = {task.id for task in self._store.active}
            for provisioner in self._provisioners.all:
                await asyncio.to_thread(provisioner.clean_up, active)
        await asyncio.to_thread(self._task_dirs.trash.purge)
        await asyncio.to_thread(self._task_dirs.imports.remove_old)
        await self._measure([task for task in self._store.tasks if not task.live])
        behind = await self._prune()
        return await self._pack() or behind

    async def _prune(self) -> bool:
        links = [self._control.link(task.id) for task in self._store.active]
        seen = max((link.last_output for link in links if link is not None), default=0.0)
        surplus = self._retention.surplus(
            self._store.tasks, self._sizes, time.time(), seen=seen, by_age=self._trusts_clock
        )
        for task in surplus:
            try:
                await self._remover.delete_unpinned([task])
            except PtyTasksError as error:  # continue with the others
                self._log.warning("task %s cannot be deleted: %s", task.id, error)
        return bool(surplus)

    async def _pack(self) -> bool:
        """Compress the output of tasks that ended long ago; return whether there is more to do."""
        left = _PACK_MAX
        for task in self._store.tasks:
            if task.live or time.time() - (task.ended or task.created) < _PACK_AFTER:
                continue
            try:
                packed = await asyncio.to_thread(self._task_dirs.pack, task.id, left)
            except (OSError, PtyTasksError) as error:
                self._log.debug("task %s: its output cannot be compressed: %s", task.id, error)
                continue
            if packed:
                await self._measure([task])
            left -= packed
            if left <= 0:
                return True
        return False
