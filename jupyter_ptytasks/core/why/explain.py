"""Decides why an attempt failed."""

from __future__ import annotations

from dataclasses import replace

from . import programs, python, system
from .reason import LINE_MAX, Ending, Reason, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .reason import Line

#: Number of last lines that are examined.
_WINDOW = 400
#: How often to look further up if an exception only reports that another program, whose output is above, has failed.
_DEEP = 3


def explain(ending: Ending, lines: Sequence[Line]) -> Reason | None:
    """Return why an attempt failed; None if it succeeded or was stopped by a user.

    `lines` are the last lines of its own output, as a terminal shows them; a few hundred are enough.
    """
    if ending.reason == "timed_out":
        return system.timed_out(ending)
    if ending.reason != "exited" or (ending.code == 0 and ending.signal is None):
        return None
    shown = [(number, text[:LINE_MAX].rstrip()) for number, text in lines[-_WINDOW:]]
    found = _explain(ending, shown, _DEEP)
    if not ending.leftover:
        return found
    said = "a process is" if ending.leftover == 1 else f"{ending.leftover} processes are"
    return replace(found, message=f"{found.message}; {said} still running")


def _explain(ending: Ending, lines: list[Line], deep: int) -> Reason:
    by_signal = system.by_signal(ending, lines)
    if by_signal is not None:
        return by_signal
    said = system.by_shell(ending, lines) or _said(ending, lines, deep)
    if said is not None:
        return said
    return system.by_code(ending, lines)


def _said(ending: Ending, lines: list[Line], deep: int) -> Reason | None:
    """Return the reason at the end of the output."""
    found = python.uncaught(ending, lines)
    other = programs.last_error(lines)
    if found is None or (other is not None and other.at > found.at):
        return other.reason if other is not None else None
    if not found.is_wrapper:
        return found.reason
    if ending.oom_kills:
        return system.for_want_of_memory(ending, found.reason.message.partition(":")[0], *found.reason.lines)
    above = _said(replace(ending, code=1), lines[: found.start], deep - 1) if deep else None
    if above is None:
        return found.reason
    return reason(above.message, above.kind, *above.lines)
