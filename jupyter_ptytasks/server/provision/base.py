"""What a provisioner does: it starts the ptyhost of a task, somewhere. All else goes over the ptyhost's socket."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...core.paths import TaskFiles


@dataclass(frozen=True)
class Launched:
    """A command that runs: its pid, its ptyhost's, and when it started (Unix seconds)."""

    pid: int
    host_pid: int
    started: float


class Provisioner(ABC):
    """Starts ptyhosts in one sort of place. Has no state: whatever must be found again is in the task's directory."""

    name: str

    @abstractmethod
    def launch(self, files: TaskFiles, socket_path: str, lock: int, env: Mapping[str, str]) -> Launched:
        """Start the ptyhost of the task whose spec is in `files`, and wait until its command runs. Blocking.

        `lock` is the task's lock, held; the ptyhost goes on holding it, the caller closes its own end in any case.
        `env` is the whole environment of the command; it is written to no file. Raises SpawnFailed when the command is
        to blame, InternalError when we are; nothing runs then.
        """

    def reap(self) -> None:  # noqa: B027  most have nothing to do
        """Wait for those of our ptyhosts that have ended and are our children. Never blocks; to be called often."""
