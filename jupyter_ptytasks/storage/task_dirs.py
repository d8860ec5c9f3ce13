"""The tasks' directories: all that can be known of a task without a database and without its ptyhost. Blocking."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ..core import leftovers
from ..core.errors import FULL, InternalError, storage_fault
from ..core.files import read_json, write_json
from ..core.machine import boot_id, is_here, is_running
from ..core.model import Exit, Kind, Output, Task
from ..core.paths import TaskFiles, private_dir
from ..core.progress.follower import Follower
from ..core.ring.packing import bases_to_pack, pack
from ..core.ring.reader import RingReader
from ..core.states import State
from .locks import Lock, Locks

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

_ID = re.compile(r"[a-z0-9]{8,16}")
#: Seconds for which the lock of a new task is tried for.
_LOCK_WAIT = 2.0
#: A directory without a task that is younger (seconds) belongs to a create that is under way.
_INCOMPLETE = 60.0
_TRASH = ".removed-"
#: Bytes of a block that stat(2) counts.
_BLOCK = 512
_WHAT = "the task's directory"

#: The reason of an end that another attempt is to follow.
RESTARTING = "restarting"
#: What the exit record's reasons come to.
_STATES = {
    "cancelled": State.CANCELLED,
    RESTARTING: State.CANCELLED,
    "timed_out": State.TIMED_OUT,
    "host_terminated": State.CANCELLED,
}
_MESSAGES = {
    "cancelled": "stopped",
    RESTARTING: "stopped to be restarted",
    "timed_out": "time limit reached",
    "host_terminated": "the ptyhost was told to end",
}


class TaskDirs:
    """The directory `tasks` below `root`, one directory a task. `elsewhere` are directories for locks, should those in
    `root` not work.
    """

    def __init__(self, root: str, elsewhere: Sequence[str] = ()) -> None:
        self._root = os.path.join(root, "tasks")
        self._locks = Locks(self._root, elsewhere)

    def files(self, task_id: str) -> TaskFiles:
        """Give the names of a task's files."""
        return TaskFiles(os.path.join(self._root, task_id))

    def ids(self) -> list[str]:
        """Give the ids of all tasks that have a directory."""
        try:
            return sorted(name for name in os.listdir(self._root) if _ID.fullmatch(name))
        except OSError:
            return []

    def exists(self, task_id: str) -> bool:
        """Return whether the task has a directory."""
        return os.path.isdir(self.files(task_id).dir)

    def create(self, spec: Mapping[str, Any]) -> Lock:
        """Make the directory of a new task and return its lock, held. Raises StorageFull; nothing is left then."""
        try:
            private_dir(os.path.dirname(self._root))
            private_dir(self._root)
            files = self.files(spec["id"])
            os.mkdir(files.dir, 0o700)
        except OSError as error:
            raise storage_fault(error, _WHAT) from error
        lock = None
        try:
            # It is free, but another server may be looking just now whether it is.
            lock = self.lock(spec["id"], wait=_LOCK_WAIT)
            if lock is None:
                raise InternalError("the lock of a new task is taken")
            self.write_spec(spec)
        except BaseException:
            shutil.rmtree(files.dir, ignore_errors=True)
            if lock is not None:
                lock.close()
            raise
        return lock

    def write_spec(self, spec: Mapping[str, Any]) -> None:
        """Put a task's spec in its place. Raises StorageFull; the old one is untouched then."""
        try:
            write_json(self.files(spec["id"]).spec, spec, durable=True)
        except OSError as error:
            raise storage_fault(error, _WHAT) from error

    @contextmanager
    def replaced_spec(self, spec: Mapping[str, Any]) -> Iterator[None]:
        """Put another spec in the place of a task's; if the block raises, the old one comes back.

        To be entered in a transaction of the database, which keeps others from doing the same at once. Raises
        StorageFull; the old spec is untouched then.
        """
        path = self.files(spec["id"]).spec
        # A second name for the old file, so that taking the change back needs no room on a disk that has none.
        kept = f"{path}.{os.urandom(8).hex()}"
        try:
            try:
                os.link(path, kept)
            except OSError as error:
                if error.errno in FULL:
                    raise
                shutil.copy2(path, kept)  # a file system without links
        except OSError as error:
            raise storage_fault(error, _WHAT) from error
        try:
            self.write_spec(spec)
            yield
        except BaseException:
            os.replace(kept, path)
            raise
        finally:
            # Also after a replace: it does nothing where both are names of the same file (rename(2)).
            with suppress(FileNotFoundError):
                os.unlink(kept)

    def read_spec(self, task_id: str) -> dict[str, Any]:
        """Give a task's spec. Raises InternalError when it is gone or garbage."""
        spec = read_json(self.files(task_id).spec)
        if spec is None or spec.get("id") != task_id:
            raise InternalError(f"the spec of the task {task_id} is gone or damaged")
        return spec

    def lock(self, task_id: str, wait: float = 0.0) -> Lock | None:
        """Take a task's lock: while it is held no ptyhost of the task starts, and where one runs this returns None.

        `wait` seconds at most are spent on a ptyhost that is just leaving. The caller closes it, or hands it on to a
        ptyhost. Raises StorageFull or InternalError, also for a task whose directory is gone.
        """
        try:
            return self._locks.take(os.path.join(task_id, "lock"), wait)
        except FileNotFoundError as error:
            raise storage_fault(error, _WHAT) from error

    def is_hosted(self, task: Task) -> bool:
        """Return whether a ptyhost of the task runs on this machine, or a server is just starting one."""
        if self._locks.is_held(os.path.join(task.id, "lock")):
            return True
        # Where locks are kept in a directory for temporary files, somebody may have cleaned that up.
        host = self.host(task) if not self._locks.at_home else None
        if host is None or not is_here(host) or host.get("boot_id") != boot_id():
            return False
        return is_running(host["host_pid"], host.get("host_start", 0))

    def host(self, task: Task) -> dict[str, Any] | None:
        """Return the host record of the task's present attempt."""
        found = read_json(self.files(task.id).host)
        if found is None or found.get("attempt") != task.attempt:
            return None
        return found if isinstance(found.get("host_pid"), int) and isinstance(found.get("socket"), str) else None

    def read_exit(self, task: Task) -> dict[str, Any] | None:
        """Give what an exit record of the task's present attempt makes of it, as changes; None where there is none."""
        files = self.files(task.id)
        # A record that was written, but whose rename found no room, stands where its room was reserved.
        for path in (files.exit, f"{files.exit}.reserved"):
            record = read_json(path)
            if record is not None and record.get("attempt") == task.attempt:
                try:
                    return changes_from_exit(record)
                except (KeyError, TypeError, ValueError, AttributeError):
                    return None
        return None

    def leftover(self, task: Task) -> list[tuple[int, int]]:
        """Return the (pid, start time) of the processes that a command left running, and that still run on this
        machine.
        """
        record = read_json(self.files(task.id).exit)
        if record is None or record.get("attempt") != task.attempt:
            return []
        return leftovers.alive(record.get("leftover"))

    def output(self, task_id: str) -> Output:
        """Give the bounds of a task's ring as the files tell them."""
        with RingReader(self.files(task_id).output) as ring:
            start, end = ring.bounds()
            if not end:
                return Output()
            base = ring.bases()[-1]
            return Output(start, end, ring.keyframe(base).line + ring.read_range(base, end).count(b"\n"))

    def tasks(self, besides: Container[str] = ()) -> Iterator[Task]:
        """Iterate over the tasks that the directories tell of, in the state that they tell, leaving out known ids."""
        for task_id in self.ids():
            task = self.task(task_id) if task_id not in besides else None
            if task is not None:
                yield task

    def task(self, task_id: str) -> Task | None:
        """Tell a task from its directory; None where that is not finished, or its spec is damaged."""
        try:
            task = task_of(self.read_spec(task_id))
        except (InternalError, KeyError, TypeError, ValueError):
            return None
        host = self.host(task)
        if host is not None:
            task = task.with_(state=State.RUNNING, pid=host["pid"], host_pid=host["host_pid"], started=host["started"])
        ending = self.read_exit(task)
        if ending is not None:
            return task.with_(**ending, progress=self._progress(task, ending["state"]))
        # A create that is under way puts its task into the database itself, or is cut off before anything ran.
        return task if host is not None or task.attempt > 1 else None

    def _progress(self, task: Task, state: State) -> dict[str, Any] | None:
        """Tell how far an attempt was when it ended, from the end of its output."""
        try:
            found = Follower(self.files(task.id).output, task.attempt).end(state is State.SUCCEEDED, time.time())
        except OSError:
            return None
        return found.to_json() if found is not None and task.kind is Kind.COMMAND else None

    def size(self, task_id: str) -> int:
        """Return how many bytes a task's directory takes on the disk."""
        size = 0
        for directory, _, names in os.walk(self.files(task_id).dir):
            for name in names:
                with suppress(OSError):
                    size += os.lstat(os.path.join(directory, name)).st_blocks * _BLOCK
        return size

    def pack(self, task_id: str, limit: int) -> int:
        """Compress the output of a task that has ended; return how many bytes were compressed, `limit` or a little
        more at most. Raises OSError, StorageFull or InternalError.
        """
        directory = self.files(task_id).output
        done = 0
        for base in bases_to_pack(directory):
            if done >= limit:
                break
            # Taken anew for each: somebody who wants to restart the task need not wait long.
            lock = self.lock(task_id)
            if lock is None:
                break
            with lock:
                done += pack(directory, base)
        return done

    def remove_output(self, task_id: str) -> None:
        """Delete a task's output, which makes room on a full disk."""
        shutil.rmtree(self.files(task_id).output, ignore_errors=True)

    def remove(self, task_id: str) -> None:
        """Take a task's directory out of sight; `purge_trash` deletes it. Raises StorageFull or InternalError."""
        try:
            os.rename(self.files(task_id).dir, os.path.join(self._root, f"{_TRASH}{task_id}"))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise storage_fault(error, _WHAT) from error

    def purge_trash(self) -> None:
        """Delete what was removed."""
        try:
            names = os.listdir(self._root)
        except OSError:
            return
        for name in names:
            if name.startswith(_TRASH):
                shutil.rmtree(os.path.join(self._root, name), ignore_errors=True)

    def remove_incomplete(self, known: set[str]) -> None:
        """Delete the directories of creates that were cut off before the task was in the database, and nothing ran."""
        for task_id in self.ids():
            files = self.files(task_id)
            if task_id in known or os.path.exists(files.host) or os.path.exists(files.exit):
                continue
            try:
                if time.time() - os.stat(files.dir).st_mtime < _INCOMPLETE:
                    continue
                lock = self.lock(task_id)
            except (OSError, InternalError):
                continue
            if lock is not None:
                with lock:
                    shutil.rmtree(files.dir, ignore_errors=True)


def task_of(spec: Mapping[str, Any], state: State = State.STARTING) -> Task:
    """Return the task that a spec tells of. Raises KeyError, TypeError or ValueError for one that is damaged."""
    limit = spec.get("timeout")
    return Task(
        id=spec["id"],
        name=spec["name"],
        command=spec["command"],
        kind=Kind(spec["kind"]),
        cwd=spec["cwd"],
        state=state,
        created=spec["created"],
        attempt=spec["attempt"],
        rows=spec["rows"],
        cols=spec["cols"],
        group=spec["group"],
        tags=tuple(spec["tags"]),
        metadata=spec["metadata"],
        timeout=limit["seconds"] if limit else None,
        provisioner=spec.get("provisioner", "local"),
        pinned=spec.get("pinned") is True,
    )


def changes_from_exit(record: Mapping[str, Any]) -> dict[str, Any]:
    """Give the changes to a task that its exit record comes to. Raises KeyError, TypeError, ValueError or
    AttributeError for a record that is none.
    """
    reason = str(record.get("reason", "exited"))
    exited = Exit(record.get("code"), record.get("signal"))
    state = _STATES.get(reason)
    message = _MESSAGES.get(reason, "")
    if state is None:
        if exited.signal is not None:
            state, reason, message = State.FAILED, "signal", f"killed by {exited.signal}"
        elif exited.code == 0:
            state, reason = State.SUCCEEDED, ""
        elif isinstance(exited.code, int):
            state, reason, message = State.FAILED, "nonzero_exit", f"exited with code {exited.code}"
        else:
            raise ValueError("neither a code nor a signal")
    left = _leftover(record)
    if left:
        said = "a process is still running" if left == 1 else f"{left} processes are still running"
        message = f"{message}; {said}" if message else said
    return {
        "state": state,
        "state_reason": reason,
        "state_message": message,
        "exit": exited,
        "leftover": left,
        "started": float(record["started"]) if record.get("started") is not None else None,
        "ended": float(record["ended"]) if record.get("ended") is not None else None,
        "rows": int(record["rows"]),
        "cols": int(record["cols"]),
        "last_output": float(record["last_output"]),
        "output": Output.from_json(record.get("output") or {}),
        "usage": {**(record.get("rusage") or {}), **_peak(record.get("notes"))},
    }


def _leftover(record: Mapping[str, Any]) -> int:
    """Return how many processes a command left running; 0 where an older ptyhost has not looked."""
    leftover = record.get("leftover")
    count = leftover.get("count") if isinstance(leftover, dict) else 0
    return count if isinstance(count, int) and count > 0 else 0


def _peak(notes: object) -> dict[str, Any]:
    """Give what servers have noted of the highest usage."""
    return {"peak": notes["peak"]} if isinstance(notes, dict) and isinstance(notes.get("peak"), dict) else {}
