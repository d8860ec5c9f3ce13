"""Tracks the progress and metrics of active tasks, and stores them when they end.

Everything is read from the rings, so a restarted server can continue. Several servers track the same task
independently; the values that one of them stores are part of the task's end.
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
    from collections.abc import Callable, Mapping

    from ...core.model import Task
    from ...core.progress import Progress
    from ...core.ring.reader import RingReader
    from ...storage.task_dirs import TaskDirs
    from ..changes import Change
    from ..hosts.supervisor import Supervisor
    from ..store import Store
    from .metrics import MetricsBook, Recorder, Wanted

#: Seconds between two reads of the output of one task.
_EVERY = 0.5
#: A shell continues after a command in it is done or interrupted: progress is cleared this many seconds after its last
#: change, sooner if it was complete.
_FORGOTTEN = 60.0
_FORGOTTEN_COMPLETE = 3.0


class _Track:
    """A tracked attempt of a task."""

    __slots__ = ("attempt", "forgetting", "job", "metrics", "news", "progress", "reader", "recorder", "seen", "tail")

    def __init__(self, attempt: int, open_ring: Callable[[], RingReader], recorder: Recorder | None) -> None:
        self.attempt = attempt
        self.reader = ProgressReader()
        self.recorder = recorder
        if recorder is None:
            self.tail = TailReader(open_ring, attempt, [self.reader])
        else:
            self.tail = TailReader(open_ring, attempt, [self.reader, recorder], recorder.begin)
        self.progress: Progress | None = None
        #: As last reported.
        self.metrics: Mapping[str, Any] = {}
        #: The last reported end of the ring, and whether there is output to read before it.
        self.seen = 0
        self.news = False
        self.job: asyncio.Task[None] | None = None
        self.forgetting: asyncio.TimerHandle | None = None

    def read(self) -> bool:
        """Read a piece of new output, and return whether there is more. Blocking; raises OSError."""
        has_more = self.tail.read(time.time())
        if self.recorder is not None and self.recorder.told:
            self.recorder.save(self.tail.position)
        return has_more

    def end(self, *, succeeded: bool) -> None:
        """Read the rest. Blocking; raises OSError."""
        self.tail.end(succeeded, time.time())
        if self.recorder is not None and self.recorder.told:
            self.recorder.save(self.tail.position, at_once=True)

    def keep(self) -> None:
        """Save the metrics for the next server. Blocking; raises OSError."""
        if self.recorder is not None and self.tail.position:
            self.recorder.save(self.tail.position, at_once=True)

    def forget(self) -> None:
        """Start over with the next output; only for shells, which have no metrics."""
        self.reader = ProgressReader()
        self.tail.parsers = [self.reader]

    def close(self) -> None:
        """Stop tracking."""
        if self.job is not None:
            self.job.cancel()
        if self.forgetting is not None:
            self.forgetting.cancel()


class Tracker:
    """Tracks the progress of every active task. `stop` it after the supervisor is closed.

    A task without output costs nothing; at most 64 KiB per task are read twice a second, all in one thread. `listeners`
    are called on the loop with the id of a task whose progress or metrics have changed.
    """

    def __init__(
        self, store: Store, supervisor: Supervisor, task_dirs: TaskDirs, book: MetricsBook, log: logging.Logger
    ) -> None:
        self._book = book
        self._store = store
        self._supervisor = supervisor
        self._task_dirs = task_dirs
        self._log = log
        self._thread = ThreadPoolExecutor(1, "ptytasks-tracking")
        self._tracks: dict[str, _Track] = {}
        self.listeners: Listeners[str] = Listeners()
        supervisor.on_output.append(self._on_news)
        supervisor.on_update.append(self._on_news)
        supervisor.outcomes.end_hooks.append(self._end_hook)
        store.listeners.append(self._on_change)

    async def stop(self) -> None:
        """Stop tracking; returns when nothing is being read."""
        self._supervisor.on_output.remove(self._on_news)
        self._supervisor.on_update.remove(self._on_news)
        self._supervisor.outcomes.end_hooks.remove(self._end_hook)
        self._store.listeners.remove(self._on_change)
        tracks = list(self._tracks.items())
        for task_id, _ in tracks:
            self._drop(task_id)
        await asyncio.to_thread(self._thread.shutdown)
        for task_id, track in tracks:
            try:
                await asyncio.to_thread(track.keep)
            except OSError as error:
                self._log.warning("task %s: its metrics cannot be written: %s", task_id, error)

    def progress(self, task: Task) -> dict[str, Any] | None:
        """Return the progress of a task as JSON, the final progress if it has ended; None if there is none."""
        if not task.active:
            return None if task.progress is None else dict(task.progress)
        track = self._tracks.get(task.id)
        if track is None or track.attempt != task.attempt or track.progress is None:
            return None
        progress = track.progress.to_json()
        # The time left of a paused task is unknown, and that of one being stopped irrelevant.
        return progress if task.state is State.RUNNING else progress | {"eta": None}

    def metrics(self, task: Task) -> Mapping[str, Any]:
        """Return the metrics of a task as JSON, the final ones if it has ended; empty if there are none."""
        if not task.active:
            return task.metrics or {}
        track = self._tracks.get(task.id)
        return track.metrics if track is not None and track.attempt == task.attempt else {}

    def moments(self, task_id: str) -> list[float]:
        """Return when values of the most important metric of an active task were read, in Unix seconds."""
        track = self._tracks.get(task_id)
        return track.recorder.moments() if track is not None and track.recorder is not None else []

    async def points(self, task: Task, wanted: Wanted) -> dict[str, Any]:
        """Return points of the metrics of a task as JSON."""
        await self._book.settle(task)
        track = self._tracks.get(task.id)
        is_read = track is not None and track.attempt == task.attempt and track.tail.position
        recorder = track.recorder if track is not None and is_read else None
        return await asyncio.to_thread(self._book.points, task, recorder, wanted)

    # -- while it runs ------------------------------------------------------------------------------------------------

    def _on_news(self, task_id: str) -> None:
        task, link = self._store.get(task_id), self._supervisor.link(task_id)
        # Until its own ptyhost responds, the ring still ends with the previous attempt.
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
        return _Track(task.attempt, lambda: self._task_dirs.open_ring(task.id), self._book.recorder(task))

    async def _follow(self, task: Task, track: _Track) -> None:
        """Read as long as there is new output, at a limited rate."""
        loop = asyncio.get_running_loop()
        try:
            while track.news:
                track.news = False
                began = loop.time()
                has_more = await loop.run_in_executor(self._thread, track.read)
                track.news = track.news or has_more
                if self._has_news(track) or track.reader.progress != track.progress:
                    self._take(task, track, track.reader.progress)
                await asyncio.sleep(began + _EVERY - loop.time())
        except OSError as error:
            self._log.warning("task %s: its progress cannot be read: %s", task.id, error)
        finally:
            track.job = None

    def _has_news(self, track: _Track) -> bool:
        """Update the metrics, and return whether there are new ones."""
        if track.recorder is None or track.recorder.told == track.metrics:
            return False
        track.metrics = track.recorder.told
        return True

    def _take(self, task: Task, track: _Track, progress: Progress | None) -> None:
        track.progress = progress
        if track.forgetting is not None:
            track.forgetting.cancel()
            track.forgetting = None
        if task.kind is Kind.SHELL and progress is not None:
            delay = _FORGOTTEN_COMPLETE if progress.fraction == 1.0 else _FORGOTTEN
            # A server that has just started may find output that is long outdated.
            link = self._supervisor.link(task.id)
            age = time.time() - link.last_output if link is not None else 0.0
            track.forgetting = asyncio.get_running_loop().call_later(max(delay - age, 0.0), self._forget, task, track)
        self.listeners(task.id)

    def _forget(self, task: Task, track: _Track) -> None:
        track.forget()
        self._take(task, track, None)

    # -- at its end ---------------------------------------------------------------------------------------------------

    async def _end_hook(self, task: Task, changes: dict[str, Any]) -> dict[str, Any]:
        """Return the final progress and metrics of a task, as changes. Those of a shell are dropped."""
        track = self._tracks.get(task.id)
        if track is None or track.attempt != task.attempt:
            track = self._track(task)
        if task.kind is Kind.SHELL:
            return {}
        try:
            # Not in our own thread: the end of a task must not wait for reads of others.
            await asyncio.to_thread(track.end, succeeded=changes["state"] is State.SUCCEEDED)
        except Exception:  # noqa: BLE001  whatever it is, the task has ended and that must be written down
            self._log.exception("task %s: its last progress cannot be read", task.id)
            return {}
        progress = track.reader.progress
        told = {"metrics": track.recorder.told} if track.recorder is not None else {}
        return told if progress is None else {**told, "progress": progress.to_json()}
