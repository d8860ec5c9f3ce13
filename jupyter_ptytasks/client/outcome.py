"""Whether a task has ended, and its exit status."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from ..core.states import ENDED

if TYPE_CHECKING:
    from .types import Task

#: The exit status that coreutils' timeout uses.
TIMED_OUT = 124


def is_live(task: Task) -> bool:
    """Return whether the task has not ended yet."""
    return task["state"] not in {state.value for state in ENDED}


def has_ended(task: Task) -> bool:
    """Return whether the task has ended for good: it will not be retried automatically."""
    return not (is_live(task) or task.get("runs_again", False))


def exit_status(task: Task) -> int:
    """Return the exit status of a task as a shell would report it.

    This is the exit code of the command, or 128 + the number of the signal that ended it. It is 0 only for a task that
    succeeded: otherwise 124 stands for a timeout, and 1 for a task that was stopped or lost, unless the command itself
    reported an error.
    """
    ended = task["exit"] or {"code": None, "signal": None}
    if ended["signal"] is not None:
        return 128 + signal.Signals.__members__.get(ended["signal"], 0)
    if ended["code"] is not None and (ended["code"] or task["state"] == "succeeded"):
        return ended["code"]
    return TIMED_OUT if task["state"] == "timed_out" else 1
