"""Events about tasks and groups, emitted through jupyter_events."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

from ...core.times import iso

if TYPE_CHECKING:
    from jupyter_events import EventLogger

    from ...core.model import Task
    from ...core.queue.groups import Group
    from ..changes import Change

T = TypeVar("T")

TASK_STATE = "https://events.jupyter.org/jupyter_ptytasks/task_state"
TASK_PROGRESS = "https://events.jupyter.org/jupyter_ptytasks/task_progress"
TASK_WAITING = "https://events.jupyter.org/jupyter_ptytasks/task_waiting"
GROUP_STATE = "https://events.jupyter.org/jupyter_ptytasks/group_state"
SCHEMA_FILES = tuple(
    os.path.join(os.path.dirname(__file__), name, "v1.yaml")
    for name in ("task_state", "task_progress", "group_state", "task_waiting")
)


def is_news(sent: dict[str, T], task_id: str, found: T | None) -> bool:
    """Return whether `found` differs from what was `sent` about a task last, and note it there; None is nothing."""
    if found == sent.get(task_id):
        return False
    if found is None:
        del sent[task_id]
    else:
        sent[task_id] = found
    return True


def register(logger: EventLogger) -> None:
    """Register the schemas of our events."""
    for path in SCHEMA_FILES:
        with open(path, encoding="utf-8") as file:
            logger.register_event_schema(file.read())


class Announcer:
    """Emits an event for every visible change of a task. A listener of the store."""

    def __init__(self, logger: EventLogger) -> None:
        self._logger = logger

    def __call__(self, change: Change) -> None:
        """Emit the event of a change; none if only the revision or the output has changed."""
        old, new = change.old, change.new
        data = event(old, new)
        if old is None or new is None or old.turn != new.turn or event(None, old) != event(None, new):
            self._logger.emit(schema_id=TASK_STATE, data=data)


class GroupAnnouncer:
    """Emits an event for every change of a group's configuration. A listener of the queue."""

    def __init__(self, logger: EventLogger) -> None:
        self._logger = logger

    def __call__(self, old: Group | None, new: Group | None) -> None:
        """Emit the event of a change; a group that does not exist is None."""
        group = new or old
        assert group is not None
        about = {name: group.to_json()[name] for name in ("name", "slots", "paused", "reason")}
        self._logger.emit(schema_id=GROUP_STATE, data={"action": "changed" if new else "deleted", **about})


def event(old: Task | None, new: Task | None) -> dict[str, Any]:
    """Return the data of the event of a change."""
    task = new or old
    assert task is not None
    return {
        "action": "created" if old is None else "deleted" if new is None else "changed",
        "id": task.id,
        "name": task.name,
        "state": task.state.value,
        "previous_state": old.state.value if old is not None else None,
        "state_reason": task.state_reason,
        "state_message": task.state_message,
        "exit": None if task.live else {"code": task.exit.code, "signal": task.exit.signal},
        "attempt": task.attempt,
        "group": task.group,
        "tags": list(task.tags),
        "created": iso(task.created),
        "started": iso(task.started),
        "ended": iso(task.ended),
    }
