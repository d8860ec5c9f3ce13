"""Events about tasks that wait for input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..serialize import waiting
from . import TASK_WAITING, is_news

if TYPE_CHECKING:
    from jupyter_events import EventLogger

    from ..changes import Change
    from ..hosts.supervisor import Supervisor
    from ..store import Store


class WaitingAnnouncer:
    """Emits an event when a program starts to wait for input, waits for something else, or continues. `close` it."""

    def __init__(self, logger: EventLogger, store: Store, supervisor: Supervisor) -> None:
        self._logger = logger
        self._store = store
        self._supervisor = supervisor
        #: The last emitted data of waiting tasks.
        self._sent: dict[str, dict[str, Any]] = {}
        store.listeners.append(self._on_change)
        supervisor.on_update.append(self._on_update)

    def close(self) -> None:
        """Stop emitting events."""
        self._store.listeners.remove(self._on_change)
        self._supervisor.on_update.remove(self._on_update)

    def _on_change(self, change: Change) -> None:
        self._on_update(change.task_id)
        if change.new is None:
            self._sent.pop(change.task_id, None)

    def _on_update(self, task_id: str) -> None:
        task = self._store.get(task_id)
        if task is None:
            return
        found = waiting(task, self._supervisor.link(task_id))
        if is_news(self._sent, task_id, found):
            about = {"id": task_id, "name": task.name, "attempt": task.attempt, "waiting": found}
            self._logger.emit(schema_id=TASK_WAITING, data=about)
