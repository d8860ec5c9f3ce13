"""The scheduler's process: one per data directory, woken through its socket; exits when no task waits."""

from __future__ import annotations

import os
import sys
import time

from ..core import wake
from ..core.errors import PtyTasksError
from ..core.platform import detach, endpoint, events
from ..provision.local import LocalProvisioner
from ..storage.database import Database
from ..storage.groups import Groups
from ..storage.locks import Locks
from ..storage.scheduling import note_scheduler, read_settings
from ..storage.task_dirs import TaskDirs
from .deaths import Deaths
from .finder import Finder
from .gpu_watch import GpuWatch
from .places import Places
from .work import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

    from ..storage.locks import Lock

#: Maximum seconds between two steps. The first value applies if a task waits for a time, since the clock may be set, or
#: if a ptyhost may end unnoticed; the second one otherwise, since processes that share only the data directory cannot
#: wake this one.
_LOOK_EVERY = 1.0
_LOOK_IDLE = 10.0
#: Seconds after which it exits when no task waits.
_STAY = 5.0
#: Retry delay after a failure, in seconds.
_RETRY = 1.0
#: Seconds for which this package may be missing, while it is being upgraded, before the scheduler exits.
_GONE = 60.0
#: Bytes of its log that are kept.
_LOG_MAX = 64 << 10


def main(data_dir: str, runtime_dir: str) -> None:
    """Start tasks until none waits."""
    locks = Locks(data_dir, [runtime_dir])
    lock = locks.take("scheduler.lock")
    if lock is None:
        return
    with lock:
        _trim(os.path.join(data_dir, "scheduler.log"))
        note_scheduler(data_dir)
        task_dirs = TaskDirs(data_dir, [runtime_dir])
        path = os.path.join(data_dir, "tasks.db")
        watch = GpuWatch(data_dir, runtime_dir)
        finder = Finder(task_dirs, data_dir, runtime_dir)
        work = Work(
            database=Database(path, task_dirs.tasks, task_dirs.task, locks, task_dirs.submitted),
            task_dirs=task_dirs,
            groups=Groups(data_dir, locks),
            provisioner=LocalProvisioner(task_dirs, runtime_dir),
            places=Places(finder.find),
            limit=lambda: read_settings(data_dir).max_live_tasks,
            gpus=watch.gpus,
        )
        try:
            _run(work, data_dir, runtime_dir, lock)
        finally:
            watch.close()


def _run(work: Work, data_dir: str, runtime_dir: str, lock: Lock) -> None:
    version = _version()
    listener = endpoint.Endpoint(wake.socket_path(runtime_dir))
    poll = events.Poll()
    poll.register(listener.fileno(), events.READ)
    deaths = Deaths(poll)
    idle_since: float | None = None
    failure = ""
    present = time.monotonic()
    #: Connections of processes that woke it, and may wait until their request has been handled.
    callers: list[socket] = []
    while os.path.isdir(data_dir):  # without it there is nothing left to do
        installed = _version()
        if installed is None:
            # It is being upgraded, or was removed. No ptyhost can be started now, but tasks must not fail for that.
            if time.monotonic() - present > _GONE:
                break  # the next one to wake the scheduler starts another
            time.sleep(_RETRY)
            continue
        present = time.monotonic()
        if installed != version:
            # Another version was installed, which continues in this process.
            _settle(work)
            listener.close()
            lock.close()
            detach.become(sys.argv, os.path.join(data_dir, "scheduler.log"))
        try:
            look = work.step(time.time())
            failure = ""
        except (PtyTasksError, OSError) as error:
            if str(error) != failure:
                print(time.strftime("%Y-%m-%d %H:%M:%S"), error, file=sys.stderr, flush=True)
            failure, look = str(error), time.time() + _RETRY
        if not (failure or work.is_behind):
            _answer(callers)
        if look is not None or failure:
            idle_since = None
        elif idle_since is None:
            idle_since = time.monotonic()
            if not work.may_run_again:
                _unmark(data_dir)
            continue  # to find tasks that were added before the mark was removed
        elif time.monotonic() - idle_since > _STAY:
            break
        is_told = deaths.watch(work.hosts)
        longest = _LOOK_IDLE if is_told and look is not None and not work.waits_for_time else _LOOK_EVERY
        pause = longest if look is None else min(max(look - time.time(), 0.0), longest)
        ready = [fd for fd, _ in poll.poll(pause * 1000)]
        deaths.noticed(ready)
        if listener.fileno() in ready:
            while (caller := _accept(listener)) is not None:
                callers.append(caller)
    deaths.close()
    listener.close()


def _answer(callers: list[socket]) -> None:
    """Notify waiting processes that their request has been handled, with a single byte."""
    for caller in callers:
        try:
            caller.send(b"1")
        except OSError:
            pass  # it was not waiting
        caller.close()
    callers.clear()


def _settle(work: Work) -> None:
    try:
        work.settle()
    except PtyTasksError as error:
        print(time.strftime("%Y-%m-%d %H:%M:%S"), error, file=sys.stderr, flush=True)


def _accept(listener: endpoint.Endpoint):  # type: ignore[no-untyped-def]  # a socket of CPython's own module
    try:
        return listener.accept()
    except OSError:
        return None


def _unmark(data_dir: str) -> None:
    try:
        os.unlink(wake.marker(data_dir))
    except FileNotFoundError:
        pass


def _version() -> int | None:
    """Return a number that differs between installed versions of this package; None if it, or its Python, is gone."""
    try:
        os.stat(sys.executable)
        return os.stat(__file__).st_mtime_ns
    except OSError:
        return None


def _trim(path: str) -> None:
    try:
        if os.stat(path).st_size > _LOG_MAX:
            os.truncate(path, 0)
    except OSError:
        pass
