"""Why a task failed, in one sentence: from how it ended, and the last lines of its output. Pure.

`explain` tries in this order: the time limit, signals and meaningful exit codes (system), then the end of the output,
from Python (python) or anything else (programs). An error counts only at the end of the output: an exception that was
caught and logged is followed by other lines, and a program that exits with 0 has not failed.
"""

from __future__ import annotations

from .explain import explain
from .reason import Ending, Reason

__all__ = ["Ending", "Reason", "explain"]
