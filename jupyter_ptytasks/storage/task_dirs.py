"""The tasks' directories: all that can be known of a task without a database and without its ptyhost. Blocking."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from typing import TYPE_CHECKING, Any

from ..core.errors import ServiceFault, storage_fault
from ..core.files import read_json, write_json
from ..core.progress.follower import Follower
from ..core.model import Exit, Kind, Output, Task
from ..core.paths import TaskFiles, private_dir
from ..core.ring.reader import RingReader
from ..core.states import State
from ..server.spec import task_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

_ID = re.compile(r"[a-z0-9]{8,16}")
#: Seconds between two tries for a lock, and how long the lock of a new task is tried for.
_LOCK_POLL = 0.005
_LOCK_WAIT = 2.0
#: A directory without a task that is younger (seconds) belongs to a create that is under way.
_UNBORN = 60.0
_TRASH = ".removed-"
_WHAT = "the task's directory"

#: What the exit record's reasons come to.
_STATES = {
    "cancelled": State.CANCELLED,
    "restarting": State.CANCELLED,
    "timed_out": State.TIMED_OUT,
    "host_terminated": State.CANCELLED,
}
_MESSAGES = {
    "cancelled": "stopped",
    "restarting": "stopped to be started again",
    "timed_out": "its time was up",
    "host_terminated": "its ptyhost was told to end",
}


class Catalogue:
    """The directory `tasks` below `root`, one directory a task."""

    def __init__(self, root: str) -> None:
        self._root = os.path.join(root, "tasks")

    def files(self, task_id: str) -> TaskFiles:
        """Give the names of a task's files."""
        return TaskFiles(os.path.join(self._root, task_id))

    def ids(self) -> list[str]:
        """Give the ids of all tasks that have a directory."""
        try:
            return sorted(name for name in os.listdir(self._root) if _ID.fullmatch(name))
        except OSError:
            return []

    def create(self, spec: Mapping[str, Any]) -> int:
        """Make the directory of a new task and give its lock, held. Raises StorageFull; nothing is left then."""
        try:
            private_dir(os.path.dirname(self._root))
            private_dir(self._root)
            files = self.files(spec["id"])
            os.mkdir(files.dir, 0o700)
        except OSError as error:
            raise storage_fault(error, _WHAT) from error
        try:
            # It is free, but another server may be looking just now whether it is.
            lock = self.lock(spec["id"], wait=_LOCK_WAIT)
            if lock is None:
                raise ServiceFault("the lock of a new task is taken")
            self.write_spec(spec)
        except BaseException:
            shutil.rmtree(files.dir, ignore_errors=True)
            raise
        return lock

    def write_spec(self, spec: Mapping[str, Any]) -> None:
        """Put a task's spec in its place. Raises StorageFull; the old one is untouched then."""
        try:
            write_json(self.files(spec["id"]).spec, spec, durable=True)
        except OSError as error:
            raise storage_fault(error, _WHAT) from error

    def read_spec(self, task_id: str) -> dict[str, Any]:
        """Give a task's spec. Raises ServiceFault when it is gone or garbage."""
        spec = read_json(self.files(task_id).spec)
        if spec is None or spec.get("id") != task_id:
            raise ServiceFault(f"the spec of the task {task_id} is gone or damaged")
        return spec

    def lock(self, task_id: str, wait: float = 0.0) -> int | None:
        """Take a task's lock: while it is held no ptyhost of the task starts, and where one runs this gives None.

        `wait` seconds at most are spent on a ptyhost that is just leaving. The caller closes the descriptor, or hands
        it on to a ptyhost. Raises StorageFull or ServiceFault.
        """
        try:
            fd = os.open(self.files(task_id).lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise storage_fault(error, _WHAT) from error
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return fd
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(fd)
                    return None
                time.sleep(_LOCK_POLL)
            except OSError as error:
                os.close(fd)
                raise storage_fault(error, _WHAT) from error

    def is_hosted(self, task_id: str) -> bool:
        """Tell whether a ptyhost of the task runs, or a server is just starting one."""
        try:
            fd = os.open(self.files(task_id).lock, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def host(self, task: Task) -> dict[str, Any] | None:
        """Give the host record of the task's present attempt."""
        found = read_json(self.files(task.id).host)
        return found if found is not None and found.get("attempt") == task.attempt else None

    def ending(self, task: Task) -> dict[str, Any] | None:
        """Give what an exit record of the task's present attempt makes of it, as changes; None where there is none."""
        record = read_json(self.files(task.id).exit)
        if record is None or record.get("attempt") != task.attempt:
            return None
        try:
            return outcome(record)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

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
        except (ServiceFault, KeyError, TypeError, ValueError):
            return None
        host = self.host(task)
        if host is not None:
            task = task.with_(state=State.RUNNING, pid=host["pid"], host_pid=host["host_pid"], started=host["started"])
        ending = self.ending(task)
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

    def remove(self, task_id: str) -> None:
        """Take a task's directory out of sight, in one step; `sweep` deletes it. Raises StorageFull or ServiceFault."""
        try:
            os.rename(self.files(task_id).dir, os.path.join(self._root, f"{_TRASH}{task_id}"))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise storage_fault(error, _WHAT) from error

    def sweep(self) -> None:
        """Delete what was removed, and what creates left that were cut off before anything ran."""
        try:
            names = os.listdir(self._root)
        except OSError:
            return
        for name in names:
            if name.startswith(_TRASH):
                shutil.rmtree(os.path.join(self._root, name), ignore_errors=True)

    def discard_unborn(self, known: set[str]) -> None:
        """Delete the directories of creates that were cut off before the task was in the database, and nothing ran."""
        for task_id in self.ids():
            files = self.files(task_id)
            if task_id in known or os.path.exists(files.host) or os.path.exists(files.exit):
                continue
            try:
                is_young = time.time() - os.stat(files.dir).st_mtime < _UNBORN
            except OSError:
                continue
            lock = None if is_young else self.lock(task_id)
            if lock is not None:
                shutil.rmtree(files.dir, ignore_errors=True)
                os.close(lock)


def outcome(record: Mapping[str, Any]) -> dict[str, Any]:
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
    return {
        "state": state,
        "state_reason": reason,
        "state_message": message,
        "exit": exited,
        "started": float(record["started"]) if record.get("started") is not None else None,
        "ended": float(record["ended"]) if record.get("ended") is not None else None,
        "rows": int(record["rows"]),
        "cols": int(record["cols"]),
        "last_output": float(record["last_output"]),
        "output": Output.from_json(record.get("output") or {}),
        "usage": {**(record.get("rusage") or {}), **_peak(record.get("notes"))},
    }


def _peak(notes: object) -> dict[str, Any]:
    """Give what servers have noted of the highest usage."""
    return {"peak": notes["peak"]} if isinstance(notes, dict) and isinstance(notes.get("peak"), dict) else {}
