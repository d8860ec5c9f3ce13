"""Processes: boot id, the process table, and limits for starting a program."""

from __future__ import annotations

import socket

from ...signals import KILL
from . import win32

#: The longest command line of CreateProcessW, and the longest environment block, in characters.
_COMMAND_LINE_MAX = 32767


def boot_id() -> str:
    """Return an id of this boot of the machine: empty, since it is not known on Windows."""
    return ""


def hostname() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def look(pid: int) -> tuple[int, int, int] | None:
    """Return 0 for the parent and the process group, and the start time (in 100 ns), of a process; None if it is not
    running or belongs to another user.
    """
    return _look(pid, 0)


def _look(pid: int, parent: int) -> tuple[int, int, int] | None:
    handle = win32.open_process(pid)
    if not handle:
        return None
    try:
        return None if win32.wait(handle, 0) else (parent, 0, win32.times(handle)[0])
    finally:
        win32.close(handle)


def table() -> dict[int, tuple[int, int, int]]:
    """Return the parent, 0 and start time of every process of this user, by pid."""
    return {pid: found for pid, parent in parents().items() if (found := _look(pid, parent)) is not None}


def parents() -> dict[int, int]:
    """Return the parent of every process, by pid. A parent may have ended, and its pid may have been reused."""
    return win32.parents()


def is_foreign(pid: int) -> bool:
    """Return whether a process belongs to another user; False if it does not exist."""
    handle = win32.open_process(pid)
    if handle:
        win32.close(handle)
    return not handle and pid in parents()


def signal_one(pid: int, started: int, number: int) -> bool:
    """Terminate a process if it still has this start time and the signal is a kill; return whether it was terminated.
    Other signals do not exist on Windows.
    """
    found = look(pid)
    if number != KILL or found is None or found[2] != started:
        return False
    win32.terminate(pid, 128 + number)
    return True


def surroundings() -> str:
    """Return an empty text: there is no starter that would need it."""
    return ""


def string_max() -> int:
    """Return the maximum length of an argument or variable of a program."""
    return _COMMAND_LINE_MAX


def strings_max() -> int:
    """Return the maximum length of all arguments and variables of a program."""
    return 2 * _COMMAND_LINE_MAX
