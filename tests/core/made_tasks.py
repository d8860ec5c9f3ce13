"""Tasks for the tests of the queue."""

from __future__ import annotations

from jupyter_ptytasks.core.model import Kind, Task
from jupyter_ptytasks.core.queue.turn import Turn
from jupyter_ptytasks.core.states import State

NOW = 1.8e9


def make(number: int, state: State = State.QUEUED, group: str = "g", **turn: object) -> Task:
    return Task(
        id=f"{number:08}",
        name=f"task-{number}",
        command="true",
        kind=Kind.COMMAND,
        cwd="/",
        state=state,
        created=NOW,
        provisioner="local",
        group=group,
        turn=Turn(**turn),  # type: ignore[arg-type]
    )
