"""What became of a task."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from ..core.states import ENDED

if TYPE_CHECKING:
    from .types import Task

#: As coreutils' timeout has it.
TIMED_OUT = 124


def is_live(task: Task) -> bool:
    """Tell whether the task has not ended yet."""
    return task["state"] not in {state.value for state in ENDED}


def exit_status(task: Task) -> int:
    """Give the status with which a program that stands for the task shall exit, as a shell has it.

    The command's own code, or 128 and the number of the signal that ended it. What did not succeed is never 0: where
    the command says nothing else it is 124 when its time was up, and 1 when it was stopped, or lost.
    """
    ended = task["exit"] or {"code": None, "signal": None}
    if ended["signal"] is not None:
        return 128 + signal.Signals.__members__.get(ended["signal"], 0)
    if ended["code"] is not None and (ended["code"] or task["state"] == "succeeded"):
        return ended["code"]
    return TIMED_OUT if task["state"] == "timed_out" else 1
