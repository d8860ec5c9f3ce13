"""Running tasks count as activity: a hub or a culler must not stop a server with running tasks.

Jupyter Server calls `current_activity()` before it shuts down for lack of activity, and reports to hubs the newest
time in `settings["last_activity_times"]` (jupyter_server's serverapp.py; jupyter_server_terminals#112 shows what
happens otherwise).
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from tornado.ioloop import PeriodicCallback

if TYPE_CHECKING:
    from ..core.model import Task
    from .store import Store

#: Seconds between two reports: a culler with a shorter timeout would stop a busy server.
_EVERY = 1.0
_KEY = "ptytasks"


class Activity:
    """Reports while tasks run, each for at most `limit` seconds after its start (0: not at all). `stop` it."""

    def __init__(self, store: Store, settings: dict[str, Any], limit: float) -> None:
        self._store = store
        self._settings = settings
        self._limit = limit
        self._timer = PeriodicCallback(self.report, _EVERY * 1000)

    def start(self) -> None:
        """Report now and periodically."""
        self.report()
        self._timer.start()

    def stop(self) -> None:
        """Stop reporting."""
        self._timer.stop()

    def busy(self) -> list[Task]:
        """Return the tasks that keep the server up."""
        now = time.time()
        return [task for task in self._store.active if now - (task.started or task.created) < self._limit]

    def report(self) -> None:
        """Report activity if there is any."""
        if self.busy():
            self._settings.setdefault("last_activity_times", {})[_KEY] = datetime.now(timezone.utc)
