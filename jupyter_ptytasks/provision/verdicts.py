"""How tasks ended whose ptyhosts are Slurm jobs: decided from Slurm's state and the exit record together.

A node failure, a requeue and a time limit all look the same to the ptyhost, which gets a SIGTERM. An unresponsive
controller never ends a task.
"""

from __future__ import annotations

import contextlib
import time

from ..core import model, slurm
from ..core.errors import PlaceUnreachable
from ..core.files import read_json
from ..core.slurm import Stage
from ..core.states import STARTED, State
from .handles import CANCELED, lateness
from .looks import Looks
from .report import why_not_started

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from ..core.model import Task
    from ..core.slurm import Row
    from ..storage.task_dirs import TaskDirs
    from .handles import Handle, Handles
    from .jobs import Answer, Jobs

#: Seconds after which a job that cannot be found counts as not submitted: the server died while running sbatch.
_UNKNOWN = 75.0
#: Seconds to wait for Slurm's state of an ended job whose ptyhost was terminated by a signal.
_VERDICT = 300.0


class Verdicts:
    """Judges tasks by the rows of `jobs` and by their directories."""

    def __init__(self, task_dirs: TaskDirs, jobs: Jobs, handles: Handles) -> None:
        self._task_dirs = task_dirs
        self._jobs = jobs
        self._handles = handles
        self._looks = Looks(task_dirs, self._running, self._find_news)
        #: The number of the squeue answer after which abandoned jobs were last canceled.
        self._swept = 0

    def forget(self, active: Collection[str]) -> None:
        """Drop results about tasks other than these."""
        self._looks.forget(active)

    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """See Provisioner.poll."""
        asked = list(tasks)
        if asked:
            self._jobs.refresh()
            self._cancel_strays()
        return self._looks.look(asked)

    def _running(self, task: Task) -> Row | None:
        row = self._jobs.rows.get(task.job.get("id", ""))
        return row if task.state in STARTED and row is not None and row.stage is Stage.RUNS else None

    def _cancel_strays(self) -> None:
        """Cancel pending jobs that were abandoned while Slurm did not respond: they would run nothing."""
        if self._swept == self._jobs.answers:
            return
        self._swept = self._jobs.answers
        for row in list(self._jobs.rows.values()):
            if row.stage in (Stage.WAITS, Stage.HELD):
                handle = self._handles.last(row.task)
                if handle is not None and handle.get("given_up") and handle.get("nonce") == row.nonce:
                    with contextlib.suppress(PlaceUnreachable):
                        self._jobs.cancel(row.job)

    def _find_news(self, task: Task) -> dict[str, Any] | None:
        handle = self._handles.of(task)
        if handle is None or handle.get("given_up"):
            if self._task_dirs.is_hosted(task):
                return None
            if handle is not None and handle["given_up"] == CANCELED:
                return self._not_started("canceled before it started", State.CANCELLED, "cancelled")
            if self._task_dirs.specs.keeps_environment(task.id):
                return {"state": State.QUEUED}  # it still waits for its turn
            return self._not_started("the server died while submitting the job; nothing was run")
        # Another thread may receive a newer one at any time, but the row and its time must be of the same one.
        answer = self._jobs.answer
        if "job" not in handle:
            return self._search(task, handle, answer)
        row = answer.rows.get(handle["job"])
        latest = self._latest(task)
        if latest > task.attempt:
            self._handles.write(task, {**handle, "latest": latest})
            return {"attempt": latest, "state": State.STARTING, "job": row.to_json() if row is not None else {}}
        ending = self._task_dirs.read_exit(task)
        if ending is not None:
            return self._judge(task, handle, answer, ending)
        if row is None:
            return self._look_for_forgotten(task, handle)
        if row.stage is Stage.OVER:
            return self._ended_with(task, handle, row)
        self._looks.unsee(task, "over")
        return self._go_on(task, handle, row, answer.asked)

    def _search(self, task: Task, handle: Handle, answer: Answer) -> dict[str, Any] | None:
        """Find a job whose id could not be stored."""
        if self._task_dirs.is_hosted(task) and self._task_dirs.host(task) is None:
            return None  # it is just being submitted
        row = answer.find(handle["nonce"])
        if row is not None:
            self._handles.write(task, {**handle, "job": row.job})
            return self._find_news(task)
        if time.time() - handle["submitted"] < _UNKNOWN or time.monotonic() - answer.asked > _UNKNOWN / 2:
            self._jobs.hurry()
            return None
        # If sbatch still submits the job, the job finds this mark.
        if not self._handles.give_up(task, True):
            return self._task_dirs.read_exit(task)  # it has run after all
        return self._not_started("the server died while submitting the job, and Slurm does not know it")

    def _latest(self, task: Task) -> int:
        host = read_json(self._task_dirs.files(task.id).host)
        attempt = host.get("attempt") if host is not None else 0
        return attempt if isinstance(attempt, int) else 0

    def _not_started(
        self, message: str, state: State = State.FAILED, reason: str = "start_interrupted"
    ) -> dict[str, Any]:
        return {"state": state, "state_reason": reason, "state_message": message, "ended": time.time()}

    def _is_newer(self, asked: float, task: Task, what: str) -> bool:
        """Return whether squeue was `asked` after `what` was first seen for an attempt; if not, call it soon."""
        seen = self._looks.since(task, what)
        if asked <= seen:
            self._jobs.hurry()
        return asked > seen

    def _go_on(self, task: Task, handle: Handle, row: Row, asked: float) -> dict[str, Any] | None:
        """Return the changes of a task whose job has not ended, according to squeue when it was `asked`."""
        host = self._task_dirs.host(task)
        about = {"job": row.to_json()}
        waits = row.stage in (Stage.WAITS, Stage.HELD)
        if waits and (host is None or self._is_newer(asked, task, "host")):
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

    def _runs_again(self, task: Task, handle: Handle, news: dict[str, Any]) -> dict[str, Any]:
        """Return the changes for a job that was requeued: it is the next attempt of the same task."""
        self._handles.write(task, {**handle, "latest": task.attempt + 1})
        return {**news, "attempt": task.attempt + 1}

    def _judge(self, task: Task, handle: Handle, answer: Answer, ending: dict[str, Any]) -> dict[str, Any] | None:
        """Return how a task with an exit record ended; None while Slurm may still report more."""
        row = answer.rows.get(handle["job"])
        record = self._task_dirs.exit_record(task) or {}
        job = {} if task.job else {"job": model.job(handle["job"])}
        if row is not None and (row.stage is Stage.OVER or not task.job):
            job = {"job": row.to_json()}
        # Slurm may have signaled the command before the ptyhost.
        is_doubtful = record.get("was_told") or (ending["exit"].signal is not None and record["reason"] == "exited")
        if not is_doubtful:
            self._jobs.hurry()
            return {**ending, **job}
        is_newer = self._is_newer(answer.asked, task, "exit")
        if is_newer and row is not None and row.stage in (Stage.WAITS, Stage.HELD):
            state, reason, words = slurm.waiting(row)
            news = {"job": row.to_json(), "state": state, "state_reason": reason, "state_message": words}
            return self._runs_again(task, handle, news)
        known = self._known_end(handle, row) if row is not None or is_newer else None
        # Not by the time in the record, which is from the node's clock.
        if known is None and time.monotonic() - self._looks.since(task, "exit") < _VERDICT:
            self._jobs.hurry()
            return None
        by_us = record.get("reason") not in ("exited", "host_terminated")
        if known is None or by_us or not slurm.decides(known[0]):
            return {**ending, **job}
        state, reason, words = slurm.ending(*known)
        return {**ending, **job, "state": state, "state_reason": reason, "state_message": words}

    def _known_end(self, handle: Handle, row: Row | None) -> tuple[str, str | None] | None:
        """Return the final state of a job, and the reason; None if it has not ended according to Slurm. The state is
        empty if Slurm no longer knows the job. Raises PlaceUnreachable.
        """
        if row is not None:
            return (row.state, row.reason) if row.stage is Stage.OVER else None
        found = self._jobs.forgotten(handle["job"])
        if found is None:
            return "", None
        return None if found[0] == "UNKNOWN" or slurm.is_live(found[0]) else found

    def _is_over(self, task: Task, handle: Handle) -> bool:
        """Return whether the exit record of an ended job would be visible here by now."""
        return time.monotonic() - self._looks.since(task, "over") >= lateness(handle)

    def _ended_with(self, task: Task, handle: Handle, row: Row) -> dict[str, Any] | None:
        """Return how a task ended whose job is over and left no exit record."""
        if not self._is_over(task, handle):
            return None
        return {**self._end(task, row.state, row.reason), "job": row.to_json()}

    def _end(self, task: Task, state: str, reason: str | None) -> dict[str, Any]:
        files = self._task_dirs.files(task.id)
        ours, short, words = slurm.ending(state, reason)
        if self._task_dirs.host(task) is None and ours in (State.FAILED, State.LOST):
            otherwise = f"the job has ended before the task began (Slurm: {state}, {reason})"
            ours, (short, words) = State.FAILED, why_not_started(files, otherwise)
        output = self._task_dirs.output(task.id)
        return {
            "state": ours, "state_reason": short, "state_message": words, "ended": time.time(), "output": output,
        }  # fmt: skip

    def _look_for_forgotten(self, task: Task, handle: Handle) -> dict[str, Any] | None:
        """Return how a task ended whose job squeue does not list; None if that is not certain."""
        if self._jobs.problem or self._jobs.answer.asked < 0 or time.time() - handle["submitted"] < lateness(handle):
            return None
        found = self._known_end(handle, None)
        if found is None or not self._is_over(task, handle):
            return None
        if found[0]:
            return self._end(task, *found)
        said = {"state_reason": "job_forgotten", "state_message": "Slurm no longer knows the job"}
        output = self._task_dirs.output(task.id)
        return {"state": State.LOST, **said, "ended": time.time(), "output": output}
