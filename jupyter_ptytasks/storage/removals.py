"""Pending removals on other machines: a note in the data directory for each deleted task that ran on one. Blocking."""

from __future__ import annotations

import os
from contextlib import suppress

from ..core.errors import storage_fault
from ..core.files import read_json, write_json
from ..core.platform import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Removals:
    """The directory `removals` below `root`."""

    def __init__(self, root: str) -> None:
        self._root = os.path.join(root, "removals")

    def note(self, place: str, task_id: str) -> None:
        """Note that a task's files at a place must be removed; the note is on disk when this returns. Raises
        StorageFull, InternalError.
        """
        try:
            files.private_dir(os.path.dirname(self._root))
            files.private_dir(self._root)
            write_json(os.path.join(self._root, task_id), {"place": place}, durable=True)
        except OSError as error:
            raise storage_fault(error, "the note of what must be removed on another machine") from error

    def of(self, place: str) -> list[str]:
        """Return the ids of the tasks whose files at a place must be removed, oldest first."""
        try:
            names = sorted(os.listdir(self._root))
        except OSError:
            return []
        noted = {name: read_json(os.path.join(self._root, name)) or {} for name in names if name.isalnum()}
        return [name for name, about in noted.items() if about.get("place") == place]

    def done(self, task_ids: Iterable[str]) -> None:
        """Delete the notes of completed removals. Raises OSError."""
        for task_id in task_ids:
            with suppress(FileNotFoundError):  # another server has done the same
                os.unlink(os.path.join(self._root, task_id))
