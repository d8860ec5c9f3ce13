"""The programs that jobs run, in a directory that their nodes see: one for each version that has submitted jobs,
deleted when no job needs it.
"""

from __future__ import annotations

import contextlib
import os

from ..core.errors import storage_fault
from ..core.files import read_json, write_bytes
from ..core.platform import files as system
from ..relay.programs import unused
from .program import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..storage.task_dirs import TaskDirs

#: What it is called from then on until it is known that it can go.
_LEAVES = ".unused"


class Programs:
    """The directory `bin` in `data_dir`. Whoever submits a job names its program in the handle (`name`) first, and asks
    for the `path` then, so that `remove_unused` sees the one or leaves the other.
    """

    def __init__(self, data_dir: str, task_dirs: TaskDirs) -> None:
        self._dir = os.path.join(data_dir, "bin")
        self._task_dirs = task_dirs

    @property
    def name(self) -> str:
        """The name of the program of this version. Raises InternalError if there is none."""
        try:
            return program().name
        except OSError as error:
            raise storage_fault(error, "the program for jobs cannot be made") from error

    def path(self) -> str:
        """Return the path of the program of this version, which is there then, and in use. Raises StorageFull or
        InternalError.
        """
        path = os.path.join(self._dir, self.name)
        data = program().data
        try:
            with contextlib.suppress(FileNotFoundError):
                os.utime(path)
                with open(path, "rb") as file:
                    if file.read() == data:
                        return path
            system.private_dir(self._dir)
            write_bytes(path, data, durable=True)
        except OSError as error:
            raise storage_fault(error, "the program for jobs cannot be written") from error
        return path

    def remove_unused(self) -> None:
        """Delete the programs of other versions that were not used for a week, and that no job is known to need."""
        for path in self._old():
            name, left = os.path.basename(path), path + _LEAVES
            with contextlib.suppress(OSError):
                if self._is_needed(name):
                    continue
                # A job may just be submitted: it is seen now, or else writes the program again. One of which nothing is
                # known does not find it, and says so.
                os.replace(path, left)
                if self._is_needed(name):
                    os.replace(left, path)
                else:
                    os.unlink(left)

    def _old(self) -> list[str]:
        own = self.name
        with contextlib.suppress(OSError), os.scandir(self._dir) as entries:
            for entry in entries:
                if entry.name.endswith(_LEAVES):
                    # Who renamed it has died: it is judged again.
                    os.replace(entry.path, entry.path.removesuffix(_LEAVES))
        return unused(self._dir, own)

    def _is_needed(self, name: str) -> bool:
        """Return whether a job may run or wait whose program this is, or of which it is not known."""
        for task_id in self._task_dirs.ids():
            files = self._task_dirs.files(task_id)
            handle = read_json(files.handle)
            if handle is None or handle.get("given_up") or handle.get("program", name) != name:
                continue
            last = handle.get("latest", handle.get("attempt"))
            if (read_json(files.exit) or {}).get("attempt") != last:
                return True
        return False
