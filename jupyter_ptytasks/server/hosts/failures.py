"""Logs why tasks cannot be reached, each reason only once, since connecting is retried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import PtyTasksError, shortage

if TYPE_CHECKING:
    import logging


class Failures:
    """The last logged failure of each task."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last: dict[str, str] = {}

    def forget(self, task_id: str) -> None:
        """Log the next failure of a task, whatever it is."""
        self._last.pop(task_id, None)

    def log(self, task_id: str, error: Exception) -> None:
        """Log once why a task cannot be reached; known errors in one line."""
        if self._last.get(task_id) == str(error):
            return
        self._last[task_id] = str(error)
        if shortage(error) is not None:
            self._log.debug("task %s: %s", task_id, error)  # requests report it, too
        elif isinstance(error, PtyTasksError):
            self._log.warning("task %s: %s", task_id, error)
        else:
            self._log.error("task %s: the link to its ptyhost failed", task_id, exc_info=error)
