"""Watches for running tasks with problems: those that have stalled, and those whose loss is no longer a number."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ...core import sentinels
from ...core.model import Kind
from ...core.states import State
from ...core.times import iso
from ..listeners import Listeners

if TYPE_CHECKING:
    from ...core.model import Task
    from ..changes import Change
    from ..hosts.supervisor import Supervisor
    from ..store import Store
    from .progress import Tracker


class _Watch:
    """One attempt of a task that makes steps."""

    __slots__ = ("attempt", "rhythm", "since", "timer")

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        self.rhythm = sentinels.Rhythm()
        #: Since when it has stalled (Unix seconds); None if it has not.
        self.since: float | None = None
        self.timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Sentinels:
    """Detects problems of running tasks. `close` it before the tracker is stopped.

    Only tasks that have made steps can stall, not a server that waits for requests. Each of them has one timer.
    `listeners` are called on the loop with the id of a task that has stalled, or continues.
    """

    def __init__(self, store: Store, supervisor: Supervisor, tracker: Tracker) -> None:
        self._store = store
        self._supervisor = supervisor
        self._tracker = tracker
        self._watches: dict[str, _Watch] = {}
        self.listeners: Listeners[str] = Listeners()
        tracker.listeners.append(self._on_step)
        supervisor.on_output.append(self._on_output)
        store.listeners.append(self._on_change)

    def close(self) -> None:
        """Stop watching."""
        self._tracker.listeners.remove(self._on_step)
        self._supervisor.on_output.remove(self._on_output)
        self._store.listeners.remove(self._on_change)
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()

    def warnings(self, task: Task) -> list[dict[str, Any]]:
        """Return the warnings of a task as JSON (docs/rest.md)."""
        watch = self._watches.get(task.id)
        found: list[dict[str, Any]] = []
        if task.active and watch is not None and watch.attempt == task.attempt and watch.since is not None:
            message = sentinels.stalled(watch.rhythm.patience or 0.0)
            found.append({"kind": "stalled", "metric": None, "message": message, "since": iso(watch.since)})
        found += [
            {"kind": "not_a_number", "metric": name, "message": message, "since": None}
            for name, message in sentinels.not_numbers(self._tracker.metrics(task))
        ]
        return found

    def _on_step(self, task_id: str) -> None:
        task = self._store.get(task_id)
        if task is None or not task.active or task.kind is Kind.SHELL:
            return
        watch = self._watches.get(task_id)
        if watch is None:
            watch = self._watches[task_id] = _Watch(task.attempt)
            # A server that has just started knows earlier steps from the metrics.
            watch.rhythm.take(self._tracker.moments(task_id) or [time.time()])
        else:
            watch.rhythm.take([time.time()])
        self._on_output(task_id)
        if watch.timer is None:
            self._look(task_id, watch)

    def _on_output(self, task_id: str) -> None:
        watch = self._watches.get(task_id)
        if watch is not None and watch.since is not None:
            watch.since = None
            self.listeners(task_id)
            self._look(task_id, watch)

    def _on_change(self, change: Change) -> None:
        watch, new = self._watches.get(change.task_id), change.new
        if watch is not None and (new is None or not new.active or new.attempt != watch.attempt):
            del self._watches[change.task_id]
            watch.close()

    def _look(self, task_id: str, watch: _Watch) -> None:
        """Check whether a task has stalled; if not, check again when it may have."""
        watch.close()
        patience = watch.rhythm.patience
        task, link = self._store.get(task_id), self._supervisor.link(task_id)
        if patience is None or task is None:
            return  # the next step checks again
        heard = max(watch.rhythm.last, link.last_output if link is not None else 0.0)
        rest = heard + patience - time.time()
        is_free = task.state is State.RUNNING and link is not None and link.connected and link.waiting is None
        if rest > 0 or not is_free:
            again = rest if rest > 0 else patience
            watch.timer = asyncio.get_running_loop().call_later(again, self._look, task_id, watch)
        else:
            watch.since = heard
            self.listeners(task_id)
