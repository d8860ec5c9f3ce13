"""Processes: this boot of this machine, the table of processes, and what a program may be started with."""

from __future__ import annotations

import socket

from ...signals import KILL
from . import win32

#: The longest command line of CreateProcessW, and the longest block of variables, in characters.
_COMMAND_LINE_MAX = 32767


def boot_id() -> str:
    """Return an id of this boot of the machine; empty, because it is not known here."""
    return ""


def hostname() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def look(pid: int) -> tuple[int, int, int] | None:
    """Return the start time of a process (in 100 ns), after its parent and process group, which are not asked for here;
    None if it does not run, or belongs to another user.
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
    """Return the parent of every process, by pid. A parent may have ended, and its number may be another's."""
    return win32.parents()


def is_foreign(pid: int) -> bool:
    """Return whether a process belongs to another user. One that does not exist does not."""
    handle = win32.open_process(pid)
    if handle:
        win32.close(handle)
    return not handle and pid in parents()


def signal_one(pid: int, started: int, number: int) -> bool:
    """End a process if it still is the one with this start time, and the signal ends processes at once; return whether
    it was sent. No process can be asked for something here.
    """
    found = look(pid)
    if number != KILL or found is None or found[2] != started:
        return False
    win32.terminate(pid, 128 + number)
    return True


def surroundings() -> str:
    """Return nothing: processes that start others are not told apart yet."""
    return ""


def string_max() -> int:
    """Return how long one argument or variable of a program may be."""
    return _COMMAND_LINE_MAX


def strings_max() -> int:
    """Return how long all arguments and variables of a program may be."""
    return 2 * _COMMAND_LINE_MAX
