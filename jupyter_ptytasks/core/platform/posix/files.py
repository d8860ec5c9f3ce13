"""Files and directories: private ones, and reading and writing at an offset."""

from __future__ import annotations

import errno
import os
import stat

#: Flag for `os.open`: binary mode.
BINARY = 0

#: Only Linux can read "only from the page cache" (preadv2(2)).
_NOWAIT: int | None = getattr(os, "RWF_NOWAIT", None)

#: Bytes of a block (stat(2)).
_BLOCK = 512

pread = os.pread
pwrite = os.pwrite


def read_cached(fd: int, limit: int, offset: int) -> bytes | None:
    """Return up to `limit` bytes at `offset` without waiting for the disk; None if that is not possible."""
    if _NOWAIT is None:
        return None
    buffer = bytearray(limit)
    try:
        count = os.preadv(fd, [buffer], offset, _NOWAIT)
    except OSError:
        return None
    return bytes(memoryview(buffer)[:count]) if count else None


def unblock(fd: int) -> None:
    """Make a pipe or socket non-blocking."""
    os.set_blocking(fd, False)


def open_shared(path: str) -> int:
    """Open a file for reading that others may replace or remove while it is open. Raises OSError."""
    return os.open(path, os.O_RDONLY)


def open_own(path: str) -> int:
    """Open a regular file for reading that only this user can change. Raises OSError: PermissionError for others."""
    # Without O_NONBLOCK, opening a pipe would block until it has a writer.
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid() or info.st_mode & 0o022:
        os.close(fd)
        raise PermissionError(errno.EPERM, "not a file that this user alone can change", path)
    return fd


def replace(source: str, target: str) -> None:
    """Rename a file, replacing an existing one even if it is open. Raises OSError."""
    os.replace(source, target)


def remove(path: str) -> None:
    """Remove a file from its directory, even if it is open. Raises OSError."""
    os.unlink(path)


def sync_dir(path: str) -> None:
    """Flush a directory to disk, after a rename. Raises OSError."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def private_dir(path: str) -> str:
    """Create `path` as a directory that only this user can enter, and return it.

    Raises PermissionError if it belongs to another user or is a symbolic link: in a shared runtime directory another
    user could have put it there to read our files.
    """
    os.makedirs(path, mode=0o700, exist_ok=True)
    info = os.lstat(path)
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
        raise PermissionError(f"{path} is not a directory of this user")
    if stat.S_IMODE(info.st_mode) & 0o077:
        os.chmod(path, 0o700)
    return path


def size_on_disk(path: str) -> int:
    """Return the disk usage of a file, or of a directory itself, in bytes. Raises OSError."""
    return os.lstat(path).st_blocks * _BLOCK


def user_id() -> str:
    """Return a name for this user that can be part of a file name."""
    return str(os.getuid())
