"""What a provisioner does: it starts the ptyhosts of tasks in one kind of place, finds out what became of them, and
connects to them. All else goes over that connection.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from ..core.errors import InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any, ClassVar

    from ..core.model import Task
    from ..storage.locks import Lock


@dataclass(frozen=True)
class Launched:
    """A command that runs: its pid, its ptyhost's, and when it started (Unix seconds)."""

    pid: int
    host_pid: int
    started: float


class Provisioner(ABC):
    """One kind of place where ptyhosts run. Has no state: whatever must be found again is in the task's directory.

    All methods but `connect` may block, and are called in threads.
    """

    #: What tasks and their specs call it.
    name: ClassVar[str]
    #: Whether the processes of its tasks are among those of this machine, so that their usage can be measured here.
    is_here: ClassVar[bool] = False

    @abstractmethod
    def launch(self, task: Task, lock: Lock, env: Mapping[str, str]) -> Launched:
        """Start the ptyhost of a task whose spec is in its directory, and wait until its command runs.

        `lock` is the task's lock, held; the ptyhost goes on holding it, the caller closes its own end in any case.
        `env` is the environment of the command, but for what the attempt adds (core.attempt_env); it is not written to
        a file. Raises SpawnFailed if the command is to blame, InternalError otherwise; then nothing runs.
        """

    @abstractmethod
    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """Return, by id, the changes to those of the active `tasks` that have ended, or that run although they are
        `starting`, because the process that started them was killed. A task that is not in the result may be running:
        that its ptyhost does not respond proves nothing.

        There is no separate question whether a ptyhost lives: only together with its exit record, which is written
        before, does the answer say what became of the task.
        """

    @abstractmethod
    async def connect(self, task: Task, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """Open a stream to the ptyhost of a task's present attempt, for a `protocol` to speak ptytask/1. Never blocks.
        Raises HostUnreachable, OSError or ValueError.
        """

    def machine(self, task: Task) -> str | None:  # noqa: ARG002
        """Return the name of the machine on which a task runs; None for this one, and where it is not known."""
        return None

    def wake(self, task: Task) -> None:  # noqa: B027  most have nothing to do
        """Do what can be done that the ptyhost of a task, which does not answer, can be connected to."""

    def reap(self) -> None:  # noqa: B027  the same
        """Wait for those of our ptyhosts that have ended and are our children. Never waits for long."""

    def clean_up(self, active: Collection[str]) -> None:  # noqa: B027  the same
        """Remove what ptyhosts that were killed have left behind; `active` are the ids of tasks that may run."""


class Provisioners:
    """The provisioners of a server, by name."""

    def __init__(self, *provisioners: Provisioner) -> None:
        self.all = provisioners

    def of(self, task: Task) -> Provisioner:
        """Return a task's provisioner. Raises InternalError if this server has none of that name."""
        for provisioner in self.all:
            if provisioner.name == task.provisioner:
                return provisioner
        raise InternalError(f"this server has no provisioner {task.provisioner!r}, which started the task")

    def is_here(self, task: Task) -> bool:
        """Return whether a task's processes are among those of this machine; not so if its provisioner is unknown."""
        return any(provisioner.is_here for provisioner in self.all if provisioner.name == task.provisioner)
