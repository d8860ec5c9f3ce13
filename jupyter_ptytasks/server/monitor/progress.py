"""Follows how far the active tasks are, and has it written down when they end.

All that it knows it has read from the rings, so that a server that is started again goes on where they are. Several
servers follow the same task, each for itself; what one of them writes down is part of the task's end.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ...core.model import Kind
from ...core.progress import ProgressReader
from ...core.ring.tail import TailReader
from ...core.states import State
from ..listeners import Listeners

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from ...core.model import Task
    from ...core.progress import Progress
    from ...core.ring.reader import RingReader
    from ...storage.task_dirs import TaskDirs
    from ..changes import Change
    from ..hosts.supervisor import Supervisor
    from ..store import Store

#: Seconds between two looks at the output of one task.
_EVERY = 0.5
#: A shell continues after a command in it is done or interrupted: its progress is forgotten this many seconds after
#: its last change, sooner if it was complete.
_FORGOTTEN = 60.0
_FORGOTTEN_COMPLETE = 3.0


class _Track:
    """One attempt of a task that is followed."""

    __slots__ = ("attempt", "forgetting", "job", "news", "progress", "reader", "seen", "tail")

    def __init__(self, attempt: int, open_ring: Callable[[], RingReader]) -> None:
        self.attempt = attempt
        self.reader = ProgressReader()
        self.tail = TailReader(open_ring, attempt, [self.reader])
        self.progress: Progress | None = None
        #: The end of the ring as last reported, and whether it has not been read that far.
        self.seen = 0
        self.news = False
        self.job: asyncio.Task[None] | None = None
        self.forgetting: asyncio.TimerHandle | None = None

    def forget(self) -> None:
        """Begin again with what comes next."""
        self.reader = ProgressReader()
        self.tail.parsers = [self.reader]

    def close(self) -> None:
        """Stop following."""
        if self.job is not None:
            self.job.cancel()
        if self.forgetting is not None:
            self.forgetting.cancel()


class Tracker:
    """Knows the progress of every active task that reports any. `stop` it, when the supervisor is closed.

    A task without output costs nothing, and of one with much at most 64 KiB are read twice a second, all in one thread.
    `listeners` are called on the loop with the id of a task whose progress has changed.
    """

    def __init__(self, store: Store, supervisor: Supervisor, task_dirs: TaskDirs, log: logging.Logger) -> None:
        self._store = store
        self._supervisor = supervisor
        self._task_dirs = task_dirs
        self._log = log
        self._thread = ThreadPoolExecutor(1, "ptytasks-tracking")
        self._tracks: dict[str, _Track] = {}
        self.listeners: Listeners[str] = Listeners()
        supervisor.on_output.append(self._on_news)
        supervisor.on_update.append(self._on_news)
        supervisor.end_hooks.append(self._end_hook)
        store.listeners.append(self._on_change)

    async def stop(self) -> None:
        """Stop following; returns when nothing is read any more."""
        self._supervisor.on_output.remove(self._on_news)
        self._supervisor.on_update.remove(self._on_news)
        self._supervisor.end_hooks.remove(self._end_hook)
        self._store.listeners.remove(self._on_change)
        for task_id in list(self._tracks):
            self._drop(task_id)
        await asyncio.to_thread(self._thread.shutdown)

    def progress(self, task: Task) -> dict[str, Any] | None:
        """Return the progress of a task as JSON, the final one if it has ended; None if it reports none."""
        if not task.active:
            return None if task.progress is None else dict(task.progress)
        track = self._tracks.get(task.id)
        if track is None or track.attempt != task.attempt or track.progress is None:
            return None
        progress = track.progress.to_json()
        # The time left of a paused task is unknown, and that of one being stopped irrelevant.
        return progress if task.state is State.RUNNING else progress | {"eta": None}

    # -- while it runs ------------------------------------------------------------------------------------------------

    def _on_news(self, task_id: str) -> None:
        task, link = self._store.get(task_id), self._supervisor.link(task_id)
        # Until its own ptyhost answers, the ring still ends with the attempt before.
        if task is None or not task.active or link is None or link.status.get("attempt") != task.attempt:
            return
        track = self._tracks.get(task_id)
        if link.output.end <= (track.seen if track is not None else 0):
            return
        if track is None:
            track = self._tracks[task_id] = self._track(task)
        track.seen = link.output.end
        track.news = True
        if track.job is None:
            track.job = asyncio.create_task(self._follow(task, track))

    def _on_change(self, change: Change) -> None:
        track, new = self._tracks.get(change.task_id), change.new
        if track is not None and (new is None or not new.active or new.attempt != track.attempt):
            self._drop(change.task_id)

    def _drop(self, task_id: str) -> None:
        self._tracks.pop(task_id).close()

    def _track(self, task: Task) -> _Track:
        return _Track(task.attempt, lambda: self._task_dirs.open_ring(task.id))

    async def _follow(self, task: Task, track: _Track) -> None:
        """Read as long as there is something new, and no more often than is good."""
        loop = asyncio.get_running_loop()
        try:
            while track.news:
                track.news = False
                began = loop.time()
                await loop.run_in_executor(self._thread, lambda: track.tail.read(time.time()))
                if track.reader.progress != track.progress:
                    self._take(task, track, track.reader.progress)
                await asyncio.sleep(began + _EVERY - loop.time())
        except OSError as error:
            self._log.warning("task %s: its progress cannot be read: %s", task.id, error)
        finally:
            track.job = None

    def _take(self, task: Task, track: _Track, progress: Progress | None) -> None:
        track.progress = progress
        if track.forgetting is not None:
            track.forgetting.cancel()
            track.forgetting = None
        if task.kind is Kind.SHELL and progress is not None:
            delay = _FORGOTTEN_COMPLETE if progress.fraction == 1.0 else _FORGOTTEN
            # A server that has just been started may have found what is long over.
            link = self._supervisor.link(task.id)
            age = time.time() - link.last_output if link is not None else 0.0
            track.forgetting = asyncio.get_running_loop().call_later(max(delay - age, 0.0), self._forget, task, track)
        self.listeners(task.id)

    def _forget(self, task: Task, track: _Track) -> None:
        track.forget()
        self._take(task, track, None)

    # -- at its end ---------------------------------------------------------------------------------------------------

    async def _end_hook(self, task: Task, changes: dict[str, Any]) -> dict[str, Any]:
        """Return the final progress of a task, as changes. That of a shell is dropped."""
        track = self._tracks.get(task.id)
        if track is None or track.attempt != task.attempt:
            track = self._track(task)
        if task.kind is Kind.SHELL:
            return {}
        try:
            # Not in our own thread: the end of a task does not wait until others have been read.
            await asyncio.to_thread(track.tail.end, changes["state"] is State.SUCCEEDED, time.time())
        except Exception:  # noqa: BLE001  whatever it is, the task has ended and that must be written down
            self._log.exception("task %s: its last progress cannot be read", task.id)
            return {}
        progress = track.reader.progress
        return {} if progress is None else {"progress": progress.to_json()}
