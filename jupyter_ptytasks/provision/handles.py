"""The handle of the job that is a task's ptyhost (`handle.json`).

The handle is written before the job is submitted, so that the job can be found by its comment, and is never submitted
twice. An abandoned job is marked in it, too: the job reads the handle before it runs anything.
"""

from __future__ import annotations

import secrets
import time

from ..core.errors import StartUnknown, storage_fault
from ..core.files import read_json, write_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..core.model import Task
    from ..storage.task_dirs import TaskDirs

    Handle = dict[str, Any]


#: The value of `given_up` for a canceled job; for others it is true.
CANCELED = "canceled"
#: Seconds after which files that a node wrote are visible here, or will never be: on a shared file system, and on one
#: that caches directories (`acdirmax` of nfs(5)).
_LATE, _VERY_LATE = 3.0, 75.0


def lateness(handle: Handle) -> float:
    """Return how many seconds to wait for the exit record of an ended job, which may not be visible here yet."""
    return _VERY_LATE if handle.get("cached") else _LATE


class Handles:
    """The handles of tasks, in their directories. They are written under the task's lock, unless the job is known.

    `prevent` writes an abandoned handle to where its job reads it, if that is another directory, and returns False if
    the job already runs; it may raise PlaceUnreachable.
    """

    def __init__(self, task_dirs: TaskDirs, prevent: Callable[[Task, Handle], bool] | None = None) -> None:
        self._task_dirs = task_dirs
        self._prevent = prevent or self._is_not_hosted

    def _is_not_hosted(self, task: Task, _: Handle) -> bool:
        return self._task_dirs.host(task) is None

    def check_new(self, task: Task) -> None:
        """Raise StartUnknown if a job was, or may have been, submitted for the current attempt of a task."""
        known = self.of(task)
        if known is not None and not known.get("given_up"):
            raise StartUnknown("it was already submitted")

    def new(self, task: Task, place: str) -> Handle:
        """Return the handle of a job that is about to be submitted. The caller writes it."""
        return {
            "place": place, "attempt": task.attempt, "nonce": secrets.token_hex(8), "submitted": time.time(),
        }  # fmt: skip

    def of(self, task: Task) -> Handle | None:
        """Return the handle of the job that runs the current attempt of a task; None if there is none."""
        handle = self.last(task.id)
        if handle is None:
            return None
        first = int(handle["attempt"])
        return handle if first <= task.attempt <= int(handle.get("latest", first)) else None

    def last(self, task_id: str) -> Handle | None:
        """Return the handle of the last job of a task; None if there was none."""
        handle = read_json(self._task_dirs.files(task_id).handle)
        return handle if handle is not None and isinstance(handle.get("attempt"), int) else None

    def write(self, task: Task, handle: Handle) -> None:
        """Replace the handle of a task. Raises StorageFull or InternalError."""
        try:
            write_json(self._task_dirs.files(task.id).handle, handle, durable=True)
        except OSError as error:
            raise storage_fault(error, "the task's directory") from error

    def give_up(self, task: Task, how: object) -> bool:
        """Mark, under the task's lock, that its job must not run; `how` is the value of `given_up`. Return False if the
        job runs, or is just being submitted. This does not depend on the batch system: the job and the next server read
        the mark. Raises StorageFull, InternalError, or what `prevent` raises.
        """
        lock = self._task_dirs.lock(task.id)
        if lock is None:
            return False
        with lock:
            handle = self.of(task)
            if handle is None:
                return True
            given_up = {**handle, "given_up": how}
            if not self._prevent(task, given_up):
                return False
            self.write(task, given_up)
        return True
