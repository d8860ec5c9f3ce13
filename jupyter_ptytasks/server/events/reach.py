"""Events about tasks whose machine becomes unreachable, or reachable again: the database does not record that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..serialize import state_message
from . import TASK_STATE, event, is_news

if TYPE_CHECKING:
    from jupyter_events import EventLogger

    from ..hosts.supervisor import Supervisor
    from ..store import Store


class ReachAnnouncer:
    """Emits an event when the message of an active task changes because its machine cannot be reached, or can be again.
    `close` it.
    """

    def __init__(self, logger: EventLogger, store: Store, supervisor: Supervisor) -> None:
        self._logger = logger
        self._store = store
        self._supervisor = supervisor
        #: The machines of unreachable tasks, as last emitted.
        self._sent: dict[str, str] = {}
        supervisor.on_update.append(self._on_update)

    def close(self) -> None:
        """Stop emitting events."""
        self._supervisor.on_update.remove(self._on_update)

    def _on_update(self, task_id: str) -> None:
        machine = self._supervisor.machine(task_id)
        if not is_news(self._sent, task_id, machine):
            return
        task = self._store.get(task_id)
        if task is not None and task.active:
            data = {**event(task, task), "state_message": state_message(task, machine)}
            self._logger.emit(schema_id=TASK_STATE, data=data)
