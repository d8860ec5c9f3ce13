"""Tasks as jobs of Slurm: a job is a ptyhost, in the task's own directory, which its node shares with this machine.

What is said of a job is written before it is submitted (`handle.json`), so that it is found again by its comment and is
never submitted twice. What its end means is decided by Slurm and by the exit record together: a node that fails, a
requeue and a time limit all look the same to the ptyhost, which is told to end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shlex
import sys
import time

from ..core import attempt_env, resources, slurm
from ..core.errors import HostUnreachable, InternalError, PlaceUnreachable, PtyTasksError, StartUnknown, storage_fault
from ..core.files import read_json, write_bytes, write_json
from ..core.hostlog import last_line
from ..core.platform import files as system
from ..core.slurm import Stage
from ..core.states import STARTED, State
from .base import Launched, Provisioner, Submitted
from .jobs import Jobs, environment, run
from .program import program
from .remote import Relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from ..core.model import Task
    from ..core.slurm import Row
    from ..storage.locks import Lock
    from ..storage.task_dirs import TaskDirs

    _Said = dict[str, Any]

#: What of our environment is another job's, if the server runs in one.
_OF_JOB = re.compile(r"(SLURM|SLURMD|SBATCH|SRUN|SALLOC|SQUEUE|PMI)_.*")
#: Seconds until the end of a job counts whose ptyhost has left no record: it may be on its way here.
_RECORD = 3.0
#: Seconds until a job counts as not submitted that nobody finds, after the start of an sbatch of a server that died.
_UNKNOWN = 75.0
#: Seconds for which it is waited that Slurm says how a job has ended whose ptyhost was told to end.
_VERDICT = 300.0
#: Seconds that a time limit of Slurm is longer than ours, besides the stop sequence.
_SLACK = 60.0
#: Seconds that are left of KillWait.
_KILL_SLACK = 2.0
#: Seconds for which a connection is kept of which nothing uses is made.
_KEEP = 60.0
_SCRIPT = """\
#!/bin/sh
unset SLURM_EXPORT_ENV
umask 077
for python in {python} python3; do
  if command -v "$python" > /dev/null; then exec "$python" -I -S -X utf8 {program} job {directory} {nonce}; fi
done
exit 127
"""
#: Runs the far end of a relay, in a step of the job: the interpreter here and the program follow.
_RELAY = (
    'for python in "$0" python3; do '
    'if command -v "$python" > /dev/null; then exec "$python" -I -S -X utf8 "$1" relay; fi; done; exit 127'
)


class SlurmProvisioner(Provisioner):
    """The place `slurm`: the cluster that `sbatch` submits to. `data_dir` is where the tasks' directories are, and
    `interval` the seconds between two calls of squeue at least.
    """

    name = "slurm"
    queues = True
    shares_files = True
    takes = resources.FIELDS

    def __init__(self, task_dirs: TaskDirs, data_dir: str, interval: float) -> None:
        self._task_dirs = task_dirs
        self._programs = os.path.join(data_dir, "bin")
        self.jobs = Jobs(interval)
        self._relays: dict[str, asyncio.Task[Relay]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        #: When a job was first seen to be over that has left no record, by its id.
        self._over: dict[str, float] = {}
        #: When something was first seen of an attempt.
        self._seen: dict[tuple[str, int, str], float] = {}
        #: The call of squeue after which it was looked for jobs that are to be canceled.
        self._swept = 0

    def close(self) -> None:
        """See Provisioner.close."""
        for job in self._closing:
            job.cancel()
        for starting in self._relays.values():
            starting.cancel()
            relay = _result(starting)
            if relay is not None:
                relay.close()

    def to_json(self) -> dict[str, Any]:
        """See Provisioner.to_json."""
        reachable = False if self.jobs.problem else True if self.jobs.asked >= 0 else None
        return {"name": self.name, "kind": "slurm", "reachable": reachable, "problem": self.jobs.problem or None}

    def options(self) -> dict[str, Any]:
        """See Provisioner.options."""
        code, out, said = run(["sinfo", "--noheader", "--format=%R|%a|%l|%D|%c|%m|%G|%P"])
        if code != 0:
            raise PlaceUnreachable(f"Slurm does not answer: {slurm.fault(said)[0]}")
        return {"partitions": slurm.partitions(out)}

    # -- starting -----------------------------------------------------------------------------------------------------

    def launch(self, task: Task, lock: Lock, env: Mapping[str, str]) -> Launched | Submitted:  # noqa: ARG002  held
        """See Provisioner.launch."""
        files = self._task_dirs.files(task.id)
        spec = self._task_dirs.specs.read(task.id)
        nonce = secrets.token_hex(8)
        clean = {name: value for name, value in env.items() if not _OF_JOB.fullmatch(name) or name == "SLURM_CONF"}
        ladder = sum(float(grace) for name, grace in spec["ladder"] if name != "SIGKILL")
        limit = None if task.timeout is None else task.timeout + ladder + _SLACK
        said = slurm.comment(task.id, task.attempt, nonce)
        hold = spec.get("hold") is True and task.attempt == 1
        options = slurm.sbatch(task.name, said, task.resources, limit, hold=hold)
        handle: _Said = {"place": self.name, "attempt": task.attempt, "nonce": nonce, "submitted": time.time()}
        handle["limit"] = task.resources.get("time")
        grace = self.jobs.kill_wait()
        if grace is not None:
            handle["grace"] = max(grace - _KILL_SLACK, 1.0)
        script = _SCRIPT.format(
            python=shlex.quote(sys.executable),
            program=shlex.quote(self._program()),
            directory=shlex.quote(files.dir),
            nonce=nonce,
        )
        self._task_dirs.specs.write_environment(task.id, attempt_env.environment(task, clean))
        self._write(task, handle)
        try:
            job = self.jobs.submit(options, script)
        except StartUnknown:
            raise
        except PtyTasksError:
            self._write(task, {**handle, "given_up": True})
            raise
        with contextlib.suppress(InternalError):  # it is found by its comment
            self._write(task, {**handle, "job": job})
        state = State.HELD if hold else State.QUEUED
        about = {"id": job, "state": "PENDING", "reason": None, "node": None, "starts": None, "ends": None}
        _, reason, words = slurm.HELD if hold else (None, "submitted", "just submitted")
        return Submitted({"state": state, "state_reason": reason, "state_message": words, "job": about})

    def _program(self) -> str:
        """Return the path of the program that jobs run; write it if it is not there. Raises InternalError."""
        found = program()
        path = os.path.join(self._programs, found.name)
        try:
            with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
                if file.read() == found.data:
                    return path
            system.private_dir(self._programs)
            write_bytes(path, found.data, durable=True)
        except OSError as error:
            raise storage_fault(error, "the program for jobs cannot be written") from error
        return path

    def _write(self, task: Task, handle: _Said) -> None:
        try:
            write_json(self._task_dirs.files(task.id).handle, handle, durable=True)
        except OSError as error:
            raise storage_fault(error, "the task's directory") from error

    # -- what becomes of it -------------------------------------------------------------------------------------------

    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """See Provisioner.poll."""
        asked = list(tasks)
        if asked:
            self.jobs.refresh()
            self._cancel_strays()
        found = {}
        for task in asked:
            try:
                news = self._find_news(task)
            except PlaceUnreachable:
                continue
            if news is not None:
                found[task.id] = news
        return found

    def _cancel_strays(self) -> None:
        """Cancel the jobs that were given up when Slurm did not answer: they run nothing, but they wait."""
        if self._swept == self.jobs.calls:
            return
        self._swept = self.jobs.calls
        for row in list(self.jobs.rows.values()):
            if row.stage in (Stage.WAITS, Stage.HELD):
                handle = read_json(self._task_dirs.files(row.task).handle)
                if handle is not None and handle.get("given_up") and handle.get("nonce") == row.nonce:
                    with contextlib.suppress(PlaceUnreachable):
                        self.jobs.cancel(row.job)

    def _handle(self, task: Task) -> _Said | None:
        """Return what is said of the job that the present attempt of a task is a run of; None if there is none."""
        handle = read_json(self._task_dirs.files(task.id).handle)
        if handle is None or not isinstance(handle.get("attempt"), int):
            return None
        return handle if handle["attempt"] <= task.attempt <= handle.get("latest", handle["attempt"]) else None

    def _find_news(self, task: Task) -> dict[str, Any] | None:
        handle = self._handle(task)
        if handle is None or handle.get("given_up"):
            hosted = self._task_dirs.is_hosted(task)
            return None if hosted else self._not_started("the server died while submitting the job; nothing was run")
        if "job" not in handle:
            return self._search(task, handle)
        row = self.jobs.rows.get(handle["job"])
        latest = self._latest(task)
        if latest > task.attempt:
            self._write(task, {**handle, "latest": latest})
            return {"attempt": latest, "state": State.STARTING, "job": row.to_json() if row is not None else {}}
        ending = self._task_dirs.read_exit(task)
        if ending is not None:
            return self._judge(task, handle, row, ending)
        if row is None:
            return self._look_for_forgotten(task, handle)
        if row.stage is Stage.OVER:
            return self._ended_with(task, row)
        self._over.pop(row.job, None)
        return self._go_on(task, handle, row)

    def _search(self, task: Task, handle: _Said) -> dict[str, Any] | None:
        """Find the job whose id could not be written down."""
        if self._task_dirs.is_hosted(task) and self._task_dirs.host(task) is None:
            return None  # it is just being submitted
        row = self.jobs.find(handle["nonce"])
        if row is not None:
            self._write(task, {**handle, "job": row.job})
            return self._find_news(task)
        if time.time() - handle["submitted"] < _UNKNOWN or time.monotonic() - self.jobs.asked > _UNKNOWN / 2:
            self.jobs.hurry()
            return None
        # Whatever sbatch may still do: the job would find this.
        lock = self._task_dirs.lock(task.id)
        if lock is None:
            return None
        with lock:
            self._write(task, {**handle, "given_up": True})
        return self._not_started("the server died while submitting the job, and Slurm does not know it")

    def _latest(self, task: Task) -> int:
        host = read_json(self._task_dirs.files(task.id).host)
        attempt = host.get("attempt") if host is not None else 0
        return attempt if isinstance(attempt, int) else 0

    def _not_started(self, message: str) -> dict[str, Any]:
        return {
            "state": State.FAILED,
            "state_reason": "start_interrupted",
            "state_message": message,
            "ended": time.time(),
        }

    def _is_newer(self, task: Task, what: str) -> bool:
        """Return whether squeue was asked after `what` was there of an attempt; ask it soon if not."""
        seen = self._seen.setdefault((task.id, task.attempt, what), time.monotonic())
        if self.jobs.asked <= seen:
            self.jobs.hurry()
        return self.jobs.asked > seen

    def _go_on(self, task: Task, handle: _Said, row: Row) -> dict[str, Any] | None:
        """Return how far a job is that has not ended."""
        host = self._task_dirs.host(task)
        about = {"job": row.to_json()}
        waits = row.stage in (Stage.WAITS, Stage.HELD)
        if waits and (host is None or self._is_newer(task, "host")):
            state, reason, words = slurm.waiting(row)
            news = {**about, "state": state, "state_reason": reason, "state_message": words}
            if host is None:
                return news if task.state not in STARTED else None
            return self._runs_again(task, handle, news)
        if host is None:
            if task.state in STARTED or row.stage is Stage.LEAVES:
                return None
            words = f"the job has started on {row.node}" if row.node else "the job has started"
            return {**about, "state": State.STARTING, "state_reason": "job_started", "state_message": words}
        if row.stage is Stage.SUSPENDED:
            return {**about, "state": State.PAUSED, "state_reason": "suspended", "state_message": "suspended by Slurm"}
        was_suspended = task.state is State.PAUSED and task.state_reason == "suspended"
        if task.state in STARTED and not was_suspended:
            return None if waits else {**about, "state": task.state}
        facts = {name: host[name] for name in ("pid", "host_pid", "started")}
        about = {"job": {**about["job"], "node": host.get("node") or None}} if waits else about
        return {**about, "state": State.RUNNING, "state_reason": "", "state_message": "", **facts}

    def _runs_again(self, task: Task, handle: _Said, news: dict[str, Any]) -> dict[str, Any]:
        """Return that a job that was run is to be run again: the next attempt of the same task."""
        self._write(task, {**handle, "latest": task.attempt + 1})
        return {**news, "attempt": task.attempt + 1}

    def _judge(self, task: Task, handle: _Said, row: Row | None, ending: dict[str, Any]) -> dict[str, Any] | None:
        """Return how a task has ended whose ptyhost has left a record; None as long as Slurm has to say more."""
        record = read_json(self._task_dirs.files(task.id).exit) or {}
        job = {"job": row.to_json()} if row is not None and row.stage is Stage.OVER else {}
        # A signal may have come from Slurm, and been quicker than the one for the ptyhost.
        is_doubtful = record.get("was_told") or (ending["exit"].signal is not None and record["reason"] == "exited")
        if not is_doubtful:
            self.jobs.hurry()
            return {**ending, **job}
        if row is not None and row.stage is Stage.OVER:
            by_us = record.get("reason") not in ("exited", "host_terminated")
            if by_us or not slurm.decides(row.state):
                return {**ending, **job}
            state, reason, words = slurm.ending(row.state, row.reason)
            return {**ending, **job, "state": state, "state_reason": reason, "state_message": words}
        is_newer = self._is_newer(task, "exit")
        if is_newer and row is not None and row.stage in (Stage.WAITS, Stage.HELD):
            state, reason, words = slurm.waiting(row)
            news = {"job": row.to_json(), "state": state, "state_reason": reason, "state_message": words}
            return self._runs_again(task, handle, news)
        if time.time() - (ending["ended"] or 0.0) > _VERDICT:
            return {**ending, **job}
        self.jobs.hurry()
        return None

    def _ended_with(self, task: Task, row: Row) -> dict[str, Any] | None:
        """Return how a task has ended whose job is over, and whose ptyhost has left no record."""
        now = time.monotonic()
        if now - self._over.setdefault(row.job, now) < _RECORD:
            return None
        self._over.pop(row.job, None)
        return {**self._end(task, row.state, row.reason), "job": row.to_json()}

    def _end(self, task: Task, state: str, reason: str | None) -> dict[str, Any]:
        files = self._task_dirs.files(task.id)
        ours, short, words = slurm.ending(state, reason)
        if self._task_dirs.host(task) is None and ours in (State.FAILED, State.LOST):
            error = (read_json(files.start) or {}).get("error")
            why = str(error.get("message")) if isinstance(error, dict) else last_line(files.log)
            short = "spawn_error" if isinstance(error, dict) else "job_failed"
            ours, words = State.FAILED, why or f"the job has ended before the task began (Slurm: {state}, {reason})"
        output = self._task_dirs.output(task.id)
        return {
            "state": ours, "state_reason": short, "state_message": words, "ended": time.time(), "output": output,
        }  # fmt: skip

    def _look_for_forgotten(self, task: Task, handle: _Said) -> dict[str, Any] | None:
        """Return how a task has ended whose job squeue does not know; None if that is not sure."""
        if self.jobs.problem or self.jobs.asked < 0 or time.time() - handle["submitted"] < _RECORD:
            return None
        found = self.jobs.forgotten(handle["job"])
        if found is not None and (found[0] == "UNKNOWN" or slurm.is_live(found[0])):
            return None
        now = time.monotonic()
        if now - self._over.setdefault(handle["job"], now) < _RECORD:
            return None
        if found is not None:
            return self._end(task, *found)
        said = {"state_reason": "job_forgotten", "state_message": "Slurm does not know the job any more"}
        output = self._task_dirs.output(task.id)
        return {"state": State.LOST, **said, "ended": time.time(), "output": output}

    # -- changing it --------------------------------------------------------------------------------------------------

    def cancel(self, task: Task) -> bool:
        """See Provisioner.cancel."""
        lock = self._task_dirs.lock(task.id)
        if lock is None:
            return False
        with lock:
            handle = self._handle(task)
            if handle is None:
                return True
            if self._task_dirs.host(task) is not None:
                return False
            # Whether Slurm answers or not: the job would find this.
            self._write(task, {**handle, "given_up": True})
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
        handle = self._handle(task)
        if handle is None or "job" not in handle:
            raise PlaceUnreachable("the job is not known yet; try again")
        return str(handle["job"])

    def clean_up(self, active: Collection[str]) -> None:
        """See Provisioner.clean_up."""
        self._seen = {key: seen for key, seen in self._seen.items() if key[0] in active}
        self.jobs.forget({row.job for row in self.jobs.rows.values() if row.task in active})

    # -- reaching it --------------------------------------------------------------------------------------------------

    async def connect(self, task: Task, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """See Provisioner.connect."""
        relay = await self._reach(task)
        relay.connect(task.id, protocol, None)

    async def _reach(self, task: Task) -> Relay:
        """Return the relay to the node of a task; start it if it is not there. Raises HostUnreachable."""
        starting = self._relays.get(task.id)
        relay = _result(starting) if starting is not None else None
        if relay is not None and relay.is_up:
            relay.touch()
            return relay
        if starting is None or starting.done():
            starting = self._relays[task.id] = asyncio.create_task(self._start_relay(task))
        # Who waits may give up; the connection is for all.
        return await asyncio.shield(starting)

    async def _start_relay(self, task: Task) -> Relay:
        handle, host, path = await asyncio.to_thread(self._where, task)
        if handle is None or "job" not in handle or host is None:
            raise HostUnreachable("the job does not run yet")
        argv = [
            "srun", "--quiet", f"--jobid={handle['job']}", "--overlap", "--mem=0", "--nodes=1", "--ntasks=1",
            *([f"--nodelist={host['node']}"] if host.get("node") else []), "--unbuffered", "--mpi=none",
            "--export=NONE", "--chdir=/", "/bin/sh", "-c", _RELAY, sys.executable, path,
        ]  # fmt: skip
        relay = await Relay.start(argv, env=environment())
        closing = asyncio.create_task(relay.close_when_useless(_KEEP))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        return relay

    def _where(self, task: Task) -> tuple[_Said | None, _Said | None, str]:
        return self._handle(task), self._task_dirs.host(task), self._program()


def _result(starting: asyncio.Task[Relay]) -> Relay | None:
    """Return a relay whose start has succeeded."""
    return starting.result() if starting.done() and not starting.cancelled() and starting.exception() is None else None
