"""Mirrors: private copies of what tasks write to a shared directory that shows changes late.

The newest segment of the output, and all later ones, arrive with the connection to the ptyhost, as from a machine that
shares no files. Earlier segments are links to the task's own files, which are complete. The output is read from the
mirror (TaskDirs.mirrors) once it has everything that was visible before, until no one watches the task and its files
show everything, too.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from contextlib import suppress
from threading import Lock

from ..core import elsewhere, mounts, relay
from ..core.errors import PtyTasksError
from ..core.files import read_json, remove_tree
from ..core.paths import TaskFiles
from ..core.platform import files as system
from ..core.ring.format import index_path, log_path, packed_path
from ..core.ring.reader import RingReader
from ..storage.locks import Locks
from . import copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.model import Task
    from ..storage.locks import Lock as FileLock
    from ..storage.task_dirs import TaskDirs
    from .channels import Tail
    from .remote import Relay

_LOG = logging.getLogger(__name__)
#: Seconds between two checks whether the files of a task show everything that its mirror has, and the most seconds to
#: wait for that: caches are kept for a minute (`acdirmax` of nfs(5)).
_LOOK, _LATE = 1.0, 120.0
#: Seconds for which a hidden mirror is kept: a reader may just be opening its files.
_OPENING = 5.0
#: Seconds until mirrors are tried again after one could not be written.
_RETRY = 60.0
#: Seconds to wait for another server that creates its directory.
_PATIENCE = 5.0
#: Held to show or hide a mirror: pieces are written in threads.
_SHOWING = Lock()


class Mirror:
    """The mirror of an attempt of a `task`, in the directory `home`. If it cannot be written, it is hidden, and
    `on_failure` is called once. Blocking.
    """

    def __init__(self, home: str, task: Task, task_dirs: TaskDirs, on_failure: Callable[[], object]) -> None:
        self._here = TaskFiles(home)
        self._there = task_dirs.files(task.id)
        self.task_id = task.id
        self._task_dirs = task_dirs
        self._on_failure = on_failure
        self._has_failed = False
        with task_dirs.open_ring(task.id) as ring:
            #: The end of the output that was visible before; None once the mirror was shown, or never will be.
            self._seen: int | None = ring.bounds()[1]

    @property
    def is_shown(self) -> bool:
        """Whether the output is read from this mirror."""
        return self._task_dirs.mirrors.get(self.task_id) is self._here

    def put(self, parts: list[bytes]) -> int:
        """Write PARTs, and return how many bytes of the ring they had. If this fails, log it and stop."""
        try:
            if not self._has_failed:
                self._write(parts)
        except OSError as error:
            self._has_failed = True
            self.hide()
            _LOG.warning(
                "task %s: its output is read from the shared files, which may be late: cannot write the mirror: %s",
                self.task_id,
                error,
            )
            self._on_failure()
        return copy.length(parts)

    def _write(self, parts: list[bytes]) -> None:
        system.private_dir(self._here.dir)
        system.private_dir(self._here.output)
        for kind, base, _, _ in map(relay.piece, parts):
            if kind == relay.EARLIER:
                self._link(base)
        copy.write(self._here, parts)
        if self._seen is not None and _end(self._here) >= self._seen:
            self._show()

    def _show(self) -> None:
        with _SHOWING:
            if self._seen is not None:
                self._task_dirs.mirrors[self.task_id] = self._here
                self._seen = None

    def _link(self, base: int) -> None:
        """Link to the files of an earlier, complete segment."""
        for path in (log_path, packed_path, index_path):
            target = path(self._there.output, base)
            if path is not packed_path or os.path.exists(target):
                with suppress(FileExistsError):
                    os.symlink(target, path(self._here.output, base))

    def is_matched(self) -> bool:
        """Return whether the task's own files show everything that the mirror has."""
        if os.path.exists(self._here.exit) and read_json(self._here.exit) != read_json(self._there.exit):
            return False
        return _end(self._there) >= _end(self._here)

    def hide(self) -> None:
        """Read the output from the task's own files again."""
        with _SHOWING:
            self._seen = None
            if self.is_shown:
                del self._task_dirs.mirrors[self.task_id]

    def remove(self) -> None:
        """Remove its files."""
        remove_tree(self._here.dir)


def _end(files: TaskFiles) -> int:
    with RingReader(files.output) as ring:
        return ring.bounds()[1]


class Mirrors:
    """The mirrors of a server, on its loop. They are only made while the files of tasks are late here (`are_late`,
    blocking), below `runtime_dir`, or below a directory for temporary files if that is shared, too. `close` it.
    """

    def __init__(self, task_dirs: TaskDirs, runtime_dir: str, are_late: Callable[[], bool]) -> None:
        self._task_dirs = task_dirs
        self._runtime_dir = runtime_dir
        self._are_late = are_late
        self._loop = asyncio.get_running_loop()
        self._tails: dict[str, Tail] = {}
        self._beginning = asyncio.Lock()
        self._minding: set[asyncio.Task[None]] = set()
        #: The directory of this process, and its lock, which protects it from other processes.
        self._home: str | None = None
        self._lock: FileLock | None = None
        self._count = 0
        self._not_before = 0.0

    def close(self) -> None:
        """Remove all mirrors."""
        for job in self._minding:
            job.cancel()
        self._task_dirs.mirrors.clear()
        if self._home is not None and self._lock is not None:
            remove_tree(self._home)
            self._lock.close()

    async def follow(self, relay: Relay, task: Task) -> Tail | None:
        """Return the tail that copies the output of the current attempt of a task into its mirror; None if no mirror is
        needed, or none can be written. Raises HostUnreachable.
        """
        async with self._beginning:
            tail = self._tails.get(task.id)
            if tail is not None and tail.attempt == task.attempt and not tail.ended.done():
                return tail
            if self._loop.time() < self._not_before:
                return None
            try:
                mirror = await asyncio.to_thread(self._begin, task)
            except (OSError, PtyTasksError) as error:
                _LOG.warning("the output of tasks elsewhere is read from shared files, which may be late: %s", error)
                self._not_before = self._loop.time() + _RETRY
                return None
            if mirror is None:
                return None
            tail = self._tails[task.id] = relay.mirror(task.id, task.attempt, mirror.put)
            minding = asyncio.create_task(self._mind(mirror, tail))
            self._minding.add(minding)
            minding.add_done_callback(self._minding.discard)
            return tail

    def _begin(self, task: Task) -> Mirror | None:
        if not self._are_late():
            return None
        self._count += 1
        home = os.path.join(self._own_home(), f"{task.id}-{self._count}")
        return Mirror(home, task, self._task_dirs, lambda: self._loop.call_soon_threadsafe(self._fail, task.id))

    def _own_home(self) -> str:
        """Return the directory of this process. Create it if needed, and remove those of killed processes."""
        if self._home is None:
            is_shared = mounts.is_cached(self._runtime_dir)
            root = os.path.join(elsewhere.runtime_dir() if is_shared else self._runtime_dir, "mirror")
            system.private_dir(root)
            locks = Locks(root)
            with locks.hold("lock", _PATIENCE):
                for name in os.listdir(root):
                    path = os.path.join(root, name)
                    lock = locks.take(os.path.join(name, "lock")) if os.path.isdir(path) else None
                    if lock is not None:
                        remove_tree(path)
                        lock.close()
                name = secrets.token_hex(4)
                system.private_dir(os.path.join(root, name))
                self._lock = locks.take(os.path.join(name, "lock"))
                self._home = os.path.join(root, name)
        return self._home

    def _fail(self, task_id: str) -> None:
        self._not_before = self._loop.time() + _RETRY
        if task_id in self._tails:
            self._tails[task_id].stop()

    async def _mind(self, mirror: Mirror, tail: Tail) -> None:
        """Remove a mirror after its tail has ended and the task's files show everything that it has."""
        await asyncio.wait([tail.ended])
        if self._tails.get(mirror.task_id) is tail:
            del self._tails[mirror.task_id]
        given_up = self._loop.time() + _LATE
        while mirror.is_shown and self._loop.time() < given_up:
            if await asyncio.to_thread(mirror.is_matched):
                break
            await asyncio.sleep(_LOOK)
        mirror.hide()
        await asyncio.sleep(_OPENING)
        await asyncio.to_thread(mirror.remove)
