"""File locks that live as long as a descriptor."""

from __future__ import annotations

from . import unsupported


class NoLocks(OSError):
    """The file system does not have this kind of lock."""


def open_alone(path: str, exclusive: bool) -> int | None:  # noqa: ARG001
    """Open a file that no other process can open meanwhile."""
    raise unsupported()


#: Kinds of locks, the best one first.
METHODS = (open_alone,)


def has_record_locks(path: str) -> bool:  # noqa: ARG001
    """Return whether the file system of `path` has the locks that sqlite uses: here all have."""
    return True
