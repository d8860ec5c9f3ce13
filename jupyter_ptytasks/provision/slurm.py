"""Tasks as jobs of Slurm: a job is a ptyhost, in the task's own directory, which its node shares with this machine."""

from __future__ import annotations

import contextlib
import getpass
import re
import secrets
import shlex
import sys
import time

from ..core import attempt_env, model, resources, slurm
from ..core.errors import InternalError, PlaceUnreachable, PtyTasksError, StartUnknown
from ..core.queue.gates import Gate
from ..core.states import State
from .base import Launched, Provisioner, Submitted
from .commands import Commands
from .handles import CANCELED, Handles
from .jobs import Jobs
from .programs import Programs
from .shared import Shared
from .verdicts import Verdicts

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from ..core.model import Task
    from ..core.queue.turn import When
    from ..storage.locks import Lock
    from ..storage.task_dirs import TaskDirs
    from .handles import Handle
    from .steps import Steps

#: What of our environment is another job's, if the server runs in one.
_OF_JOB = re.compile(r"(SLURM|SLURMD|SBATCH|SRUN|SALLOC|SQUEUE|PMI)_.*")
#: Seconds that a time limit of Slurm is longer than ours, besides the stop sequence.
_SLACK = 60.0
#: Seconds that are left of KillWait.
_KILL_SLACK = 2.0
_SCRIPT = """\
#!/bin/sh
unset SLURM_EXPORT_ENV
umask 077
for python in {python} python3; do
  if command -v "$python" > /dev/null; then exec "$python" -I -S -X utf8 {program} job {directory} {nonce}; fi
done
exit 127
"""


class SlurmProvisioner(Provisioner):
    """The place `slurm`: the cluster that `sbatch` submits to. `data_dir` is where the tasks' directories are,
    `runtime_dir` has locks if that has none, `interval` are the seconds between two calls of squeue at least,
    `per_minute` is how many tasks are submitted in a minute at most, and `env` what its programs get of the environment
    (commands.environment).
    """

    name = "slurm"
    waits = True
    queues = True
    shares_files = True
    takes = resources.FIELDS

    def __init__(
        self,
        task_dirs: TaskDirs,
        data_dir: str,
        runtime_dir: str,
        *,
        interval: float,
        per_minute: int,
        env: Mapping[str, str],
    ) -> None:
        self._for_scheduler = {"interval": interval, "per_minute": per_minute, "env": dict(env)}
        self._per_minute = per_minute
        self._task_dirs = task_dirs
        self._programs = Programs(data_dir, task_dirs)
        self._shared = Shared(data_dir, [runtime_dir], self.name)
        self._commands = Commands(env, self._shared)
        self._handles = Handles(task_dirs)
        self.jobs = Jobs(self._commands, interval)
        self._verdicts = Verdicts(task_dirs, self.jobs, self._handles)
        self._steps: Steps | None = None

    def close(self) -> None:
        """See Provisioner.close."""
        if self._steps is not None:
            self._steps.close()

    def to_json(self) -> dict[str, Any]:
        """See Provisioner.to_json."""
        reachable = False if self.jobs.problem else True if self.jobs.asked >= 0 else None
        return {"name": self.name, "kind": "slurm", "reachable": reachable, "problem": self.jobs.problem or None}

    def gate(self) -> Gate:
        """See Provisioner.gate."""
        return Gate(self._per_minute, tuple(self._shared.times("sbatch")))

    def for_scheduler(self) -> dict[str, Any]:
        """See Provisioner.for_scheduler."""
        return self._for_scheduler

    def calls(self) -> dict[str, dict[str, int]]:
        """See Provisioner.calls."""
        return self._shared.counts()

    def options(self) -> dict[str, Any]:
        """See Provisioner.options."""
        code, out, said = self._commands.run(["sinfo", "--noheader", "--format=%R|%a|%l|%D|%c|%m|%G|%P"])
        if code != 0:
            raise PlaceUnreachable(f"Slurm does not answer: {slurm.fault(said)[0]}")
        # A cluster without a database of accounts has no sacctmgr, or one that does not answer.
        asked = ["sacctmgr", "--noheader", "--parsable2", "show", "associations", f"user={getpass.getuser()}"]
        code, told, _ = self._commands.run([*asked, "format=Account,QOS"])
        return {"partitions": slurm.partitions(out), **slurm.associations(told if code == 0 else "")}

    def launch(self, task: Task, lock: Lock, env: Mapping[str, str]) -> Launched | Submitted:  # noqa: ARG002  held
        """See Provisioner.launch."""
        known = self._handles.of(task)
        if known is not None and not known.get("given_up"):
            raise StartUnknown("it was submitted already")
        files = self._task_dirs.files(task.id)
        spec = self._task_dirs.specs.read(task.id)
        nonce = secrets.token_hex(8)
        clean = {name: value for name, value in env.items() if not _OF_JOB.fullmatch(name) or name == "SLURM_CONF"}
        ladder = sum(float(grace) for name, grace in spec["ladder"] if name != "SIGKILL")
        limit = None if task.timeout is None else task.timeout + ladder + _SLACK
        said = slurm.comment(task.id, task.attempt, nonce)
        hold = spec.get("hold") is True and task.attempt == 1
        options = slurm.sbatch(task.name, said, task.resources, limit, hold=hold, after=self._jobs_before(task))
        handle: Handle = {"place": self.name, "attempt": task.attempt, "nonce": nonce, "submitted": time.time()}
        handle["limit"] = task.resources.get("time")
        grace = self.jobs.kill_wait()
        if grace is not None:
            handle["grace"] = max(grace - _KILL_SLACK, 1.0)
        handle["program"] = self._programs.name
        self._handles.write(task, handle)
        try:
            self._task_dirs.specs.write_environment(task.id, attempt_env.environment(task, clean))
            script = _SCRIPT.format(
                python=shlex.quote(sys.executable),
                program=shlex.quote(self._programs.path()),
                directory=shlex.quote(files.dir),
                nonce=nonce,
            )
            job = self.jobs.submit(options, script)
        except StartUnknown:
            raise
        except PtyTasksError:
            self._handles.write(task, {**handle, "given_up": True})
            raise
        with contextlib.suppress(InternalError):  # it is found by its comment
            self._handles.write(task, {**handle, "job": job})
        state = State.HELD if hold else State.QUEUED
        _, reason, words = slurm.HELD if hold else (None, "submitted", "just submitted")
        known = model.job(job, "PENDING")
        return Submitted({"state": state, "state_reason": reason, "state_message": words, "job": known})

    def _jobs_before(self, task: Task) -> list[tuple[str, When]]:
        """Return the jobs that must end before the task's. Raises PlaceUnreachable if one is not known to Slurm, which
        would take it for one that has ended as it must.
        """
        found = []
        for dependency in task.turn.after:
            job = str((self._handles.last(dependency.id) or {}).get("job"))
            if job not in self.jobs.rows and not slurm.is_live((self.jobs.forgotten(job) or ("",))[0]):
                raise PlaceUnreachable(f"the job {job}, for which it is to wait, is not known")
            found.append((job, dependency.when))
        return found

    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """See Provisioner.poll."""
        return self._verdicts.poll(tasks)

    # -- changing it --------------------------------------------------------------------------------------------------

    def cancel(self, task: Task) -> bool:
        """See Provisioner.cancel."""
        lock = self._task_dirs.lock(task.id)
        if lock is None:
            return False
        with lock:
            handle = self._handles.of(task)
            if handle is None:
                return True
            if self._task_dirs.host(task) is not None:
                return False
            # Whether Slurm answers or not: the job would find this, and the next server, if this one dies now.
            self._handles.write(task, {**handle, "given_up": CANCELED})
        if "job" in handle:
            with contextlib.suppress(PlaceUnreachable):
                self.jobs.cancel(handle["job"])
        return True

    def hold(self, task: Task) -> dict[str, Any]:
        """See Provisioner.hold."""
        self.jobs.hold(self._job(task))
        _, reason, words = slurm.HELD
        return {"state_reason": reason, "state_message": words}

    def release(self, task: Task) -> None:
        """See Provisioner.release."""
        self.jobs.release(self._job(task))

    def _job(self, task: Task) -> str:
        handle = self._handles.of(task)
        if handle is None or "job" not in handle:
            raise PlaceUnreachable("the job is not known yet; try again")
        return str(handle["job"])

    def clean_up(self, active: Collection[str]) -> None:
        """See Provisioner.clean_up."""
        self._programs.remove_unused()
        self._verdicts.forget(active)
        self.jobs.forget({row.job for row in self.jobs.rows.values() if row.task in active})

    async def connect(self, task: Task, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """See Provisioner.connect."""
        from .steps import Steps  # noqa: PLC0415  the scheduler has no use for it

        if self._steps is None:
            self._steps = Steps(self._task_dirs, self._handles, self._programs.path, self._commands.env)
        relay = await self._steps.reach(task)
        relay.connect(task.id, protocol, None)
