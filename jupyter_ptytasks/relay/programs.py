"""The program of this process, and those of other versions on this machine, each named by its hash. A program that was
not used for a week is deleted, unless a live task needs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from ..core.files import read_json
from ..core.paths import TaskFiles
from .commands import Answering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Seconds since its last use after which a program may be deleted.
_UNUSED = 7 * 86400.0
#: Seconds between two updates of the time of its last use.
_NOTE_EVERY = 3600.0
_SUFFIX = ".pyz"
#: Stands for the unknown program of a task that was started by an earlier version.
_UNKNOWN = "?"


def own() -> str:
    """Return the path of the program of this process."""
    return os.path.abspath(sys.argv[0])


def command(*arguments: str) -> list[str]:
    """Return the command that runs the program of this process again."""
    return [sys.executable, "-I", "-S", "-X", "utf8", own(), *arguments]


class Use:
    """Marks the program of this process as used: it imports more modules from it later, and runs it again."""

    def __init__(self) -> None:
        self._noted = 0.0

    def note(self) -> None:
        """Update the time of its last use, at most once an hour. By the wall clock, as this machine may have slept."""
        now = time.time()
        if not 0 <= now - self._noted < _NOTE_EVERY:
            self._noted = now
            _touch(own())


def unused(directory: str, but: str) -> list[str]:
    """Return the paths of the programs in a directory that were not used for a week, except for the one named `but`.
    This includes incomplete files of interrupted installations.
    """
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries if _SUFFIX in entry.name and entry.name != but]
    except OSError:
        return []
    return [path for one in names if _is_unused(path := os.path.join(directory, one))]


def others_unused() -> list[str]:
    """Return the unused programs next to the program of this process."""
    return unused(*os.path.split(own()))


def remove_unused(tasks: str) -> Answering:
    """Start removing unused programs that no task in the directory `tasks` needs; the answer has the names of those
    `removed`. A separate process does it, because there may be thousands of tasks. Raises OSError.
    """
    process = subprocess.Popen(
        command("tidy", tasks), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
    )
    return Answering(process, lambda said, _: {"removed": said.decode("utf-8", "replace").split()})


def main(tasks: str) -> None:
    """Remove the unused programs that no task needs, and print their names."""
    candidates = others_unused()
    needed = _needed(tasks) if candidates else set()
    for path in candidates:
        name = os.path.basename(path)
        if name in needed or _UNKNOWN in needed:
            _touch(path)  # do not check it again for a week
        elif _is_unused(path):
            os.unlink(path)
            print(name)


def _needed(tasks: str) -> set[str]:
    """Return the names of the programs of tasks that have not ended, or may be requeued."""
    found = set()
    for task_id in os.listdir(tasks) if os.path.isdir(tasks) else ():
        files = TaskFiles(os.path.join(tasks, task_id))
        spec = read_json(files.spec)
        if spec is not None and not _is_over(files, spec):
            found.add(spec.get("program", _UNKNOWN))
    return found


def _is_over(files: TaskFiles, spec: Mapping[str, Any]) -> bool:
    handle = read_json(files.handle)
    if handle is not None:
        if handle.get("given_up"):
            return True
        if spec.get("resources", {}).get("requeue"):
            return False
    return (read_json(files.exit) or {}).get("attempt") == spec.get("attempt")


def _touch(path: str) -> None:
    try:
        os.utime(path)
    except OSError:
        pass


def _is_unused(path: str) -> bool:
    try:
        return time.time() - os.stat(path).st_mtime > _UNUSED
    except OSError:
        return False
