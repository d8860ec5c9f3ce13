"""File locks that are tied to a descriptor: the kernel releases them with the last process that has it open.

flock(2) is the first choice. Some file systems do not support it: Lustre without the mount option returns ENOSYS,
others ENOTSUP, EINVAL, or ENOLCK. Open file description locks (fcntl(2), F_OFD_SETLK) are the second.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

#: struct flock of 64-bit Linux: type, whence, start, length, pid (0 for this kind of lock), padding.
_FLOCK = struct.Struct("@hhqqi4x")
#: errno values if the file system does not support a kind of lock.
UNSUPPORTED = frozenset(
    {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOLCK, errno.EPERM, errno.ENOTTY}
)


class NoLocks(OSError):
    """The file system does not support this kind of lock."""


def flock(path: str, exclusive: bool) -> int | None:
    """Lock the file at `path`; create it for an exclusive lock.

    Returns a descriptor that holds the lock until it is closed, here and in every process that has inherited it; None
    if the lock is held elsewhere. Raises NoLocks, or OSError if the file cannot be opened or locked.
    """
    fd = _open(path, create=exclusive)
    try:
        fcntl.flock(fd, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    except OSError as error:
        os.close(fd)
        raise _explain(error) from error
    return fd


def ofd_lock(path: str, exclusive: bool) -> int | None:
    """Do the same with an open file description lock."""
    fd = _open(path, create=exclusive)
    try:
        command = getattr(fcntl, "F_OFD_SETLK", None)
        if command is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        fcntl.fcntl(fd, command, _FLOCK.pack(fcntl.F_WRLCK if exclusive else fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
    except (BlockingIOError, PermissionError):
        os.close(fd)
        return None  # EAGAIN or EACCES: held elsewhere
    except OSError as error:
        os.close(fd)
        raise _explain(error) from error
    return fd


#: Kinds of locks, the best one first.
METHODS = (flock, ofd_lock)


def has_record_locks(path: str) -> bool:
    """Return whether the file system of `path` supports the POSIX record locks that sqlite uses. Raises OSError."""
    with open(path, "ab") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in UNSUPPORTED
    return True


def _open(path: str, *, create: bool) -> int:
    return os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)


def _explain(error: OSError) -> OSError:
    return NoLocks(error.errno, error.strerror) if error.errno in UNSUPPORTED else error
