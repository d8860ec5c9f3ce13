"""The exit record of a task: how the command ended, and what this machine knows about the reason."""

from __future__ import annotations

from ..core.platform import tree
from . import kernel_log
from .memory_events import MemoryEvents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .guard import Guard
    from .job import Job
    from .record import Record

#: The exit code of a shell whose last command was killed by SIGKILL.
_KILLED_BELOW = 128 + 9


class Ending:
    """Counts the OOM killer's kills from its creation on, and finally writes the exit record to `record`.

    `was_told`: this process received SIGTERM, so the command may not have ended by itself.
    """

    __slots__ = ("_guard", "_memory", "_record", "was_told")

    def __init__(self, record: Record, guard: Guard) -> None:
        self._record = record
        self._guard = guard
        self._memory = MemoryEvents()
        self.was_told = False

    def write(self, job: Job, about: dict[str, Any]) -> dict[str, Any]:
        """Record the end of a reaped command, with the data about the task in `about`; return the record."""
        assert job.ended is not None
        attempt = self._guard.attempt
        ended = {**about, **job.ended}
        if self.was_told:
            ended["was_told"] = True
        ended.update(leftover=None, memory=self._memory.since(), signaled=job.signaled)
        attempt("reading the kernel's log", _ask_kernel, ended, job)
        attempt("looking for leftovers", lambda: ended.update(leftover=tree.leftover()))
        if not attempt("recording the end", self._record.write, ended):
            ended["unrecorded"] = "host.log says why"
        return ended


def _ask_kernel(ended: dict[str, Any], job: Job) -> None:
    """Note which process the kernel killed, if that may explain the end of the command and is not known yet."""
    was_killed = ended["signal"] == "SIGKILL" or ended["code"] == _KILLED_BELOW
    is_known = ended["signaled"] == "SIGKILL" or ended["reason"] != "exited" or (ended["memory"] or {}).get("oom_kills")
    if was_killed and not is_known:
        ended["kernel_kill"] = kernel_log.killed(job.pid, job.begun)
