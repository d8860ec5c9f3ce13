"""The route that explains why a task failed or is not running."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.why import Reason
from . import queries
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from ..monitor.endings import Explainer


class Why(TaskHandler):
    """`/tasks/{ref}/why`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return the reason in one sentence, and the lines of the output that show it."""
        self.query(queries.Strict)
        task = await self.control.get(ref)
        explainer: Explainer = self.settings["ptytasks_explainer"]
        found = await explainer.reason(task) if not task.live else None
        reason = found or _otherwise(self.serializer.to_json(task))
        self.send(
            {
                "id": task.id,
                "state": task.state.value,
                "attempt": task.attempt,
                "kind": reason.kind or None,
                "message": reason.message,
                "lines": [{"line": number, "text": text} for number, text in reason.lines],
            }
        )


def _otherwise(task: dict[str, Any]) -> Reason:
    """Return why a task waits, or the message of its state."""
    queue = task["queue"]
    return Reason(task["state_message"], "") if queue is None else Reason(queue["text"], "queue")
