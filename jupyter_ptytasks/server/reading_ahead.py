"""Reads finished output before its first search, in a process with the lowest priority (jupyter_ptytasks.readahead).

Otherwise the first search would have to find the plain lines of each ring and draw all others, which takes several
times as long as searching. At most one such process runs for each data directory.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ..core.platform import detach
from ..core.ring import known_file

if TYPE_CHECKING:
    import logging

    from ..core.model import Task
    from ..storage.task_dirs import TaskDirs
    from .changes import Change
    from .store import Store

#: Minimum number of bytes of output that is worth reading ahead.
_WORTH = 1 << 16
#: Seconds from the end of a task until its output is read, so that one process can read the output of several tasks.
_PAUSE = 3.0
#: Maximum number of rings for one process, so that tasks that end meanwhile do not wait for all earlier ones.
_AT_ONCE = 100
#: Maximum age in seconds of ends that no server has seen. The output of older tasks is compressed.
_RECENT = 86400.0
_MAIN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "readahead", "__main__.py")


class ReadingAhead:
    """Reads the output of tasks when they end, and at the start that of tasks that ended recently. `stop` it."""

    def __init__(
        self, *, store: Store, task_dirs: TaskDirs, data_dir: str, runtime_dir: str, log: logging.Logger
    ) -> None:
        self._store = store
        self._task_dirs = task_dirs
        self._arguments = [data_dir, runtime_dir]
        self._log = log
        #: Tasks whose output is to be read, the next one last.
        self._waiting: dict[str, Task] = {}
        self._has_some = asyncio.Event()
        self._job: asyncio.Task[None] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start reading. Call this after the store has loaded the tasks."""
        since = time.time() - _RECENT
        for task in self._store.tasks:
            if (task.ended or 0.0) > since:
                self._add(task)
        self._store.listeners.append(self._on_change)
        self._job = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop reading, and kill the process that reads."""
        if self._job is None:
            return
        self._store.listeners.remove(self._on_change)
        self._job.cancel()
        if self._process is not None:
            self._process.kill()
        await asyncio.gather(self._job, return_exceptions=True)

    def _on_change(self, change: Change) -> None:
        task = change.new
        if task is None or task.live:
            self._waiting.pop(change.task_id, None)
        elif change.old is None or change.old.live:
            self._add(task)

    def _add(self, task: Task) -> None:
        if not task.live and task.output.end - task.output.start >= _WORTH:
            self._waiting[task.id] = task
            self._has_some.set()

    async def _run(self) -> None:
        while True:
            await self._has_some.wait()
            await asyncio.sleep(_PAUSE)
            tasks = [self._waiting.popitem()[1] for _ in range(min(_AT_ONCE, len(self._waiting)))]
            if not self._waiting:
                self._has_some.clear()
            try:
                await asyncio.to_thread(self._read, tasks)
            except OSError as error:
                self._log.debug("output is not read ahead: %s", error)

    def _read(self, tasks: list[Task]) -> None:
        """Run a process that reads the output of these tasks, except what was already read. Raises OSError."""
        rings = [(self._task_dirs.files(task.id).output, task.rows, task.cols) for task in tasks]
        rings = [ring for ring in rings if not known_file.is_current(ring[0])]
        if not rings:
            return
        process = self._process = subprocess.Popen(
            [*detach.python(), _MAIN, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=detach.environment(),
            start_new_session=True,
        )
        try:
            assert process.stdin is not None
            with suppress(BrokenPipeError), process.stdin as asked:
                asked.write(json.dumps(rings).encode() + b"\n")
                asked.flush()
                process.wait()  # it ends when its input does
        finally:
            process.kill()
            process.wait()
