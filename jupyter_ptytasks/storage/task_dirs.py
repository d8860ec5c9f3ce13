"""The directories of tasks: everything known about a task without the database and its ptyhost. Blocking."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress

from ..core import leftovers
from ..core.errors import InternalError, NoResult, storage_fault
from ..core.files import read_json, remove_tree
from ..core.machine import boot_id, is_here, is_running
from ..core.model import Kind, Output, Task, job
from ..core.paths import TaskFiles
from ..core.platform import files as system
from ..core.ring.packing import bases_to_pack, pack
from ..core.ring.reader import RingReader
from ..core.ring.tail import TailReader
from ..core.states import State
from .imports import Imports
from .locks import Lock, Locks
from .notes import Notes
from .records import changes_from_exit, task_of
from .removals import Removals
from .spec_files import SpecFiles
from .sweep_records import SweepRecords
from .trash import Trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from typing import Any, BinaryIO

_ID = re.compile(r"[a-z0-9]{8,16}")
#: Seconds to wait for the lock of a new task.
_LOCK_WAIT = 2.0
#: Seconds for which a directory without a task in the database may belong to a creation in progress.
_INCOMPLETE = 60.0
#: The most bytes of output that are read at a time.
_PART = 1 << 20
_WHAT = "the task's directory"


class TaskDirs:
    """The directory `tasks` below `root`, with one directory per task. `specs` are the files that say what tasks run,
    `notes` the notes of users, `imports` tasks that are being imported, `trash` tasks that are being deleted. `sweeps`
    are the records of sweeps, and `removals` pending removals on other machines, both directly below `root`.

    Args:
        elsewhere: directories for locks if file locks do not work in `root`.
    """

    def __init__(self, root: str, elsewhere: Sequence[str] = ()) -> None:
        self._root = os.path.join(root, "tasks")
        self.specs = SpecFiles(self._root)
        self.notes = Notes(self._root)
        self.sweeps = SweepRecords(root)
        self.removals = Removals(root)
        self.imports = Imports(self._root)
        self.trash = Trash(self._root)
        #: By task id, the paths from which the output and the exit record are read first, if the task's own files show
        #: changes late.
        self.mirrors: dict[str, TaskFiles] = {}
        self._locks = Locks(self._root, elsewhere)

    @property
    def root(self) -> str:
        """The directory that contains the directories of tasks."""
        return self._root

    def files(self, task_id: str) -> TaskFiles:
        """Return the paths of a task's files."""
        return TaskFiles(os.path.join(self._root, task_id))

    def ids(self) -> list[str]:
        """Return the ids of all tasks that have a directory."""
        try:
            return sorted(name for name in os.listdir(self._root) if _ID.fullmatch(name))
        except OSError:
            return []

    def open_ring(self, task_id: str) -> RingReader:
        """Open a task's output. The caller closes it."""
        return RingReader(self.files(task_id).output, lambda: self._mirrored(task_id))

    def _mirrored(self, task_id: str) -> str | None:
        mirror = self.mirrors.get(task_id)
        return mirror.output if mirror is not None else None

    def exists(self, task_id: str) -> bool:
        """Return whether the task has a directory."""
        return os.path.isdir(self.files(task_id).dir)

    def create(
        self, spec: Mapping[str, Any], env: Mapping[str, str] | None = None, function: bytes | None = None
    ) -> Lock:
        """Create the directory of a new task, with its environment if it is pending and its call if it runs a function,
        and return its lock, held. Everything is on disk after `specs.flush`.

        On failure (StorageFull) nothing is left.
        """
        try:
            system.private_dir(os.path.dirname(self._root))
            system.private_dir(self._root)
            files = self.files(spec["id"])
            os.mkdir(files.dir, 0o700)
        except OSError as error:
            raise storage_fault(error, _WHAT) from error
        lock = None
        try:
            # The lock is free, but another server may be checking it right now.
            lock = self.lock(spec["id"], wait=_LOCK_WAIT)
            if lock is None:
                raise InternalError("the lock of a new task is taken")
            self.specs.create(spec, env, function)
        except BaseException:
            remove_tree(files.dir)
            if lock is not None:
                lock.close()
            raise
        return lock

    def create_pending(self, spec: Mapping[str, Any], env: Mapping[str, str], function: bytes | None) -> None:
        """Create the directory of a new pending task, with its environment and its call. On failure (StorageFull) the
        caller discards it. It does not count as a task until its sweep has a record.
        """
        try:
            system.private_dir(os.path.dirname(self._root))
            system.private_dir(self._root)
            os.mkdir(self.files(spec["id"]).dir, 0o700)
        except OSError as error:
            raise storage_fault(error, _WHAT) from error
        self.specs.create(spec, env, function)
        self.specs.flush(spec["id"])

    def renew(self, task_ids: Iterable[str]) -> None:
        """Mark directories as belonging to a creation in progress (see `remove_incomplete`). Raises InternalError if
        one no longer exists.
        """
        for task_id in task_ids:
            try:
                os.utime(self.files(task_id).dir)
            except OSError as error:
                raise storage_fault(error, _WHAT) from error

    def open_result(self, task: Task) -> BinaryIO:
        """Open the file with what the function returned or raised in the task's attempt. The caller closes it.

        Raises NoResult if there is none, InternalError for a file that another user may have written.
        """
        try:
            return open(system.open_own(self.files(task.id).result(task.attempt)), "rb")
        except FileNotFoundError as error:
            raise NoResult("the function has neither returned nor raised an exception") from error
        except OSError as error:
            raise storage_fault(error, "the result of the task cannot be read") from error

    def lock(self, task_id: str, wait: float = 0.0) -> Lock | None:
        """Take a task's lock, and return it; None if a ptyhost of the task is running. While it is held, no ptyhost can
        start.

        The caller closes the lock, or passes it to a ptyhost.

        Args:
            wait: seconds to wait for a ptyhost that is about to exit.

        Raises:
            StorageFull, InternalError: also if the task's directory is missing.
        """
        try:
            return self._locks.take(os.path.join(task_id, "lock"), wait)
        except FileNotFoundError as error:
            raise storage_fault(error, _WHAT) from error

    def is_hosted(self, task: Task) -> bool:
        """Return whether a ptyhost of the task is running on this machine, or is being started by a server."""
        if self._locks.is_held(os.path.join(task.id, "lock")):
            return True
        # Locks outside the data directory may have been deleted by a cleaner of temporary files.
        host = self.host(task) if not self._locks.at_home else None
        if host is None or not is_here(host) or host.get("boot_id") != boot_id():
            return False
        return is_running(host["host_pid"], host.get("host_start", 0))

    def host(self, task: Task) -> dict[str, Any] | None:
        """Return the host record of the task's current attempt, or None."""
        found = read_json(self.files(task.id).host)
        if found is None or found.get("attempt") != task.attempt:
            return None
        return found if isinstance(found.get("host_pid"), int) and isinstance(found.get("socket"), str) else None

    def _git(self, task: Task) -> dict[str, Any] | None:
        found = read_json(self.files(task.id).git) or {}
        if found.get("attempt") != task.attempt:
            return None
        return {name: found.get(name) for name in ("commit", "branch", "dirty")}

    def read_exit(self, task: Task, *, hosted: bool = False) -> dict[str, Any] | None:
        """Return the changes from the exit record of the task's current attempt; None if there is no record. While the
        ptyhost is still `hosted`, only a complete record counts.
        """
        record = self.exit_record(task, hosted=hosted)
        try:
            return changes_from_exit(record) if record is not None else None
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def exit_record(self, task: Task, *, hosted: bool = False) -> dict[str, Any] | None:
        """Return that record as written by the ptyhost."""
        files, mirror = self.files(task.id), self.mirrors.get(task.id)
        # If the disk was too full to rename the record, it is in the file that reserved the space.
        paths = (files.exit,) if hosted else (files.exit, f"{files.exit}.reserved")
        for path in paths if mirror is None else (mirror.exit, *paths):
            record = read_json(path)
            if record is not None and record.get("attempt") == task.attempt:
                return record
        return None

    def leftover(self, task: Task) -> list[tuple[int, int]]:
        """Return (pid, start time) of the processes that the command left running, if they still run here."""
        record = read_json(self.files(task.id).exit)
        if record is None or record.get("attempt") != task.attempt:
            return []
        return leftovers.alive(record.get("leftover"))

    def output(self, task_id: str) -> Output:
        """Return the bounds of a task's output, from its files."""
        with self.open_ring(task_id) as ring:
            start, end = ring.bounds()
            if not end:
                return Output()
            base = ring.bases()[-1]
            return Output(start, end, ring.keyframe(base).line + ring.read_range(base, end).count(b"\n"))

    def grown(self, task_id: str, known: Output) -> Output:
        """Return the bounds of a task's output, from its files, without reading the `known` part again."""
        with self.open_ring(task_id) as ring:
            start, end = ring.bounds()
            if end == known.end:
                return known
            base = ring.bases()[-1]
            at, lines = (known.end, known.lines) if base <= known.end <= end else (base, ring.keyframe(base).line)
            while at < end:
                part = ring.read_range(at, min(at + _PART, end))
                if not part:
                    break  # it was just dropped
                at, lines = at + len(part), lines + part.count(b"\n")
            return Output(start, end, lines, known.lost)

    def tasks(self, besides: Container[str] = ()) -> Iterator[Task]:
        """Iterate over the tasks of all directories except `besides`, with the state that their files imply."""
        for task_id in self.ids():
            task = self.task(task_id) if task_id not in besides else None
            if task is not None:
                yield task

    def task(self, task_id: str) -> Task | None:
        """Return a task from its directory; None if the directory is incomplete or its spec is damaged."""
        try:
            spec = self.specs.read(task_id)
            task = task_of(spec)
        except (InternalError, KeyError, TypeError, ValueError):
            return None
        task = task.with_(git=self._git(task), notes=self.notes.tag(task_id))
        host = self.host(task)
        if host is not None:
            task = task.with_(state=State.RUNNING, pid=host["pid"], host_pid=host["host_pid"], started=host["started"])
        ending = self.read_exit(task)
        if ending is not None:
            return task.with_(**ending, progress=self.final_progress(task, ending["state"]))
        if task.state is State.CANCELLED:
            return task.with_(state_reason="cancelled", state_message="canceled before it started")
        if host is None and task.pending and self.is_hosted(task):
            return None  # a creation in progress adds its task to the database itself
        if host is None and task.pending and task.attempt == 1 and task.sweep and not self.sweeps.has(task.sweep.id):
            return None  # the creation of its sweep is in progress, or was interrupted: then none of its tasks exists
        # Without a state or a job, the creation was interrupted before anything ran.
        handle = read_json(self.files(task_id).handle) or {}
        if task.pending and handle.get("attempt") == task.attempt and "job" in handle:
            task = task.with_(job=job(handle["job"]))
        is_submitted = "state" in spec or bool(handle)
        return task if host is not None or task.attempt > 1 or is_submitted else None

    def submitted(self, task_id: str) -> Task | None:
        """Return a task as in its spec, whatever happened since; None if the spec is missing or damaged."""
        try:
            return task_of(self.specs.read(task_id))
        except (InternalError, KeyError, TypeError, ValueError):
            return None

    def final_progress(self, task: Task, state: State) -> dict[str, Any] | None:
        """Return the progress of an attempt when it ended, from the end of its output."""
        from ..core.progress import ProgressReader  # noqa: PLC0415  not needed by each process that reads a task

        reader = ProgressReader()
        try:
            tail = TailReader(lambda: self.open_ring(task.id), task.attempt, [reader])
            tail.end(state is State.SUCCEEDED, time.time())
        except OSError:
            return None
        found = reader.progress
        return found.to_json() if found is not None and task.kind is Kind.COMMAND else None

    def size(self, task_id: str) -> int:
        """Return the bytes that a task's directory uses on disk, including its contents, as counted by `du`."""
        size = 0
        for directory, _, names in os.walk(self.files(task_id).dir):
            for name in (".", *names):
                with suppress(OSError):
                    size += system.size_on_disk(os.path.join(directory, name))
        return size

    def pack(self, task_id: str, limit: int) -> int:
        """Compress the output of a finished task, and return how many bytes were compressed: about `limit` at most.

        Raises:
            OSError, StorageFull, InternalError
        """
        directory = self.files(task_id).output
        done = 0
        for base in bases_to_pack(directory):
            if done >= limit:
                break
            # Lock for each file separately, so that a restart of the task does not have to wait long.
            lock = self.lock(task_id)
            if lock is None:
                break
            with lock:
                done += pack(directory, base)
        return done

    def remove_output(self, task_id: str) -> None:
        """Delete a task's output, which frees space on a full disk."""
        remove_tree(self.files(task_id).output)

    def remove_incomplete(self, known: set[str]) -> None:
        """Delete directories of creations that were interrupted before the task was in the database and ran."""
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
                    remove_tree(files.dir)
