"""Polls tasks whose ptyhosts are jobs: remembers earlier results, and skips tasks that cannot have changed. There may
be hundreds of tasks, which are polled every second.
"""

from __future__ import annotations

import os
import time

from ..core.errors import PlaceUnreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Any

    from ..core.model import Task
    from ..storage.task_dirs import TaskDirs

    News = dict[str, Any]

#: Seconds after which a running task is polled in any case: a file system may show changes late, and earlier news may
#: not have been stored.
_LOOK_AGAIN = 10.0


class Looks:
    """Polls tasks with `find`, which returns the changes of a task (Provisioner.poll) or raises PlaceUnreachable.
    `running` returns what is known of the job of a running task, and None for other tasks.
    """

    def __init__(
        self, task_dirs: TaskDirs, running: Callable[[Task], object], find: Callable[[Task], News | None]
    ) -> None:
        self._task_dirs = task_dirs
        self._running = running
        self._find = find
        #: When something was first seen, by task id, attempt and what it was (monotonic seconds).
        self._seen: dict[tuple[str, int, str], float] = {}
        #: For running tasks, the inputs of the last poll: if they are unchanged, there is no news.
        self._still: dict[str, tuple[object, ...]] = {}

    def forget(self, active: Collection[str]) -> None:
        """Drop results about tasks other than these."""
        self._seen = {key: seen for key, seen in self._seen.items() if key[0] in active}
        self._still = {task_id: still for task_id, still in self._still.items() if task_id in active}

    def look(self, tasks: Iterable[Task]) -> dict[str, News]:
        """Return the news about tasks, by id; tasks that cannot be polled now are left out."""
        found = {}
        for task in tasks:
            still = self._on_what(task)
            if still is not None and self._still.get(task.id) == still:
                continue
            try:
                news = self._find(task)
            except PlaceUnreachable:
                continue
            if still is not None:
                self._still[task.id] = still
            if news is not None:
                found[task.id] = news
        return found

    def _on_what(self, task: Task) -> tuple[object, ...] | None:
        """Return everything that news about a running task depends on; None if it does not run. Costs one `stat`."""
        known = self._running(task)
        if known is None:
            return None
        try:
            changed = os.stat(self._task_dirs.files(task.id).dir).st_mtime_ns
        except OSError:
            return None
        return task, known, changed, time.monotonic() // _LOOK_AGAIN

    def since(self, task: Task, what: str) -> float:
        """Return when `what` was first seen for a task's attempt (monotonic seconds); now if it was not seen before."""
        return self._seen.setdefault((task.id, task.attempt, what), time.monotonic())

    def unsee(self, task: Task, what: str) -> None:
        """Note that `what` no longer applies."""
        self._seen.pop((task.id, task.attempt, what), None)
