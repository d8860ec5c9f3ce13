"""The route for a task's recent resource usage."""

from __future__ import annotations

from . import queries
from .base import TaskHandler, needs


class Stats(TaskHandler):
    """`/tasks/{ref}/stats`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return the recent samples of a task, which is then sampled more often for a while."""
        self.query(queries.Strict)
        self.send(self.serializer.stats(await self.control.get(ref)))
