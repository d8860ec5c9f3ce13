"""Tasks as Slurm jobs: a job is a ptyhost, in the task's directory, which the node shares with this machine."""

from __future__ import annotations

import contextlib
import getpass
import re
import shlex
import sys
from abc import abstractmethod

from ..core import attempt_env, model, mounts, resources, slurm
from ..core.errors import HostUnreachable, InternalError, PlaceUnreachable, PtyTasksError, StartUnknown
from ..core.queue.gates import Gate
from ..core.states import State
from .base import Launched, Provisioner, Submitted, right_away
from .commands import Commands, on_this_machine
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
    from .commands import Execute
    from .handles import Handle
    from .mirrors import Mirrors
    from .remote import Relay
    from .steps import Steps

#: Variables that belong to another job, if the server itself runs in a job.
_OF_JOB = re.compile(r"(SLURM|SLURMD|SBATCH|SRUN|SALLOC|SQUEUE|PMI)_.*")
#: Seconds by which Slurm's time limit exceeds ours plus the stop sequence.
_SLACK = 60.0
#: Seconds of KillWait that are kept in reserve.
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


class Batch(Provisioner):
    """A cluster whose commands are run by `execute`, with the `handles` of its jobs. `data_dir` contains the task
    directories, `runtime_dir` is for locks if `data_dir` supports none, `interval` is the minimum time between two
    calls of squeue in seconds, and `per_minute` the most tasks that are submitted per minute.
    """

    waits = True
    queues = True
    takes = resources.FIELDS

    def __init__(
        self,
        name: str,
        execute: Execute,
        handles: Handles,
        task_dirs: TaskDirs,
        data_dir: str,
        runtime_dir: str,
        *,
        interval: float,
        per_minute: int,
    ) -> None:
        self.name = name
        self._for_scheduler: dict[str, Any] = {"interval": interval, "per_minute": per_minute}
        self._per_minute = per_minute
        self._task_dirs = task_dirs
        self._shared = Shared(data_dir, [runtime_dir], name)
        self._commands = Commands(execute, self._shared)
        self._handles = handles
        self.jobs = Jobs(self._commands, interval)
        self._verdicts = Verdicts(task_dirs, self.jobs, handles)
        self._steps: Steps | None = None

    def close(self) -> None:
        """See Provisioner.close."""
        if self._steps is not None:
            self._steps.close()

    @abstractmethod
    def _prepare(self, task: Task, spec: dict[str, Any], env: Mapping[str, str], handle: Handle) -> str:
        """Write the files that the job reads to where its node can read them, and return its script. `env` is the
        environment of the command, without variables of another job. Raises SpawnFailed, InternalError,
        PlaceUnreachable.
        """

    @abstractmethod
    def _user(self) -> str:
        """Return the user who submits the jobs. Raises PlaceUnreachable."""

    @abstractmethod
    def _step(self, task: Task) -> list[str]:
        """Return the command that runs the far end of a relay on the node of a task. Raises HostUnreachable."""

    @abstractmethod
    async def _start_relay(self, argv: list[str]) -> Relay:
        """Run that command, and return the relay. Raises HostUnreachable."""

    def to_json(self) -> dict[str, Any]:
        """See Provisioner.to_json."""
        reachable = False if self.jobs.problem else True if self.jobs.answer.asked >= 0 else None
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
            raise PlaceUnreachable(f"Slurm does not respond: {slurm.fault(said)[0]}")
        # Without accounting, there is no sacctmgr, or it fails.
        asked = ["sacctmgr", "--noheader", "--parsable2", "show", "associations", f"user={self._user()}"]
        code, told, _ = self._commands.run([*asked, "format=Account,QOS"])
        return {"partitions": slurm.partitions(out), **slurm.associations(told if code == 0 else "")}

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
        spec = self._task_dirs.specs.read(task.id)
        clean = {name: value for name, value in env.items() if not _OF_JOB.fullmatch(name) or name == "SLURM_CONF"}
        ladder = sum(float(grace) for name, grace in spec["ladder"] if name != "SIGKILL")
        limit = None if task.timeout is None else task.timeout + ladder + _SLACK
        hold = spec.get("hold") is True and task.attempt == 1
        after = self._jobs_before(task)
        handle = self._handles.new(task, self.name)
        said = slurm.comment(task.id, task.attempt, handle["nonce"])
        options = slurm.sbatch(task.name, said, task.resources, limit, hold=hold, after=after)
        handle["limit"] = task.resources.get("time")
        grace = self.jobs.kill_wait()
        if grace is not None:
            handle["grace"] = max(grace - _KILL_SLACK, 1.0)
        self._handles.write(task, handle)
        try:
            job = self.jobs.submit(options, self._prepare(task, spec, clean, handle))
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
        """Return the jobs that must end before the task's. Raises PlaceUnreachable if Slurm does not know one of them:
        it would treat the dependency as satisfied.
        """
        found = []
        for dependency in task.turn.after:
            job = str((self._handles.last(dependency.id) or {}).get("job"))
            if job not in self.jobs.rows and not slurm.is_live((self.jobs.forgotten(job) or ("",))[0]):
                raise PlaceUnreachable(f"Slurm does not know the job {job}, which the task depends on")
            found.append((job, dependency.when))
        return found

    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """See Provisioner.poll."""
        return self._verdicts.poll(tasks)

    # -- changing jobs ------------------------------------------------------------------------------------------------

    def cancel(self, task: Task) -> bool:
        """See Provisioner.cancel."""
        if not self._handles.give_up(task, CANCELED):
            return False
        handle = self._handles.of(task)
        if handle is not None and "job" in handle:
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
        self._verdicts.forget(active)
        self.jobs.forget({row.job for row in self.jobs.rows.values() if row.task in active})

    async def _reach(self, task: Task) -> Relay:
        """Return the relay to the node of a task. Raises HostUnreachable."""
        if self._steps is None:
            from .steps import Steps  # noqa: PLC0415  the scheduler does not need it

            self._steps = Steps(self._step, self._start_relay)
        return await self._steps.reach(task)

    def _running(self, task: Task) -> tuple[Handle, dict[str, Any]]:
        """Return the handle of a running task, and its host record. If the record is not visible here yet, return
        Slurm's information instead. Raises HostUnreachable.
        """
        handle, host = self._handles.of(task), self._task_dirs.host(task)
        row = self.jobs.rows.get(handle.get("job", "")) if handle is not None else None
        if host is None and row is not None and row.stage is slurm.Stage.RUNS:
            host = {"node": row.node}
        if handle is None or "job" not in handle or host is None:
            raise HostUnreachable("the job does not run yet")
        return handle, host


class SlurmProvisioner(Batch):
    """The place `slurm`, whose nodes share the task directories with this machine. `env` is the environment of Slurm's
    commands (commands.environment), `shared_files` one of core.mounts.WORDS.
    """

    shares_files = True

    def __init__(
        self,
        task_dirs: TaskDirs,
        data_dir: str,
        runtime_dir: str,
        *,
        interval: float,
        per_minute: int,
        env: Mapping[str, str],
        shared_files: str = mounts.AUTO,
    ) -> None:
        execute = on_this_machine(env)
        super().__init__(
            "slurm", execute, Handles(task_dirs), task_dirs, data_dir, runtime_dir,
            interval=interval, per_minute=per_minute,
        )  # fmt: skip
        self._env = dict(env)
        self._for_scheduler |= {"env": self._env, "shared_files": shared_files}
        self._shared_files = shared_files
        self._data_dir, self._runtime_dir = data_dir, runtime_dir
        self._programs = Programs(data_dir, task_dirs)
        self._mirrors: Mirrors | None = None

    def close(self) -> None:
        """See Provisioner.close."""
        super().close()
        if self._mirrors is not None:
            self._mirrors.close()

    def output(self) -> str:
        """See Provisioner.output."""
        return "mirror" if self._is_cached() else "files"

    def _is_cached(self) -> bool:
        return mounts.decide(self._shared_files, self._task_dirs.root)

    def _user(self) -> str:
        return getpass.getuser()

    def _prepare(self, task: Task, spec: dict[str, Any], env: Mapping[str, str], handle: Handle) -> str:  # noqa: ARG002
        # Name the program first, so that it is not deleted before the job has read it (Programs).
        handle["program"] = self._programs.name
        handle["cached"] = self._is_cached()
        self._handles.write(task, handle)
        self._task_dirs.specs.write_environment(task.id, attempt_env.environment(task, env))
        return script(sys.executable, self._programs.path(), self._task_dirs.files(task.id).dir, handle)

    def clean_up(self, active: Collection[str]) -> None:
        """See Provisioner.clean_up."""
        super().clean_up(active)
        self._programs.remove_unused()

    async def connect(self, task: Task, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """See Provisioner.connect."""
        relay = await self._reach(task)
        if self._mirrors is None:
            from .mirrors import Mirrors  # noqa: PLC0415  the same

            self._mirrors = Mirrors(self._task_dirs, self._runtime_dir, self._is_cached)
        relay.connect(task.id, protocol, await self._mirrors.follow(relay, task))

    def _step(self, task: Task) -> list[str]:
        from .steps import step  # noqa: PLC0415  the same

        return step(*self._running(task), sys.executable, self._programs.path(), "relay", self._data_dir)

    async def _start_relay(self, argv: list[str]) -> Relay:
        from .remote import Relay  # noqa: PLC0415  the same

        return await Relay.start(argv, env=self._env)


def script(python: str, program: str, directory: str, handle: Handle) -> str:
    """Return the script of a job that becomes the ptyhost of the task in `directory`. It runs the program with this
    interpreter, or with `python3` if the node does not have it.
    """
    return _SCRIPT.format(
        python=shlex.quote(python),
        program=shlex.quote(program),
        directory=shlex.quote(directory),
        nonce=handle["nonce"],
    )
