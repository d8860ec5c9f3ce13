"""The route that tells of the service as a whole."""

from __future__ import annotations

from collections import Counter

from .._version import __version__
from ..core.states import State
from . import bodies
from .base import TaskHandler, needs


class Status(TaskHandler):
    """`/status`."""

    @needs("read")
    async def get(self) -> None:
        """Return version, counts by state, limits and provisioners."""
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
