"""How tasks ended whose jobs were submitted through Parsl: decided from Parsl's state and the exit record together.

Parsl has few states: a job that was canceled from outside may be COMPLETED, and so may one that is no longer known. So
the record takes precedence. An unknown state never ends a task.
"""

from __future__ import annotations

import time

from ..core import model
from ..core.files import read_json
from ..core.states import STARTED, State
from ..storage.records import changes_from_exit
from .handles import CANCELED, lateness
from .looks import Looks
from .report import why_not_started

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

    from ..core.model import Task
    from ..storage.task_dirs import TaskDirs
    from .handles import Handle, Handles
    from .states import States

#: Seconds after which a job without a known id counts as not submitted: the server died while submitting it.
_UNKNOWN = 180.0
#: Seconds to wait for Parsl's state of an ended job whose ptyhost was terminated by a signal.
_VERDICT = 60.0
_WAITS = {"HELD": "held by the batch system", "RUNNING": "the job has started"}
_ENDS = {
    "CANCELLED": (State.CANCELLED, "cancelled_outside", "the job was canceled from outside"),
    "TIMEOUT": (State.TIMED_OUT, "job_limit", "the time limit of the job was reached"),
    "FAILED": (State.FAILED, "killed_outside", "killed from outside; it may have needed more memory than it has"),
    "COMPLETED": (State.LOST, "no_record", "the job has ended for an unknown reason; it may have been killed"),
    "SCALED_IN": (State.CANCELLED, "cancelled_outside", "the job was canceled from outside"),
    "MISSING": (State.LOST, "job_forgotten", "the job is no longer known"),
}


class Outcomes:
    """Judges tasks by the `states` of their jobs and by their directories."""

    def __init__(self, task_dirs: TaskDirs, states: States, handles: Handles) -> None:
        self._task_dirs = task_dirs
        self._states = states
        self._handles = handles
        self._looks = Looks(task_dirs, self._running, self._find_news)

    def forget(self, active: Collection[str]) -> None:
        """Drop results about tasks other than these."""
        self._looks.forget(active)

    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """See Provisioner.poll."""
        asked = list(tasks)
        if asked:
            self._states.refresh(lambda: self._jobs(asked))
        return self._looks.look(asked)

    def _jobs(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        handles = [self._handles.of(task) for task in tasks]
        return {handle["job"]: handle.get("kept", {}) for handle in handles if handle is not None and "job" in handle}

    def _running(self, task: Task) -> str | None:
        state = self._states.of(task.job.get("id", ""))
        return state if task.state in STARTED and state == "RUNNING" else None

    def _find_news(self, task: Task) -> dict[str, Any] | None:
        handle = self._handles.of(task)
        if handle is None or handle.get("given_up"):
            if self._task_dirs.is_hosted(task):
                return None
            if handle is not None and handle["given_up"] == CANCELED:
                return _end(State.CANCELLED, "cancelled", "canceled before it started")
            return _end(State.FAILED, "start_interrupted", "the server died while submitting the job; nothing was run")
        ending = self._task_dirs.read_exit(task)
        if ending is not None:
            return self._judge(task, handle, ending)
        host = self._task_dirs.host(task)
        state = self._states.of(handle.get("job", ""))
        if state in _ENDS:
            return self._ended_with(task, handle, state)
        if host is not None:
            return self._runs(task, handle, host)
        if "job" not in handle:
            return self._give_up(task, handle)
        ours = State.STARTING if state == "RUNNING" else State.QUEUED
        words = f"{_WAITS.get(state, 'waits')} (Parsl: {state})"
        reason = "job_started" if ours is State.STARTING else "submitted" if state == "UNKNOWN" else state.lower()
        known = model.job(handle["job"], state)
        return {"state": ours, "state_reason": reason, "state_message": words, "job": known}

    def _runs(self, task: Task, handle: Handle, host: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the changes of a task whose ptyhost has written its host record."""
        node = str(host.get("node") or host.get("hostname"))
        about = {"job": {**model.job(str(handle.get("job", "")), "RUNNING"), "node": node}}
        if task.state in STARTED:
            return {**about, "state": task.state}
        facts = {name: host[name] for name in ("pid", "host_pid", "started")}
        return {**about, "state": State.RUNNING, "state_reason": "", "state_message": "", **facts}

    def _give_up(self, task: Task, handle: Handle) -> dict[str, Any] | None:
        """Abandon a job without a known id, unless its ptyhost has started. A job that starts later finds the mark."""
        if time.time() - handle["submitted"] < _UNKNOWN or not self._handles.give_up(task, True):
            return None
        return _end(State.FAILED, "start_interrupted", "the server died while submitting the job")

    def _judge(self, task: Task, handle: Handle, ending: dict[str, Any]) -> dict[str, Any] | None:
        """Return how a task with an exit record ended; None while Parsl may still report more."""
        record = read_json(self._task_dirs.files(task.id).exit) or {}
        # The batch system may have signaled the command before the ptyhost.
        is_doubtful = record.get("was_told") or (ending["exit"].signal is not None and record["reason"] == "exited")
        if not is_doubtful:
            return ending
        if "stopping" in handle:
            return changes_from_exit({**record, "reason": handle["stopping"]})
        seen = self._looks.since(task, "exit")
        state = self._states.of(handle.get("job", "")) if self._states.asked > seen else "UNKNOWN"
        if state not in _ENDS and time.monotonic() - seen < _VERDICT:
            self._states.hurry()
            return None
        if state in ("CANCELLED", "TIMEOUT"):
            ours, reason, words = _ENDS[state]
            return {**ending, "state": ours, "state_reason": reason, "state_message": words}
        return ending

    def _ended_with(self, task: Task, handle: Handle, state: str) -> dict[str, Any] | None:
        """Return how a task ended whose job is over and left no exit record."""
        if time.monotonic() - self._looks.since(task, "over") < lateness(handle):
            return None
        ours, reason, words = _ENDS[state]
        files = self._task_dirs.files(task.id)
        if "stopping" in handle:
            ours, reason, words = State.CANCELLED, handle["stopping"], "killed: it did not end in time"
        elif self._task_dirs.host(task) is None and ours in (State.FAILED, State.LOST):
            otherwise = "the job has ended before the task began; it may have been canceled"
            ours, (reason, words) = State.FAILED, why_not_started(files, otherwise)
        output = self._task_dirs.output(task.id)
        return {**_end(ours, reason, f"{words} (Parsl: {state})"), "output": output}


def _end(state: State, reason: str, message: str) -> dict[str, Any]:
    return {"state": state, "state_reason": reason, "state_message": message, "ended": time.time()}
