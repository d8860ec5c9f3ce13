"""Locks between processes, on any file system. The holder of a lock is alive, because the kernel releases the lock when
the last process that has its descriptor exits.

If the directory of the tasks does not support locks (see core.platform.locks), directories on a local disk are used.
All servers of a user make the same choice, because it only depends on the directories.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

from ..core.errors import StoreUnavailable, storage_fault
from ..core.platform import files, locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    #: One of core.platform.locks.METHODS: takes a path, and whether the lock is to be exclusive.
    Method = Callable[[str, bool], int | None]

#: Seconds between two attempts to take a lock.
_POLL = 0.005
_WHAT = "the tasks' locks"


class Lock:
    """A lock. It is held until this process and all processes that inherited `fd` have closed it."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def handed_on(self) -> Lock:
        """Return the lock for a new owner, who closes it; this object counts as closed."""
        fd, self.fd = self.fd, -1
        return Lock(fd)

    def close(self) -> None:
        """Release it in this process. May be called twice."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


class Locks:
    """Locks named by paths relative to `home`, each a file there. If `home` does not support locks, the files are in
    the first directory of `elsewhere` that does, or in a private directory for temporary files.

    Blocking, and safe to use from several threads.
    """

    def __init__(self, home: str, elsewhere: Sequence[str] = ()) -> None:
        self._home = home
        self._choices: list[tuple[str, Method]] = [
            (place, method) for place in (home, *elsewhere) for method in locks.METHODS
        ]
        self._has_tried_temporary = False

    @property
    def at_home(self) -> bool:
        """Whether the locks are in `home` rather than in a directory that may be cleaned up."""
        return self._choices[0][0] == self._home

    def take(self, name: str, wait: float = 0.0) -> Lock | None:
        """Take the lock `name`, and return it; None if it is still held by others after `wait` seconds.

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
        """Return whether any process holds the lock `name`. Raises what `take` raises."""
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
        """Hold the lock `name` in the block; yields False if it could not be taken within `wait` seconds."""
        lock = self.take(name, wait)
        try:
            yield lock is not None
        finally:
            if lock is not None:
                lock.close()

    def _try(self, name: str, *, exclusive: bool) -> Lock | None:
        while True:
            place, method = self._choices[0]
            try:
                fd = method(self._path(place, name), exclusive)
            except locks.NoLocks as error:
                self._give_up(place, method, error)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise storage_fault(error, _WHAT) from error
            else:
                return Lock(fd) if fd is not None else None

    def _path(self, place: str, name: str) -> str:
        if place == self._home:
            return os.path.join(place, name)
        # As in `home`, the lock's directory there must exist.
        os.stat(os.path.join(self._home, os.path.dirname(name)))
        return os.path.join(files.private_dir(place), name.replace(os.sep, "-"))

    def _give_up(self, place: str, method: Method, error: OSError) -> None:
        """Use the next choice, unless another thread has done so. Raises StoreUnavailable if there is none."""
        if self._choices[0] != (place, method):
            return
        if len(self._choices) == 1 and not self._has_tried_temporary:
            import tempfile  # noqa: PLC0415  rarely needed, and not small

            self._has_tried_temporary = True
            temporary = os.path.join(tempfile.gettempdir(), f"ptytasks-{files.user_id()}")
            self._choices += [(temporary, one) for one in locks.METHODS]
        if len(self._choices) == 1:
            raise StoreUnavailable(
                f"file locks work neither in {self._home} nor in {place} ({error.strerror}); "
                "set PtyTasksApp.runtime_dir to a directory on a local disk"
            ) from error
        self._choices.pop(0)
