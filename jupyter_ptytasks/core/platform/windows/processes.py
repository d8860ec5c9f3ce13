"""Processes: this boot of this machine, the table of processes, and what a program may be started with."""

from __future__ import annotations

import socket

#: The longest command line of CreateProcessW, and the longest block of variables, in characters.
_COMMAND_LINE_MAX = 32767


def boot_id() -> str:
    """Return an id of this boot of the machine; empty, because it is not known here."""
    return ""


def hostname() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def look(pid: int) -> tuple[int, int, int] | None:  # noqa: ARG001
    """Return nothing: processes cannot be looked at yet."""
    return None


def table() -> dict[int, tuple[int, int, int]]:
    """Return nothing: processes cannot be listed yet."""
    return {}


def parents() -> dict[int, int]:
    """Return nothing: processes cannot be listed yet."""
    return {}


def is_foreign(pid: int) -> bool:  # noqa: ARG001
    """Return False: the owner of a process is not known."""
    return False


def signal_one(pid: int, started: int, number: int) -> bool:  # noqa: ARG001
    """Return False: no process is known well enough to end it."""
    return False


def surroundings() -> str:
    """Return nothing: processes that start others are not told apart yet."""
    return ""


def string_max() -> int:
    """Return how long one argument or variable of a program may be."""
    return _COMMAND_LINE_MAX


def strings_max() -> int:
    """Return how long all arguments and variables of a program may be."""
    return 2 * _COMMAND_LINE_MAX
