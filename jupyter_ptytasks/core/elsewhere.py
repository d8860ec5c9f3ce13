"""Hosting a task on a machine other than the server's: the task's lock and the directory of its socket."""

from __future__ import annotations

import os
import tempfile
import time

from .platform import files as system
from .platform import locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .paths import TaskFiles


def runtime_dir() -> str:
    """Return the directory of the sockets on this machine. Raises OSError if it belongs to another user."""
    return system.private_dir(os.path.join(tempfile.gettempdir(), f"ptytasks-{system.user_id()}"))


def take_lock(files: TaskFiles, wait: float = 0.0) -> int | None:
    """Return a descriptor that holds the lock of a task, after creating its directory; None if its ptyhost still holds
    the lock after `wait` seconds. Raises OSError.
    """
    tasks = os.path.dirname(files.dir)
    for directory in (os.path.dirname(tasks), tasks, files.dir):
        system.private_dir(directory)
    deadline = time.monotonic() + wait
    while True:
        for method in locks.METHODS:
            try:
                lock = method(files.lock, exclusive=True)
            except locks.NoLocks:
                continue
            break
        else:
            raise OSError("no file system here supports locks")
        if lock is not None or time.monotonic() > deadline:
            return lock
        time.sleep(0.02)
