"""The route for the metrics of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import queries
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from ..monitor.progress import Tracker


class Metrics(TaskHandler):
    """`/tasks/{ref}/metrics`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return the points of metrics."""
        wanted = self.query(queries.Metrics).wanted()
        task = await self.control.get(ref)
        tracker: Tracker = self.settings["ptytasks_tracker"]
        self.send(await tracker.points(task, wanted))
