"""Conversions between the records of a task in files (specs and exit records) and tasks."""

from __future__ import annotations

from ..core.model import Exit, Kind, Output, Task
from ..core.queue.turn import Turn
from ..core.states import State
from ..core.sweeps.combinations import Sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: The exit reason of a task that is being restarted.
RESTARTING = "restarting"
#: The most previous attempts that are stored, and the maximum length of their messages.
_EARLIER, _MESSAGE_MAX = 50, 500
#: States by the reason in the exit record.
_STATES = {
    "cancelled": State.CANCELLED,
    RESTARTING: State.CANCELLED,
    "timed_out": State.TIMED_OUT,
    "host_terminated": State.CANCELLED,
}
_MESSAGES = {
    "cancelled": "stopped",
    RESTARTING: "stopped to be restarted",
    "timed_out": "time limit reached",
    "host_terminated": "the ptyhost received SIGTERM",
}


def task_of(spec: Mapping[str, Any]) -> Task:
    """Return the task that a spec describes. Raises KeyError, TypeError or ValueError for a damaged spec.

    The `state` of a spec says whether the task is pending, was canceled while pending, or was launched after that. It
    is missing if the task was launched when it was created.
    """
    limit = spec.get("timeout")
    return Task(
        id=spec["id"],
        name=spec["name"],
        command=spec["command"],
        kind=Kind(spec["kind"]),
        cwd=spec["cwd"],
        state=State(spec.get("state", State.STARTING)),
        created=spec["created"],
        attempt=spec["attempt"],
        rows=spec["rows"],
        cols=spec["cols"],
        group=spec["group"],
        tags=tuple(spec["tags"]),
        metadata=spec["metadata"],
        timeout=limit["seconds"] if limit else None,
        provisioner=spec["provisioner"],
        pinned=spec.get("pinned") is True,
        turn=Turn.from_json(spec.get("queue", {})),
        gpus=tuple(str(uuid) for uuid in spec.get("gpus", ())),
        gpu_share=float(spec.get("gpu_share", 1.0)),
        sweep=Sweep.from_json(spec["sweep"]) if "sweep" in spec else None,
        params=dict(spec.get("params", {})),
        resources=dict(spec.get("resources", {})),
        earlier=tuple(dict(attempt) for attempt in spec.get("earlier", ())),
        again_of=str(spec.get("again_of", "")),
    )


def with_labels(spec: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """Return a spec with the labels of a task, which can be changed at any time."""
    about = {"name": task.name, "group": task.group, "pinned": task.pinned}
    return {**spec, **about, "tags": list(task.tags), "metadata": dict(task.metadata)}


def with_state(spec: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """Return a spec with the data about the task that a rebuilt database needs, too."""
    state = {"attempt": task.attempt, "state": task.state.value, "queue": task.turn.to_json()}
    given = {"gpus": list(task.gpus), "gpu_share": task.gpu_share} if task.gpus or "gpus" in spec else {}
    before = {"earlier": list(task.earlier)} if task.earlier else {}
    return {**with_labels(spec, task), **state, **given, **before}


def with_attempt(task: Task) -> tuple[Mapping[str, Any], ...]:
    """Return the earlier attempts of an ended task, and its last one."""
    return (*task.earlier, attempt_of(task))[-_EARLIER:]


def attempt_of(task: Task) -> dict[str, Any]:
    """Return the current attempt of a task, as JSON; times are Unix seconds."""
    return {
        "attempt": task.attempt,
        "state": task.state.value,
        "state_reason": task.state_reason,
        "state_message": task.state_message[:_MESSAGE_MAX],
        "exit": {"code": task.exit.code, "signal": task.exit.signal},
        "started": task.started,
        "ended": task.ended,
        "git": None if task.git is None else dict(task.git),
    }


def changes_from_exit(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes to a task from its exit record.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the record is not valid.
    """
    reason = str(record.get("reason", "exited"))
    exited = Exit(record.get("code"), record.get("signal"))
    state = _STATES.get(reason)
    message = _MESSAGES.get(reason, "")
    if state is None:
        if exited.signal is not None:
            state, reason, message = State.FAILED, "signal", f"killed by {exited.signal}"
        elif exited.code == 0:
            state, reason = State.SUCCEEDED, ""
        elif isinstance(exited.code, int):
            state, reason, message = State.FAILED, "nonzero_exit", f"exited with code {exited.code}"
        else:
            raise ValueError("neither a code nor a signal")
    left = _leftover(record)
    if left:
        said = "a process is still running" if left == 1 else f"{left} processes are still running"
        message = f"{message}; {said}" if message else said
    return {
        "state": state,
        "state_reason": reason,
        "state_message": message,
        "exit": exited,
        "leftover": left,
        "started": float(record["started"]) if record.get("started") is not None else None,
        "ended": float(record["ended"]) if record.get("ended") is not None else None,
        "rows": int(record["rows"]),
        "cols": int(record["cols"]),
        "last_output": float(record["last_output"]),
        "output": Output.from_json(record.get("output") or {}),
        "usage": {**(record.get("rusage") or {}), **_peak(record.get("notes"))},
    }


def _leftover(record: Mapping[str, Any]) -> int:
    """Return how many processes a command left running; 0 for older ptyhosts, which do not count them."""
    leftover = record.get("leftover")
    count = leftover.get("count") if isinstance(leftover, dict) else 0
    return count if isinstance(count, int) and count > 0 else 0


def _peak(notes: object) -> dict[str, Any]:
    """Return the peak usage from the notes of servers."""
    return {"peak": notes["peak"]} if isinstance(notes, dict) and isinstance(notes.get("peak"), dict) else {}
