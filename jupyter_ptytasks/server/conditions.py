"""Waiting for conditions of a task: its end, a question, a matching line, silence, progress, or a deadline.

There is no polling: ptyhosts and other servers report changes. Output is searched as it arrives, in separate threads
from searches of output, and a pattern that takes too long is refused.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..core.queue.turn import runs_again
from ..core.ring.lines import RingLines
from .output_lines import LineReader, Mode, Query
from .search import Cancelled, Search
from .serialize import output, waiting

if TYPE_CHECKING:
    from threading import Event

    from ..core.model import Task
    from .control import Control
    from .hosts.supervisor import Supervisor
    from .monitor.progress import Tracker
    from .waiting import Waiter

#: Number of lines at the beginning and at the end of the returned output.
_HEAD_LINES, _TAIL_LINES = 10, 40
#: Maximum number of concurrent searches, and how many times longer than its duration a search then pauses: during a
#: flood, lines are not searched individually.
_SEARCHES = 4
_REST = 1.0
_threads = ThreadPoolExecutor(_SEARCHES, "ptytasks-waiting")


class Reason(str, Enum):
    """Why a wait ended."""

    EXIT = "exit"
    WAITING = "waiting"
    MATCH = "match"
    QUIET = "quiet"
    PROGRESS = "progress"
    OUTPUT = "output"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class Condition:
    """What to wait for: one of `until`, or the end of the task, for at most `timeout` seconds.

    The conditions are: a line from number `since` on matches `match`, there is no output for `quiet` seconds, or there
    is output beyond `offset` (None: the end of the output at the start of the wait).
    """

    until: frozenset[Reason]
    timeout: float
    match: str | None = None
    since: int | None = None
    quiet: float = 3.0
    offset: int | None = None


@dataclass(frozen=True)
class Outcome:
    """The reason, the `task`, the matching `line` (number and what to show of it), and the requested output."""

    task: Task
    reason: Reason
    line: tuple[int, str] | None = None
    output: dict[str, Any] | None = None


class Conditions:
    """Waits for conditions of tasks."""

    def __init__(self, control: Control, waiter: Waiter, supervisor: Supervisor, tracker: Tracker) -> None:
        self._control = control
        self._waiter = waiter
        self._supervisor = supervisor
        self._tracker = tracker

    async def wait(self, ref: str, condition: Condition, cancel: Event) -> Outcome:
        """Return the condition that is met first. `cancel` is set when the client disconnects; this raises Cancelled.

        Raises TaskNotFound, and BadRequest if the pattern is invalid or takes too long.
        """
        task = await self._control.get(ref)
        wait = _Wait(self._control, self._supervisor, self._tracker, task, condition, cancel)
        on_output, on_progress = self._supervisor.on_output, self._tracker.listeners
        try:
            with self._waiter.news(task.id, on_output, on_progress) as news:
                found = await wait.run(news)
        finally:
            wait.close()
        if condition.since is None:
            return found
        lines = await asyncio.get_running_loop().run_in_executor(None, self._read, found.task, condition.since)
        return Outcome(found.task, found.reason, found.line, {**lines, "ended": not found.task.live})

    def _read(self, task: Task, since: int) -> dict[str, Any]:
        query = Query(since=since, mode=Mode.HEAD_TAIL, head_lines=_HEAD_LINES, tail_lines=_TAIL_LINES)
        with self._control.open_ring(task) as ring:
            return LineReader(ring, ended=not task.live, size=(task.rows, task.cols)).read(query)


class _Wait:
    """One wait. `close` it."""

    def __init__(
        self,
        control: Control,
        supervisor: Supervisor,
        tracker: Tracker,
        task: Task,
        condition: Condition,
        cancel: Event,
    ) -> None:
        self._control = control
        self._supervisor = supervisor
        self._tracker = tracker
        self._task = task
        self._condition = condition
        self._cancel = cancel
        self._deadline = time.monotonic() + condition.timeout
        self._progress = self._essence()
        self._offset = self._end() if condition.offset is None else condition.offset
        self._finder: _Finder | None = None
        if condition.match is not None:
            self._finder = _Finder(control, condition.match, condition.since or 0, cancel)

    def close(self) -> None:
        """Stop listening."""
        link = self._supervisor.link(self._task.id)
        if link is not None:
            link.watch(False, self)

    async def run(self, news: asyncio.Event) -> Outcome:
        """Return the condition that is met first; `news` is set whenever one may be."""
        while True:
            news.clear()
            if self._cancel.is_set():
                raise Cancelled
            self._task = self._control.look_up(self._task.id) or self._task
            self._watch()
            # Checked before the output, so that no earlier line is missed.
            reason = self._reason()
            if self._finder is not None:
                line = await self._finder.look(self._task)
                if line is not None:
                    return Outcome(self._task, Reason.MATCH, line)
            left = self._deadline - time.monotonic()
            if reason is not None or left <= 0:
                return Outcome(self._task, reason or Reason.TIMEOUT)
            quiet = self._quiet_for()
            if quiet is not None:
                left = min(left, self._condition.quiet - quiet)
            await self._hear(news, left)

    async def _hear(self, news: asyncio.Event, timeout: float) -> None:
        try:
            await asyncio.wait_for(news.wait(), timeout)
        except asyncio.TimeoutError:
            return
        now = time.monotonic()
        if self._finder is not None and self._finder.rests_until > now:
            await asyncio.sleep(min(self._finder.rests_until, self._deadline) - now)

    def _watch(self) -> None:
        link = self._supervisor.link(self._task.id)
        if link is not None and self._condition.until & {Reason.MATCH, Reason.QUIET, Reason.OUTPUT}:
            link.watch(True, self)

    def _reason(self) -> Reason | None:
        until, task = self._condition.until, self._task
        if not (task.live or self._control.is_restarting(task) or runs_again(task)):
            return Reason.EXIT
        if Reason.WAITING in until and waiting(task, self._supervisor.link(task.id)) is not None:
            return Reason.WAITING
        if Reason.PROGRESS in until and self._essence() not in (None, self._progress):
            return Reason.PROGRESS
        if Reason.OUTPUT in until and self._end() > self._offset:
            return Reason.OUTPUT
        quiet = self._quiet_for()
        return Reason.QUIET if quiet is not None and quiet >= self._condition.quiet else None

    def _end(self) -> int:
        """Return the offset at which the output ends."""
        return output(self._task, self._supervisor.link(self._task.id)).end

    def _quiet_for(self) -> float | None:
        """Return for how long (seconds) there was no output; None if this is not a condition."""
        link = self._supervisor.link(self._task.id)
        if Reason.QUIET not in self._condition.until or link is None or not link.connected:
            return None
        return time.time() - max(link.last_output, self._task.started or self._task.created)

    def _essence(self) -> dict[str, Any] | None:
        """Return the progress of the task, without its timestamp."""
        progress = self._tracker.progress(self._task)
        return progress and {**progress, "updated": None, "eta": None}


class _Finder:
    """Searches new output for a matching line. It pauses until `rests_until`."""

    def __init__(self, control: Control, pattern: str, since: int, cancel: Event) -> None:
        self._control = control
        self._pattern = pattern
        self._cancel = cancel
        self._search = self._new_search()
        self._next = since
        self._seen = (-1, -1)
        self.rests_until = 0.0

    async def look(self, task: Task) -> tuple[int, str] | None:
        """Return the first matching line: number and excerpt; None if there is none yet.

        Raises the same as `Search`.
        """
        began = time.monotonic()
        self._search = self._new_search()  # each search has its own time limit
        found = await asyncio.get_running_loop().run_in_executor(_threads, self._look, task)
        now = time.monotonic()
        self.rests_until = now + (now - began) * _REST
        return found

    def _new_search(self) -> Search:
        return Search(self._pattern, head=1, tail=None, cancel=self._cancel, field="match")

    def _look(self, task: Task) -> tuple[int, str] | None:
        with self._control.open_ring(task) as ring:
            bounds = ring.bounds()
            if bounds == self._seen:
                return None
            self._seen = bounds
            reading = RingLines(ring, (task.rows, task.cols)).since(self._next)
            for batch in reading:
                if self._cancel.is_set():
                    raise Cancelled
                if self._finds(batch):
                    break
                if batch:
                    self._next = max(self._next, batch[-1][0])
            else:
                rest = reading.rest()
                if not self._finds([(number, text) for number, text, _ in rest]):
                    # Settled lines need not be searched again.
                    changing = next((number for number, _, is_settled in rest if not is_settled), self._next)
                    self._next = max(self._next, changing)
        lines, _ = self._search.found()
        return (lines[0][0], self._search.excerpt(lines[0][1]).text) if lines else None

    def _finds(self, lines: list[tuple[int, str]]) -> bool:
        self._search.look(lines, self._next)
        return bool(self._search.found()[0])
