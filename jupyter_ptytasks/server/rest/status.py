"""The route that tells of the service as a whole."""

from __future__ import annotations

import contextlib
import time
from collections import Counter

from ..._version import __version__
from ...core.errors import PtyTasksError
from ...core.states import State
from . import bodies
from .base import TaskHandler, needs


class Status(TaskHandler):
    """`/status`."""

    @needs("read")
    async def get(self) -> None:
        """Return version, counts by state, limits, provisioners, room on disk, and what does not work."""
        self.query(bodies.Strict)
        store = self.manager.store
        stale = time.monotonic() - store.stale_since if store.stale_since is not None else None
        with contextlib.suppress(PtyTasksError):  # it is told as the problem
            await store.refresh()
        counts = Counter(task.state for task in store.tasks)
        self.send(
            {
                "version": __version__,
                "tasks": {state.value: counts[state] for state in State},
                "limits": {"max_live_tasks": self.manager.max_live},
                "provisioners": sorted(self.manager.provisioners),
                "storage": self.settings["ptytasks_housekeeping"].to_json(),
                "stale": stale,
                "unreadable": store.unreadable,
                "problem": self.settings["ptytasks_recovery"].problem or None,
            }
        )
