"""Deletes task directories: they are renamed first, so that a task is never partly deleted. Blocking."""

from __future__ import annotations

import os

from ..core.errors import InternalError, storage_fault
from ..core.files import remove_tree

_PREFIX = ".removed-"
_WHAT = "the task's directory"


class Trash:
    """Deletes task directories in the directory `root`."""

    def __init__(self, root: str) -> None:
        self._root = root

    def discard(self, *task_ids: str) -> None:
        """Delete the directories of tasks without ptyhosts. Raises StorageFull or InternalError if one cannot be
        deleted; the others are deleted anyway.
        """
        failure: InternalError | None = None
        for task_id in task_ids:
            try:
                self._move(task_id)
            except InternalError as error:
                failure = failure or error
        self.purge()
        if failure is not None:
            raise failure

    def purge(self) -> None:
        """Delete renamed directories, including those of processes that were killed before they could delete them."""
        try:
            names = os.listdir(self._root)
        except OSError:
            return
        for name in names:
            if name.startswith(_PREFIX):
                remove_tree(os.path.join(self._root, name))

    def _move(self, task_id: str) -> None:
        try:
            os.rename(os.path.join(self._root, task_id), os.path.join(self._root, f"{_PREFIX}{task_id}"))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise storage_fault(error, _WHAT) from error
