"""The interface of provisioners. A provisioner starts the ptyhosts of tasks at one kind of place, finds out how they
ended, and connects to them. Everything else goes over that connection.
"""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass

from ..core.errors import BadRequest, InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from typing import Any, ClassVar

    from ..core.model import Task
    from ..core.queue.gates import Gate
    from ..storage.locks import Lock


@dataclass(frozen=True)
class Launched:
    """A running command: its pid, the pid of its ptyhost, when it started (Unix seconds), and the git state of its
    directory at that time (provision.git).
    """

    pid: int
    host_pid: int
    started: float
    git: Mapping[str, Any] | None = None

    def facts(self) -> dict[str, Any]:
        """Return these values as changes of the task."""
        return {"pid": self.pid, "host_pid": self.host_pid, "started": self.started, "git": self.git}


@dataclass(frozen=True)
class Submitted:
    """A task that waits at its place; `changes` are its state and the reason."""

    changes: Mapping[str, Any]


def right_away() -> None:
    """Do nothing: the command may run as soon as it is ready. The default `go` of Provisioner.launch."""


class Provisioner(ABC):
    """One place where ptyhosts run. It keeps no state that must survive: that is in the directories of the tasks.

    All methods except `connect` may block, and are called in threads.
    """

    #: The name of the place, as in tasks and their specs.
    name: str
    #: Whether its tasks are processes of this machine, so that their resource usage can be measured here.
    is_here: ClassVar[bool] = False
    #: Whether its tasks can wait in our queue, so that the scheduler starts them when their turn comes.
    waits: ClassVar[bool] = False
    #: Whether a batch system there queues and requeues its tasks. Then they are polled every second, and connected to
    #: only while someone watches them.
    queues: ClassVar[bool] = False
    #: Whether its ptyhosts can be connected to; if not, `stop` stops tasks.
    connects: ClassVar[bool] = True
    #: Whether task directories and working directories are shared with this machine.
    shares_files: ClassVar[bool] = False
    #: The resources that its tasks can request (core.resources).
    takes: ClassVar[Sequence[str]] = ()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:  # noqa: B027  most have nothing to do
        """Remember the server's loop; called before anything else."""

    def close(self) -> None:  # noqa: B027  the same
        """Close connections, on the loop; tasks keep running."""

    @abstractmethod
    def launch(
        self, task: Task, lock: Lock, env: Mapping[str, str], go: Callable[[], None] = right_away
    ) -> Launched | Submitted:
        """Start the ptyhost of a task whose spec is in its directory, and wait until its command runs.

        `go` is called during the preparations. It returns when the task may run, or raises if it may not: then nothing
        runs, and its exception is raised.
        `lock` is the task's lock, which is held. The ptyhost keeps holding it; the caller closes its own descriptor in
        any case.
        `env` is the environment of the command, without what the attempt adds (core.attempt_env). It is not written to
        a file.

        Raises SpawnFailed if the command is to blame, InternalError otherwise; then nothing runs. Raises StartUnknown
        if it is unknown whether the command runs: `poll` finds out. A place that `queues` returns at once what the task
        waits for, and its ptyhost takes the lock itself. It also makes the task wait for those in `task.turn.after`,
        which were submitted there (core.queue.decisions.left_to_place).
        """

    @abstractmethod
    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """Return, by id, the changes of those active `tasks` that have ended, or that run although they are `starting`
        because the process that started them was killed. A task that is not in the result may be running: an
        unresponsive ptyhost proves nothing.

        A place that `queues` is asked about pending tasks, too, and also reports changes of their jobs. It may report a
        new `attempt` that was not requested here.

        There is no separate check whether a ptyhost is alive: this is only conclusive together with the exit record,
        which is written before it exits.
        """

    def reach(self) -> None:  # noqa: B027  most are always there
        """Connect to the place, if `poll` needs a connection: it does not open one itself. Raises PlaceUnreachable."""

    @abstractmethod
    async def connect(self, task: Task, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """Open a stream for ptytask/1 to the ptyhost of a task's current attempt; `protocol` creates its protocol.
        Never blocks. Raises HostUnreachable, OSError or ValueError.
        """

    def to_json(self) -> dict[str, Any]:
        """Return the place for the REST API: whether it is reachable (None if not tried yet), and if not, why."""
        return {"name": self.name, "kind": "local", "reachable": True, "problem": None}

    def output(self) -> str:
        """Return where the output of running tasks is read: from the `files` of their directories, from a `mirror`
        while someone watches them (mirrors), or from a `copy` (copies). Blocking.
        """
        return "files" if self.shares_files or self.is_here else "copy"

    def gate(self) -> Gate | None:
        """Return the gate through which the queue lets tasks pass to the place; None if there is none."""
        return None

    def for_scheduler(self) -> dict[str, Any] | None:
        """Return what the scheduler needs to create its own provisioner of the place; None if it cannot start tasks
        there, or needs nothing.
        """
        return None

    def calls(self) -> dict[str, dict[str, int]]:
        """Return how often each program of the place was called, by any process, in the last `minute` and `hour`."""
        return {}

    def options(self) -> dict[str, Any]:
        """Return what tasks can choose from: `partitions`, `accounts` and `qos`, as far as there are any.
        Raises PlaceUnreachable.
        """
        return {}

    def machine(self, task: Task) -> str | None:  # noqa: ARG002
        """Return the name of the machine on which a task runs, if it cannot be reached from here; None otherwise, or if
        unknown.
        """
        return None

    def cancel(self, task: Task) -> bool:  # noqa: ARG002
        """Prevent a task that waits there from running; return False if it already runs. Raises PlaceUnreachable."""
        return False

    def stop(self, task: Task, reason: str) -> None:  # noqa: B027  only where ptyhosts cannot be connected to
        """Start stopping a task whose ptyhost cannot be connected to; `reason` is recorded as the reason for its end.
        Raises PlaceUnreachable.
        """

    def hold(self, task: Task) -> dict[str, Any]:  # noqa: ARG002
        """Prevent a task that waits there from starting before `release`; return the changes of the task. Raises
        InvalidState if it has just started, PlaceUnreachable.
        """
        return {}

    def release(self, task: Task) -> None:  # noqa: B027  the same
        """Let a task that is held there take its turn. Raises PlaceUnreachable."""

    def wake(self, task: Task) -> None:  # noqa: B027  most have nothing to do
        """Try to make the ptyhost of a task, which does not answer, reachable again."""

    def remove_deleted(self) -> None:  # noqa: B027  the same
        """Remove the remaining files of deleted tasks at the place (storage.removals), soon, or when it is reached
        again. Never waits.
        """

    def reap(self) -> None:  # noqa: B027  the same
        """Reap ptyhosts that have ended and are our children. Never waits for long."""

    def clean_up(self, active: Collection[str]) -> None:  # noqa: B027  the same
        """Remove what killed ptyhosts have left behind; `active` are the ids of tasks that may run."""


class Provisioners:
    """The provisioners of a server, by name. `find` creates one for another place, or raises BadRequest; `found_by` is
    what the scheduler needs to do the same (for_scheduler).
    """

    def __init__(
        self,
        *provisioners: Provisioner,
        find: Callable[[str], Provisioner] | None = None,
        found_by: Mapping[str, dict[str, Any]] | None = None,
    ) -> None:
        self.all = list(provisioners)
        self._find = find
        self._found_by = dict(found_by or {})
        self._finding = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """See Provisioner.begin."""
        self._loop = loop
        for provisioner in self.all:
            provisioner.begin(loop)

    def close(self) -> None:
        """See Provisioner.close."""
        for provisioner in self.all:
            provisioner.close()

    def at(self, place: str) -> Provisioner:
        """Return the provisioner of a place. Raises BadRequest if there is no such place."""
        with self._finding:
            for provisioner in self.all:
                if provisioner.name == place:
                    return provisioner
            if self._find is None:
                raise BadRequest(f"place: there is no place {place!r}", field="place")
            found = self._find(place)
            if self._loop is not None:
                found.begin(self._loop)
            self.all.append(found)
            return found

    def of(self, task: Task) -> Provisioner:
        """Return a task's provisioner. Raises InternalError if this server has none of that name."""
        try:
            return self.at(task.provisioner)
        except BadRequest as error:
            message = f"this server has no place {task.provisioner!r}, where the task was started"
            raise InternalError(message) from error

    def remove_deleted(self, task: Task) -> None:
        """See Provisioner.remove_deleted. If this server does not have the place, another server does it."""
        with contextlib.suppress(InternalError):
            self.of(task).remove_deleted()

    def _known(self, place: str) -> Provisioner | None:
        """Return the provisioner of a place; None if there is no such place."""
        with contextlib.suppress(BadRequest):
            return self.at(place)
        return None

    def waits(self, task: Task) -> bool:
        """Return whether a task can wait in our queue; False if its provisioner is unknown."""
        found = self._known(task.provisioner)
        return found is not None and found.waits

    def gates(self, names: Iterable[str]) -> dict[str, Gate]:
        """Return the gates of these places, by name. Reads a few small files."""
        found = {name: provisioner.gate() for name in names if (provisioner := self._known(name)) is not None}
        return {name: gate for name, gate in found.items() if gate is not None}

    def for_scheduler(self) -> dict[str, dict[str, Any]]:
        """Return what the scheduler needs to start tasks at places, by name."""
        found = ((provisioner.name, provisioner.for_scheduler()) for provisioner in self.all)
        return {**self._found_by, **{name: needed for name, needed in found if needed is not None}}

    def queues(self, task: Task) -> bool:
        """Return whether a task may be pending at its place; False if its provisioner is unknown."""
        found = self._known(task.provisioner)
        return found is not None and found.queues

    def connects(self, task: Task) -> bool:
        """Return whether the ptyhost of a task can be connected to, as far as known."""
        return all(provisioner.connects for provisioner in self.all if provisioner.name == task.provisioner)

    def shares_files(self, task: Task) -> bool:
        """Return whether all files of a task are in its directory here; False if its provisioner is unknown."""
        found = self._known(task.provisioner)
        return found is not None and found.shares_files

    def is_here(self, task: Task) -> bool:
        """Return whether a task's processes are on this machine; False if its provisioner is unknown."""
        found = self._known(task.provisioner)
        return found is not None and found.is_here
