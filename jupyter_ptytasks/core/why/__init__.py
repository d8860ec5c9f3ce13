"""Why a task failed, in one sentence: from how it ended, and the last lines of its output. Pure.

`explain` asks in this order: the time limit, signals and exit codes that say it (system), then what the output says
last, of Python (python) or anything else (programs). What was printed counts only as the end of the output: an
exception that was caught and logged has other lines behind it, and a program that exits with 0 has not failed.
"""

from __future__ import annotations

from .explain import explain
from .reason import Ending, Reason

__all__ = ["Ending", "Reason", "explain"]
