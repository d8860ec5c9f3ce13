"""Files and directories: private ones, and reading and writing at an offset."""

from __future__ import annotations

import errno
import os
import stat
import time

from . import win32

#: Flag for `os.open`: binary mode.
BINARY: int = getattr(os, "O_BINARY", 0)

#: Seconds for which, and between which, an operation is retried that fails while a file is open elsewhere.
_PATIENCE, _PAUSE = 1.0, 0.01
#: Links, junctions and the like (FILE_ATTRIBUTE_REPARSE_POINT).
_REPARSE_POINT = 0x400


def pread(fd: int, length: int, offset: int, /) -> bytes:
    """Read at `offset`. This may move the position, since each descriptor has one user at a time."""
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, length)


def unblock(fd: int) -> None:  # noqa: ARG001
    """Do nothing: relays do not run here."""
    raise OSError(errno.ENOSYS, "not possible on this system")


def pwrite(fd: int, data: bytes, offset: int, /) -> int:
    """Write at `offset`."""
    os.lseek(fd, offset, os.SEEK_SET)
    return os.write(fd, data)


def read_cached(fd: int, limit: int, offset: int) -> bytes | None:  # noqa: ARG001
    """Return None: this system cannot read only from its cache."""
    return None


def open_shared(path: str) -> int:
    """Open a file for reading that others may write, rename or remove while it is open. Raises OSError."""
    return win32.open_file(path, write=False, share=win32.SHARE_ALL, create=False)


def open_own(path: str) -> int:
    """Open a regular file for reading. Raises OSError, PermissionError for anything else.

    A file below the user's profile is private by inheritance.
    """
    info = os.lstat(path)
    if not stat.S_ISREG(info.st_mode) or getattr(info, "st_file_attributes", 0) & _REPARSE_POINT:
        raise PermissionError(errno.EPERM, "not a regular file", path)
    return os.open(path, os.O_RDONLY | BINARY)


def replace(source: str, target: str) -> None:
    """Rename a file, replacing an existing one; if that is open, retry for a second. Raises OSError."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE)


def remove(path: str) -> None:
    """Remove a file from its directory. Raises OSError.

    The name of an open file remains until the file is closed, so it is renamed first.
    """
    hidden = f"{path}.{os.urandom(8).hex()}.removed"
    os.rename(path, hidden)
    os.unlink(hidden)


def sync_dir(path: str) -> None:
    """Do nothing: directories cannot be opened here."""


def private_dir(path: str) -> str:
    """Create `path` as a directory of this user, and return it. Raises PermissionError if it is a link.

    A directory below the user's profile is private by inheritance.
    """
    os.makedirs(path, mode=0o700, exist_ok=True)
    info = os.lstat(path)
    if not stat.S_ISDIR(info.st_mode) or getattr(info, "st_file_attributes", 0) & _REPARSE_POINT:
        raise PermissionError(f"{path} is not a directory of this user")
    return path


def size_on_disk(path: str) -> int:
    """Return the disk usage of a file, or of a directory itself, approximated by its size. Raises OSError."""
    return os.lstat(path).st_size


def user_id() -> str:
    """Return a name for this user that can be part of a file name. Temporary directories belong to one user here."""
    return "user"
