"""The route that tells what a task has used in the last minutes."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from . import bodies
from .base import TaskHandler


class Stats(TaskHandler):
    """`/tasks/{ref}/stats`."""

    @web.authenticated
    @authorized
    async def get(self, ref: str) -> None:
        """Give the last samples of a task; it is sampled more often for a while."""
        self.query(bodies.Strict)
        self.send(self.view.stats(await self.manager.get(ref)))
