"""Tasks that are being imported: each is assembled in a separate directory, so that it does not count as a task yet.
Blocking.

Such a directory is a root (task_dirs): it contains the task, under its future id, and the archive.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress

from ..core.errors import storage_fault
from ..core.files import remove_tree
from ..core.platform import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = ".import-"
#: Seconds after which an import is considered interrupted, and is deleted.
_CUT_OFF = 86400.0
_WHAT = "the task's directory"


class Imports:
    """Imports in progress into the directory of all tasks."""

    def __init__(self, tasks: str) -> None:
        self._tasks = tasks

    def root(self, task_id: str) -> str:
        """Return the directory in which the task with this future id is assembled."""
        return os.path.join(self._tasks, f"{_PREFIX}{task_id}")

    def begin(self, task_id: str) -> str:
        """Create that directory, with an empty one for the task, and return the path for its archive. Raises
        StorageFull, InternalError.
        """
        try:
            files.private_dir(os.path.dirname(self._tasks))
            files.private_dir(self._tasks)
            for directory in (self.root(task_id), os.path.dirname(self._task(task_id)), self._task(task_id)):
                os.mkdir(directory, 0o700)
        except OSError as error:
            self.end(task_id)
            raise storage_fault(error, _WHAT) from error
        return os.path.join(self.root(task_id), "archive")

    @contextmanager
    def placed(self, task_id: str) -> Iterator[None]:
        """Move the task to the others, and move it back if the block raises. Enter it within the transaction that adds
        the task. Raises StorageFull, InternalError.
        """
        directory = os.path.join(self._tasks, task_id)
        try:
            os.rename(self._task(task_id), directory)
            files.sync_dir(self._tasks)
        except OSError as error:
            raise storage_fault(error, _WHAT) from error
        try:
            yield
        except BaseException:
            os.rename(directory, self._task(task_id))
            raise

    def end(self, task_id: str) -> None:
        """Delete the remaining files of an import."""
        remove_tree(self.root(task_id))

    def remove_old(self) -> None:
        """Delete the remaining files of interrupted imports, for example if the server was killed."""
        with suppress(OSError):
            for name in os.listdir(self._tasks):
                path = os.path.join(self._tasks, name)
                if name.startswith(_PREFIX) and time.time() - os.stat(path).st_mtime > _CUT_OFF:
                    remove_tree(path)

    def _task(self, task_id: str) -> str:
        return os.path.join(self.root(task_id), "tasks", task_id)
