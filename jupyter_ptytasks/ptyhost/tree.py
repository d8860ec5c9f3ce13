"""The processes of a task: all that descends from its ptyhost, and signals to the whole of it.

On Linux the ptyhost is a child subreaper (prctl(2)): what a task leaves behind, also in a session of its own, becomes
the ptyhost's child and stays in the tree. Elsewhere the tree is the task's session group and the foreground group of
its terminal.
"""

from __future__ import annotations

import os
import signal
import sys

from ..core.machine import boot_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Whether orphans of the tree become our children: see __main__.
_REAPS_ALL = sys.platform.startswith("linux")

#: Processes that are left and named: with parents their children are found.
_NAMED_MAX = 32

#: How often we look again for what was forked while we looked.
_ROUNDS = 100


def groups(child: int, foreground: int) -> set[int]:
    """Return the process groups of the tree of this process.

    `child` is its first child, 0 once that is reaped (its number may be another's by then), `foreground` the group that
    has the terminal or 0: where there is no /proc, the tree is no more than these two.
    """
    processes = _scan()
    if not processes:
        return {group for group in (child, foreground) if group > 0 and _is_alive(group)}
    return {processes[pid][1] for pid in _below(processes)} - {os.getpgid(0)}


def leftover() -> dict[str, Any] | None:
    """Return what the exit record says of the processes of the tree that are left: how many, pid and start time
    (core.machine.start_time) of them, parents first and at most 32, and the boot of the machine that these are of.

    None where there is no /proc. core.leftovers reads it.
    """
    processes = _scan()
    if not processes:
        return None
    left = _below(processes)
    named = [[pid, processes[pid][2]] for pid in left[:_NAMED_MAX]]
    return {"count": len(left), "processes": named, "boot_id": boot_id()}


def _below(processes: dict[int, tuple[int, int, int]]) -> list[int]:
    """Return the pids of those that descend from this process, parents first."""
    known = {os.getpid()}
    found: list[int] = []
    while fresh := [pid for pid, (parent, _, _) in processes.items() if parent in known and pid not in known]:
        found += fresh
        known.update(fresh)
    return found


def signal_group(group: int, number: int) -> None:
    """Send a signal to a process group, if it is there and ours to signal. Never raises."""
    # 0 and 1 would be our own group and everybody (kill(2)).
    if group > 1:
        _try(os.killpg, group, number)


def signal_process(pid: int, number: int) -> None:
    """Send a signal to a process, if it is there and ours to signal. Never raises."""
    if pid > 1:
        _try(os.kill, pid, number)


def send(number: int, child: int, foreground: int) -> None:
    """Send a signal to every group of the tree once."""
    targets = groups(child, foreground)
    for group in targets:
        signal_group(group, number)
    if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT):
        # Who is stopped would not hear of it.
        for group in targets:
            signal_group(group, signal.SIGCONT)


def freeze(child: int, foreground: int) -> None:
    """Stop the whole tree, also one that forks all the time: what is stopped forks no more."""
    stopped: set[int] = set()
    for _ in range(_ROUNDS):
        fresh = groups(child, foreground) - stopped
        if not fresh:
            break
        for group in fresh:
            signal_group(group, signal.SIGSTOP)
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
            signal_group(group, signal.SIGKILL)


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


def _try(kill: Callable[[int, int], None], target: int, number: int) -> None:
    try:
        kill(target, number)
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


def _scan() -> dict[int, tuple[int, int, int]]:
    """Return (parent, process group, start time) of every process that is no zombie, from /proc (proc(5)); empty where
    there is none.
    """
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
                fields = file.read().rpartition(b")")[2].split(None, 20)
            if fields[0] != b"Z":
                found[int(name)] = (int(fields[1]), int(fields[2]), int(fields[19]))
        except (OSError, ValueError, IndexError):
            continue
    return found
