"""The processes of a task: all that descends from its ptyhost, and signals to the whole of it.

On Linux the ptyhost is a child subreaper (prctl(2)): what a task leaves behind, also in a session of its own, becomes
the ptyhost's child and stays in the tree. Elsewhere the tree is the task's session group and the foreground group of
its terminal.
"""

from __future__ import annotations

import os
import signal
import sys

#: Whether orphans of the tree become our children: see __main__.
_REAPS_ALL = sys.platform.startswith("linux")

#: How often we look again for what was forked while we looked.
_ROUNDS = 100


def groups(child: int, foreground: int) -> set[int]:
    """Give the process groups of the tree of this process.

    `child` is its first child, 0 once that is reaped (its number may be another's by then), `foreground` the group that
    has the terminal or 0: where there is no /proc, the tree is no more than these two.
    """
    processes = _scan()
    if not processes:
        return {group for group in (child, foreground) if group > 0 and _is_alive(group)}
    known = {os.getpid()}
    found = set()
    grown = True
    while grown:
        grown = False
        for pid, (parent, group) in processes.items():
            if parent in known and pid not in known:
                known.add(pid)
                found.add(group)
                grown = True
    return found - {os.getpgid(0)}


def send(number: int, child: int, foreground: int) -> None:
    """Send a signal to every group of the tree once."""
    targets = groups(child, foreground)
    for group in targets:
        _kill(group, number)
    if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT):
        # Who is stopped would not hear of it.
        for group in targets:
            _kill(group, signal.SIGCONT)


def freeze(child: int, foreground: int) -> None:
    """Stop the whole tree, also one that forks all the time: what is stopped forks no more."""
    stopped: set[int] = set()
    for _ in range(_ROUNDS):
        fresh = groups(child, foreground) - stopped
        if not fresh:
            break
        for group in fresh:
            _kill(group, signal.SIGSTOP)
        stopped |= fresh


def kill(child: int, foreground: int) -> None:
    """Kill the whole tree, also one that forks while it is killed; a tree that forks faster than we look needs it
    again.
    """
    for _ in range(_ROUNDS):
        targets = groups(child, foreground)
        if not targets:
            break
        for group in targets:
            _kill(group, signal.SIGKILL)


def is_empty(foreground: int) -> bool:
    """Tell whether nobody is left of a tree whose first child is reaped."""
    if not _REAPS_ALL:
        return not groups(0, foreground)
    # Whoever is left has an ancestor who is our child, and the kernel knows at every moment. What is read from /proc is
    # old already: in a chain of processes that fork and go there may be none that is in it.
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def _kill(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except OSError:
        pass  # gone meanwhile, or a set-user-id program that is not ours to signal


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _scan() -> dict[int, tuple[int, int]]:
    """Give (parent, process group) of every process that is no zombie, from /proc; empty where there is none."""
    found = {}
    try:
        names = os.listdir("/proc")
    except OSError:
        return {}
    for name in names:
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The command, in parentheses, may hold spaces and parentheses itself.
                state, parent, group = file.read().rpartition(b")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if state != b"Z":
            found[int(name)] = (int(parent), int(group))
    return found
