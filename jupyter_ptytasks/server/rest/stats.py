"""The route that tells what a task has used in the last minutes."""

from __future__ import annotations

from . import bodies
from .base import TaskHandler, needs


class Stats(TaskHandler):
    """`/tasks/{ref}/stats`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return the last samples of a task; it is sampled more often for a while."""
        self.query(bodies.Strict)
        self.send(self.serializer.stats(await self.manager.get(ref)))
