"""Rate-limited events about the progress and usage of tasks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from . import TASK_PROGRESS

if TYPE_CHECKING:
    from collections.abc import Collection

    from jupyter_events import EventLogger

    from ..changes import Change
    from ..listeners import Listeners
    from ..serialize import TaskSerializer
    from ..store import Store

#: Seconds between two events of one task.
_EVERY = 1.0


class ProgressAnnouncer:
    """Emits an event when the progress or usage of a live task has changed, at most once a second per task.

    It listens to everything in `measured`; the end of a task is reported by the event of its state. `close` it.
    """

    def __init__(
        self, logger: EventLogger, store: Store, serializer: TaskSerializer, measured: Collection[Listeners[str]]
    ) -> None:
        self._logger = logger
        self._store = store
        self._serializer = serializer
        #: The last emitted data, and timers that delay the next event.
        self._sent: dict[str, dict[str, Any]] = {}
        self._pauses: dict[str, asyncio.TimerHandle] = {}
        self._waiting: set[str] = set()
        self._measured = measured
        store.listeners.append(self._on_change)
        for listeners in measured:
            listeners.append(self)

    def close(self) -> None:
        """Stop emitting events."""
        for listeners in self._measured:
            listeners.remove(self)
        self._store.listeners.remove(self._on_change)
        for task_id in list(self._pauses):
            self._forget(task_id)

    def __call__(self, task_id: str) -> None:
        """Emit an event for a new measurement, immediately or as soon as the last event is old enough."""
        if task_id in self._pauses:
            self._waiting.add(task_id)
            return
        task = self._store.get(task_id)
        if task is None or not task.active:
            return
        sent = {"attempt": task.attempt, **self._serializer.measures(task)}
        if _essence(sent) == _essence(self._sent.get(task_id, {})):
            return
        self._sent[task_id] = sent
        self._pauses[task_id] = asyncio.get_running_loop().call_later(_EVERY, self._go_on, task_id)
        self._logger.emit(schema_id=TASK_PROGRESS, data={"id": task_id, **sent})

    def _go_on(self, task_id: str) -> None:
        del self._pauses[task_id]
        if task_id in self._waiting:
            self._waiting.discard(task_id)
            self(task_id)

    def _on_change(self, change: Change) -> None:
        if change.new is None or not change.new.active:
            self._forget(change.task_id)

    def _forget(self, task_id: str) -> None:
        self._sent.pop(task_id, None)
        self._waiting.discard(task_id)
        pause = self._pauses.pop(task_id, None)
        if pause is not None:
            pause.cancel()


def _essence(sent: dict[str, Any]) -> dict[str, Any]:
    """Return the data whose change needs a new event: not the time of a measurement with the same result."""
    progress, usage = sent.get("progress"), sent.get("usage")
    return {
        **sent,
        "progress": progress and {**progress, "updated": None},
        "usage": usage and {**usage, "sampled": None},
    }
