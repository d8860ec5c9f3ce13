"""Records the metrics of tasks while they run, and stores them when they end.

The metrics are saved next to the ring, with the offset up to which it was read, so that a restarted server continues
there. The file is replaced as a whole: several servers record the same task independently, and the last write wins.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import regex

from ...core import metrics
from ...core.errors import InternalError
from ...core.files import write_bytes
from ...core.metrics import stored
from ...core.metrics.names import better
from ...core.metrics.series import thinned
from ...core.model import Kind
from ...core.ring.tail import TailReader
from ...core.states import State
from .backlog import Backlog

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence

    from ...core.metrics import Series
    from ...core.model import Task
    from ...storage.task_dirs import TaskDirs
    from ..store import Store

#: Seconds between two writes of a file, plus one more for each of these bytes.
_EVERY = 5.0
_BYTES_A_SECOND = 100_000
#: Seconds that a pattern may take for one line, and in total; after that it is no longer used.
_LINE_TIME = 0.05
_PATTERN_TIME = 5.0


@dataclass(frozen=True)
class Wanted:
    """The requested points: of these `names` (None: all), after `since`, at most `points` of each; of an `attempt`
    (None: the last one). `by_time` says whether `since` is a time.
    """

    names: Sequence[str] | None = None
    since: float | None = None
    points: int = 500
    by_time: bool = False
    attempt: int | None = None


class _Finder:
    """Finds the groups of a pattern in lines, within a time budget."""

    def __init__(self, pattern: str) -> None:
        self._pattern = regex.compile(pattern)
        self._left = _PATTERN_TIME

    def __call__(self, text: str) -> Mapping[str, str | None] | None:
        if self._left <= 0:
            return None
        began = time.thread_time()
        try:
            found = self._pattern.search(text, timeout=_LINE_TIME, concurrent=True)
        except TimeoutError:
            self._left -= 1.0  # a pattern that times out will do so again
            return None
        self._left -= time.thread_time() - began if found is None else 0.0
        return found.groupdict() if found else None


class Recorder:
    """The metrics of one attempt: a parser of its output. All methods are thread-safe; `told` is for the loop."""

    def __init__(self, task_dirs: TaskDirs, task_id: str, attempt: int) -> None:
        self._task_dirs = task_dirs
        self._task_id = task_id
        self._attempt = attempt
        self._path = task_dirs.files(task_id).metrics
        self._lock = Lock()
        self._reader = metrics.MetricsReader()
        self._earlier: list[stored.Attempt] = []
        self._written: tuple[int, int] | None = None
        self._due = 0.0
        #: As in the task's JSON.
        self.told: Mapping[str, Any] = {}

    def begin(self) -> int:
        """Load what has been read before, and return the offset up to which it was read."""
        attempts = _load(self._path)
        with self._lock:
            self._reader = _new_reader(self._task_dirs, self._task_id)
            self._earlier = [one for one in attempts if one.number < self._attempt]
            position = self._earlier[-1].position if self._earlier else 0
            for one in attempts:
                if one.number == self._attempt:
                    if _restore(self._reader, one):
                        position = one.position
                    else:
                        self._reader = _new_reader(self._task_dirs, self._task_id)
            self.told = metrics.summary(self._reader.series)
        return position

    def feed(self, data: bytes, now: float, *, gap: bool = False) -> None:
        """Parse the next bytes (core.ring.tail)."""
        with self._lock:
            before = self._reader.points
            self._reader.feed(data, now, gap=gap)
            if self._reader.points != before:
                self.told = metrics.summary(self._reader.series)

    def moments(self) -> list[float]:
        """Return when values of the most important metric were read, in Unix seconds; if there are many, some."""
        with self._lock:
            return next(([*one.times] for one in self._reader.series), [])

    def end(self, succeeded: bool, now: float) -> None:
        """Parse the incomplete rest."""
        with self._lock:
            self._reader.end(succeeded, now)
            self.told = metrics.summary(self._reader.series)

    def save(self, position: int, *, at_once: bool = False) -> None:
        """Save the metrics up to `position`, if a write is due. Raises OSError."""
        now = time.monotonic()
        with self._lock:
            if (now < self._due and not at_once) or self._written == (position, self._reader.points):
                return
            data = stored.encode([*self._earlier, self._present(position)])
            self._written = (position, self._reader.points)
            self._due = now + max(_EVERY, len(data) / _BYTES_A_SECOND)
        try:
            write_bytes(self._path, data)
        except FileNotFoundError:
            pass  # the task has been deleted

    def attempts(self) -> list[stored.Attempt]:
        """Return a copy of all attempts, oldest first."""
        with self._lock:
            return stored.decode(stored.encode([*self._earlier, self._present(0)]))

    def _present(self, position: int) -> stored.Attempt:
        return stored.Attempt(self._attempt, position, self._reader.state(), self._reader.followed)


class MetricsBook:
    """The metrics of all tasks, including those that ended while no server was running. `stop` it."""

    def __init__(self, store: Store, task_dirs: TaskDirs, log: logging.Logger) -> None:
        self._task_dirs = task_dirs
        self._log = log
        self._backlog = Backlog(store, log, _is_open, self._read)

    async def stop(self) -> None:
        """Stop reading; the rest is done by the next server."""
        await self._backlog.stop()

    def recorder(self, task: Task) -> Recorder | None:
        """Return a recorder for the attempt of a task; None for a shell, where anything may be printed."""
        return None if task.kind is Kind.SHELL else Recorder(self._task_dirs, task.id, task.attempt)

    async def settle(self, task: Task) -> None:
        """Read the metrics of a task that has just ended, if another process has recorded its end."""
        if _is_open(task):
            await self._backlog.settle(task.id)

    def points(self, task: Task, recorder: Recorder | None, wanted: Wanted) -> dict[str, Any]:
        """Return points as JSON (docs/rest.md). Blocking."""
        attempts = recorder.attempts() if recorder is not None else _load(self._task_dirs.files(task.id).metrics)
        number = wanted.attempt or task.attempt
        chosen = next((one for one in attempts if one.number == number), None)
        reader = metrics.MetricsReader()
        if chosen is not None and not _restore(reader, chosen):
            reader = metrics.MetricsReader()
        series = [one for one in reader.series if wanted.names is None or one.name in wanted.names]
        return {
            "id": task.id,
            "attempt": number,
            "attempts": [one.number for one in attempts],
            "gaps": reader.gaps,
            "metrics": [_column(one, wanted) for one in series],
        }

    # -- tasks that ended without a server ----------------------------------------------------------------------------

    async def _read(self, task: Task) -> dict[str, Any]:
        try:
            return {"metrics": await asyncio.to_thread(self._read_end, task)}
        except Exception:  # noqa: BLE001  one that cannot be read has none, and is not tried again and again
            self._log.exception("task %s: its metrics cannot be read", task.id)
            return {"metrics": {}}

    def _read_end(self, task: Task) -> Mapping[str, Any]:
        recorder = self.recorder(task)
        if recorder is None:
            return {}
        tail = TailReader(lambda: self._task_dirs.open_ring(task.id), task.attempt, [recorder], recorder.begin)
        tail.end(task.state is State.SUCCEEDED, time.time())
        if recorder.told:
            recorder.save(tail.position, at_once=True)
        return recorder.told


def _is_open(task: Task) -> bool:
    return not task.live and task.metrics is None and task.kind is Kind.COMMAND and task.started is not None


def _load(path: str) -> list[stored.Attempt]:
    try:
        with open(path, "rb") as file:
            return stored.decode(file.read(stored.LONGEST))
    except OSError:
        return []


def _restore(reader: metrics.MetricsReader, attempt: stored.Attempt) -> bool:
    """Let a reader continue a stored attempt; return False if that is damaged, and the reader must not be used."""
    try:
        reader.restore(attempt.state, attempt.series)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return True


def _new_reader(task_dirs: TaskDirs, task_id: str) -> metrics.MetricsReader:
    try:
        settings = metrics.Settings.from_json(task_dirs.specs.read(task_id).get("metrics"))
    except InternalError:
        settings = metrics.Settings()
    try:
        find = _Finder(settings.pattern) if settings.pattern else None
    except (regex.error, RecursionError, OverflowError):
        find = None  # it was checked when the task was created, but another version of `regex` may reject it
    return metrics.MetricsReader(settings, find)


def _column(series: Series, wanted: Wanted) -> dict[str, Any]:
    """Return one metric with its points as columns."""
    axis = series.times if wanted.by_time else series.steps
    places = [at for at, x in enumerate(axis) if wanted.since is None or x > wanted.since]
    chosen = [places[at] for at in thinned([series.values[at] for at in places], max(wanted.points, 4))]
    return {
        "name": series.name,
        **series.to_json(),
        "better": better(series.name),
        "count": series.count,
        "steps": [metrics.number_to_json(series.steps[at]) for at in chosen],
        "times": [round(series.times[at], 3) for at in chosen],
        "values": [metrics.number_to_json(series.values[at]) for at in chosen],
    }
