"""Locks between processes, on any file system: whoever holds one is alive, for the kernel lets go of it with the last
process that has its descriptor.

flock(2) is used where it works. Some file systems have none: Lustre without the mount option answers ENOSYS, others
ENOTSUP, EINVAL, or ENOLCK. There, open file description locks (fcntl(2), F_OFD_SETLK) are tried, and then directories
on a local disk. All servers of a user come to the same choice, because it depends on the directories alone.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..core.errors import StoreUnavailable, storage_fault
from ..core.paths import private_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    #: Takes a lock on a descriptor, exclusive or shared; False if somebody else holds it. Raises OSError.
    Method = Callable[[int, bool], bool]

#: Seconds between two tries for a lock.
_POLL = 0.005
#: struct flock of 64-bit Linux: type, whence, start, length, pid (0 for this kind of lock), padding.
_FLOCK = struct.Struct("@hhqqi4x")
#: What a system call answers where a file system has no such locks.
UNSUPPORTED = frozenset(
    {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOLCK, errno.EPERM, errno.ENOTTY}
)
_WHAT = "the tasks' locks"


class Lock:
    """A lock that is held until it is closed, by this process and by every other that was given `fd`."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it here. May be called twice."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


def _flock(fd: int, exclusive: bool) -> bool:
    try:
        fcntl.flock(fd, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ofd(fd: int, exclusive: bool) -> bool:
    command = getattr(fcntl, "F_OFD_SETLK", None)
    if command is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    try:
        fcntl.fcntl(fd, command, _FLOCK.pack(fcntl.F_WRLCK if exclusive else fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
    except (BlockingIOError, PermissionError):
        return False  # EAGAIN or EACCES: held by somebody else
    return True


class Locks:
    """Locks named by paths relative to `home`, each a file there; where `home` has no locks, a file in the first of
    `elsewhere` that has, or in a private directory for temporary files.

    Blocking, and safe to use from several threads.
    """

    def __init__(self, home: str, elsewhere: Sequence[str] = ()) -> None:
        self._home = home
        temporary = os.path.join(tempfile.gettempdir(), f"ptytasks-{os.getuid()}")
        self._choices: list[tuple[str, Method]] = [
            (place, method) for place in (home, *elsewhere, temporary) for method in (_flock, _ofd)
        ]

    @property
    def at_home(self) -> bool:
        """Whether the locks are kept in `home`, and so not where somebody cleans up."""
        return self._choices[0][0] == self._home

    def take(self, name: str, wait: float = 0.0) -> Lock | None:
        """Return the lock `name`, held; None if somebody else still holds it after `wait` seconds.

        The caller closes it. Raises FileNotFoundError if `home` has no directory for `name`, StorageFull,
        StoreUnavailable, InternalError.
        """
        deadline = time.monotonic() + wait
        while (lock := self._try(name, exclusive=True)) is None:
            if time.monotonic() >= deadline:
                return None
            time.sleep(_POLL)
        return lock

    def is_held(self, name: str) -> bool:
        """Return whether anybody holds the lock `name`. Raises what `take` raises."""
        try:
            lock = self._try(name, exclusive=False)
        except FileNotFoundError:
            return False
        if lock is None:
            return True
        lock.close()
        return False

    @contextmanager
    def hold(self, name: str, wait: float) -> Iterator[bool]:
        """Hold the lock `name` in the block; False if it could not be had within `wait` seconds."""
        lock = self.take(name, wait)
        try:
            yield lock is not None
        finally:
            if lock is not None:
                lock.close()

    def _try(self, name: str, *, exclusive: bool) -> Lock | None:
        while True:
            place, method = self._choices[0]
            fd = self._open(place, name, create=exclusive)
            try:
                if method(fd, exclusive):
                    return Lock(fd)
                os.close(fd)
                return None
            except OSError as error:
                os.close(fd)
                self._give_up(place, method, error)

    def _open(self, place: str, name: str, *, create: bool) -> int:
        path = os.path.join(place, name)
        try:
            if place != self._home:
                # It belongs to what is in `home`, and is gone with it.
                os.stat(os.path.join(self._home, os.path.dirname(name)))
                path = os.path.join(private_dir(place), name.replace(os.sep, "-"))
            return os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise storage_fault(error, _WHAT) from error

    def _give_up(self, place: str, method: Method, error: OSError) -> None:
        """Go on with the next choice, unless another thread has done so. Raises StoreUnavailable if there is none."""
        if error.errno not in UNSUPPORTED:
            raise storage_fault(error, _WHAT) from error
        if len(self._choices) == 1:
            raise StoreUnavailable(
                f"file locks work neither in {self._home} nor in {place} ({error.strerror}): "
                "set PtyTasksApp.runtime_dir to a directory on a local disk"
            ) from error
        if self._choices[0] == (place, method):
            self._choices.pop(0)
