"""What a process on another machine than the server's needs to host a task: its lock, and where its socket is."""

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
    """Return the directory of the sockets on this machine. Raises OSError if it is another user's."""
    return system.private_dir(os.path.join(tempfile.gettempdir(), f"ptytasks-{system.user_id()}"))


def take_lock(files: TaskFiles, wait: float = 0.0) -> int | None:
    """Return a descriptor that holds the lock of a task, whose directory is made; None if its ptyhost holds it after
    `wait` seconds. Raises OSError.
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
            raise OSError("no file system here has locks")
        if lock is not None or time.monotonic() > deadline:
            return lock
        time.sleep(0.02)
