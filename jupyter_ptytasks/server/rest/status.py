"""The route that tells of the service as a whole."""

from __future__ import annotations

from collections import Counter

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..._version import __version__
from ...core.states import State
from . import bodies
from .base import TaskHandler


class Status(TaskHandler):
    """`/status`."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Give version, counts by state, limits and provisioners."""
        self.query(bodies.Strict)
        counts = Counter(task.state for task in await self.manager.list_all())
        self.send(
            {
                "version": __version__,
                "tasks": {state.value: counts[state] for state in State},
                "limits": {"max_live_tasks": self.manager.max_live},
                "provisioners": sorted(self.manager.provisioners),
            }
        )
