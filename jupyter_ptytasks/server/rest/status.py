"""The route for the state of the service."""

from __future__ import annotations

import contextlib
import time

from ..._version import __version__
from ...core.errors import PtyTasksError
from ...core.platform import detach
from . import queries
from .base import TaskHandler, needs


class Status(TaskHandler):
    """`/status`."""

    @needs("read")
    async def get(self) -> None:
        """Return version, number of tasks by state, limits, provisioners, disk usage and problems."""
        self.query(queries.Strict)
        store = self.settings["ptytasks_store"]
        stale = time.monotonic() - store.stale_since if store.stale_since is not None else None
        with contextlib.suppress(PtyTasksError):  # reported as `problem`
            await store.refresh()
        self.send(
            {
                "version": __version__,
                "tasks": {state.value: count for state, count in store.counts.items()},
                "limits": {"max_live_tasks": self.launcher.max_live},
                "provisioners": sorted(provisioner.name for provisioner in self.settings["ptytasks_provisioners"].all),
                "tasks_outlive_server": detach.can_leave(),
                "storage": self.settings["ptytasks_housekeeping"].to_json(),
                "stale": stale,
                "unreadable": store.unreadable,
                "problem": self.settings["ptytasks_recovery"].problem or None,
            }
        )
