"""File locks that are tied to a descriptor: a file that is opened exclusively is locked.

The holder opens it with share mode 0, so no other process can open it for writing. A child that inherits the handle
holds the lock, too.
"""

from __future__ import annotations

from . import win32

#: The error for a file that is open elsewhere in an incompatible share mode.
_SHARING_VIOLATION = 32


class NoLocks(OSError):
    """The file system does not support this kind of lock."""


def open_alone(path: str, exclusive: bool) -> int | None:
    """Lock the file at `path`; create it for an exclusive lock.

    Returns a descriptor that holds the lock until it is closed, here and in every process that has inherited its
    handle; None if the lock is held elsewhere. Raises OSError if the file cannot be opened.
    """
    share = win32.SHARE_NOTHING if exclusive else win32.SHARE_READ
    try:
        return win32.open_file(path, write=exclusive, share=share, create=exclusive)
    except PermissionError as error:
        if getattr(error, "winerror", None) != _SHARING_VIOLATION:
            raise
        return None


#: Kinds of locks, the best one first.
METHODS = (open_alone,)


def has_record_locks(path: str) -> bool:  # noqa: ARG001
    """Return whether the file system of `path` supports the locks that sqlite uses: on Windows, all do."""
    return True
