"""Tasks as jobs of any batch system for which Parsl has a provider: a job is a ptyhost, as at the place `slurm`.

A provider submits jobs, cancels them, and reports their states, but offers no connection. So the output and the exit
record of a task are read from its directory, which the nodes share, and its terminal is read-only.
"""

from __future__ import annotations

import os
import re
import shlex
import sys

from ..core import attempt_env, model, mounts
from ..core.errors import HostUnreachable, PlaceUnreachable, PtyTasksError, SpawnFailed, StartUnknown
from ..core.states import State
from .base import Launched, Provisioner, Submitted, right_away
from .broker import Broker, Refused
from .handles import CANCELED, Handles
from .outcomes import Outcomes
from .programs import Programs
from .shared import Shared
from .states import States

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from ..core.model import Task
    from ..storage.locks import Lock
    from ..storage.task_dirs import TaskDirs
    from .handles import Handle

#: Variables that a broker gets besides those for all commands: they configure the programs of batch systems.
_KEPT = ("PBS_CONF_FILE", "PBS_DEFAULT", "PBS_SERVER", "LSF_BINDIR", "LSF_ENVDIR", "LSF_LIBDIR", "LSF_SERVERDIR",
         "SGE_CELL", "SGE_CLUSTER_NAME", "SGE_ROOT", "CONDOR_CONFIG", "KUBECONFIG")  # fmt: skip
#: Variables that belong to another job, if the server itself runs in a job.
_OF_JOB = re.compile(r"(SLURM|SLURMD|SBATCH|SRUN|SALLOC|SQUEUE|PMI|PBS|LSB|SGE|_CONDOR)_.*")
#: Seconds between SIGTERM and SIGKILL that every batch system is assumed to allow.
_GRACE = 3.0
#: Paths and names that need no quoting: providers do not quote.
_PLAIN = re.compile(r"[\w%+,./:=@-]+", re.ASCII)
_COMMAND = (
    "unset SLURM_EXPORT_ENV; umask 077; for python in {python} python3; do "
    'if command -v "$python" > /dev/null; then exec "$python" -I -S -X utf8 {program} job {directory} {nonce}; fi; '
    "done; exit 127"
)
_NAME_MAX = 40


def more_environment() -> dict[str, str]:
    """Return the variables that the programs of batch systems get, besides those for all commands."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


class ParslProvisioner(Provisioner):
    """The place `name`. Parsl's `provider` with these `options` submits its jobs. `data_dir`, `runtime_dir`, `env` and
    `shared_files` are as for SlurmProvisioner; `interval` is the minimum time between two queries, in seconds.
    """

    queues = True
    shares_files = True
    connects = False

    def __init__(
        self,
        name: str,
        task_dirs: TaskDirs,
        data_dir: str,
        runtime_dir: str,
        *,
        provider: str,
        options: Mapping[str, Any],
        interval: float,
        env: Mapping[str, str],
        shared_files: str = mounts.AUTO,
    ) -> None:
        self.name = name
        self._task_dirs = task_dirs
        self._programs = Programs(data_dir, task_dirs)
        self._handles = Handles(task_dirs)
        self._shared = Shared(data_dir, [runtime_dir], name)
        about = {"provider": provider, "options": dict(options)}
        self._shared_files = shared_files
        self._broker = Broker(about, env, self._shared.path("log"))
        self._states = States(self._broker, self._shared, interval)
        self._outcomes = Outcomes(task_dirs, self._states, self._handles)

    def close(self) -> None:
        """See Provisioner.close."""
        self._broker.close()

    def to_json(self) -> dict[str, Any]:
        """See Provisioner.to_json."""
        problem = self._states.problem
        reachable = False if problem else True if self._states.asked >= 0 else None
        return {"name": self.name, "kind": "parsl", "reachable": reachable, "problem": problem or None}

    def calls(self) -> dict[str, dict[str, int]]:
        """See Provisioner.calls."""
        return self._shared.counts()

    def launch(
        self,
        task: Task,
        lock: Lock,  # noqa: ARG002  held
        env: Mapping[str, str],
        go: Callable[[], None] = right_away,
    ) -> Launched | Submitted:
        """See Provisioner.launch."""
        go()
        self._handles.check_new(task)
        files = self._task_dirs.files(task.id)
        if not _PLAIN.fullmatch(files.dir):
            message = f"{self.name} cannot run tasks in {files.dir}: the path contains characters that need quoting"
            raise SpawnFailed(message, field="place")
        handle = self._handles.new(task, self.name)
        known_here = (*_KEPT, "SLURM_CONF")
        clean = {name: value for name, value in env.items() if name in known_here or not _OF_JOB.fullmatch(name)}
        handle |= {"grace": _GRACE, "once": True, "limit": self._limit(), "program": self._programs.name}
        handle["cached"] = mounts.decide(self._shared_files, self._task_dirs.root)
        self._handles.write(task, handle)
        try:
            self._task_dirs.specs.write_environment(task.id, attempt_env.environment(task, clean))
            command = _COMMAND.format(
                python=shlex.quote(sys.executable),
                program=self._programs.path(),
                directory=files.dir,
                nonce=handle["nonce"],
            )
            job = self._submit(task, command)
        except StartUnknown:
            raise
        except PtyTasksError:
            self._handles.write(task, {**handle, "given_up": True})
            raise
        self._states.problem = ""
        self._states.hurry()
        about = {"state_reason": "submitted", "state_message": "just submitted", "job": model.job(job, "PENDING")}
        return Submitted({"state": State.QUEUED, **about})

    def _limit(self) -> float | None:
        try:
            return self._broker.limit()
        except PlaceUnreachable as error:
            self._states.problem = error.message
            raise

    def _submit(self, task: Task, command: str) -> str:
        name = re.sub(r"[^\w-]+", "-", task.name, flags=re.ASCII).strip("-")[:_NAME_MAX] or task.id
        files = self._task_dirs.files(task.id)
        self._shared.note_call("submit")
        try:
            answer = self._broker.ask("submit", command=command, name=name, directory=files.job, handle=files.handle)
        except Refused as error:
            raise SpawnFailed(f"{self.name} rejected the job: {error}", field="place") from error
        return str(answer["job"])

    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """See Provisioner.poll."""
        return self._outcomes.poll(tasks)

    def cancel(self, task: Task) -> bool:
        """See Provisioner.cancel."""
        if not self._handles.give_up(task, CANCELED):
            return False
        handle = self._handles.of(task)
        if handle is not None and "job" in handle:
            self._cancel(handle)
        return True

    def stop(self, task: Task, reason: str) -> None:
        """See Provisioner.stop."""
        handle = self._handles.of(task)
        if handle is None or "job" not in handle:
            raise PlaceUnreachable("the job is not known yet; try again")
        # Write the reason first: the ptyhost may end before the provider responds.
        self._handles.write(task, {**handle, "stopping": reason})
        if not self._cancel(handle):
            self._handles.write(task, handle)
            raise PlaceUnreachable(f"{self.name} does not cancel the job {handle['job']}")

    def _cancel(self, handle: Handle) -> bool:
        """Cancel a job; return whether that was done."""
        self._shared.note_call("cancel")
        self._states.hurry()
        try:
            return bool(self._broker.ask("cancel", job=handle["job"], kept=handle["kept"])["done"])
        except (Refused, PtyTasksError):
            return False

    def machine(self, task: Task) -> str | None:
        """See Provisioner.machine."""
        host = self._task_dirs.host(task)
        return str(host.get("node") or host.get("hostname")) if host is not None else None

    def clean_up(self, active: Collection[str]) -> None:
        """See Provisioner.clean_up."""
        self._programs.remove_unused()
        self._outcomes.forget(active)

    async def connect(self, task: Task, protocol: Callable[[], asyncio.BaseProtocol]) -> None:  # noqa: ARG002
        """See Provisioner.connect."""
        raise HostUnreachable(f"there is no connection to the nodes of {self.name}")
