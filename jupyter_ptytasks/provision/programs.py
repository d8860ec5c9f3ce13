"""The programs that jobs run, in a directory that is shared with the nodes: one for each version that has submitted
jobs, deleted when no job needs it.
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

#: The suffix of a program that is about to be deleted.
_LEAVES = ".unused"


class Programs:
    """The directory `bin` in `data_dir`. To submit a job, first write the `name` of its program to the handle, then get
    the `path`: `remove_unused` keeps programs that are named in a handle or were used recently.
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
            raise storage_fault(error, "the program for jobs cannot be created") from error

    def path(self) -> str:
        """Return the path of the program of this version. Write it if needed, and mark it as used. Raises StorageFull
        or InternalError.
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
        """Delete the programs of other versions that were not used for a week and that no known job needs."""
        for path in self._old():
            name, left = os.path.basename(path), path + _LEAVES
            with contextlib.suppress(OSError):
                if self._is_needed(name):
                    continue
                # A job that is just being submitted is seen by the second check, or writes the program again. An
                # unknown job does not find the program, and fails with a message.
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
                    # The process that renamed it died: check it again.
                    os.replace(entry.path, entry.path.removesuffix(_LEAVES))
        return unused(self._dir, own)

    def _is_needed(self, name: str) -> bool:
        """Return whether a job that may be pending or running uses this program, or an unknown one."""
        for task_id in self._task_dirs.ids():
            files = self._task_dirs.files(task_id)
            handle = read_json(files.handle)
            if handle is None or handle.get("given_up") or handle.get("program", name) != name:
                continue
            last = handle.get("latest", handle.get("attempt"))
            if (read_json(files.exit) or {}).get("attempt") != last:
                return True
        return False
