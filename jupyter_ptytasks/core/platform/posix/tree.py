"""The processes of a task: all descendants of its ptyhost, and signals to all of them.

On Linux the ptyhost is a child subreaper (prctl(2)): what a task leaves behind, also in a session of its own, becomes
the ptyhost's child and stays in the tree. Elsewhere the tree is the process group of the task's session and the
foreground group of its terminal.
"""

from __future__ import annotations

import os
import signal
import sys

from .processes import boot_id, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

#: Whether orphans of the tree become our children: see detach.
_REAPS_ALL = sys.platform.startswith("linux")

#: Remaining processes that are listed: with parents, their children can be found.
_NAMED_MAX = 32

#: How often to look again for what was forked meanwhile.
_ROUNDS = 100


def groups(child: int, foreground: int) -> set[int]:
    """Return the process groups of the tree of this process.

    `child` is its first child, 0 once that is reaped (its number may be reused), `foreground` the group that has the
    terminal or 0: without /proc, the tree is no more than these two.
    """
    processes = table()
    if not processes:
        return {group for group in (child, foreground) if group > 0 and _is_alive(group)}
    return {processes[pid][1] for pid in _below(processes)} - {os.getpgid(0)}


def leftover() -> dict[str, Any] | None:
    """Return what the exit record says of the remaining processes of the tree: their number, pid and start time
    (core.machine.start_time) of at most 32 of them, parents first, and the boot id of the machine.

    None without /proc, if there may be any. core.leftovers reads it.
    """
    if _REAPS_ALL and _is_childless():
        return {"count": 0, "processes": [], "boot_id": boot_id()}  # without reading the table of the whole machine
    processes = table()
    if not processes:
        return None
    left = _below(processes)
    named = [[pid, processes[pid][2]] for pid in left[:_NAMED_MAX]]
    return {"count": len(left), "processes": named, "boot_id": boot_id()}


def _below(processes: dict[int, tuple[int, int, int]]) -> list[int]:
    """Return the pids of the descendants of this process, parents first."""
    known = {os.getpid()}
    found: list[int] = []
    while fresh := [pid for pid, (parent, _, _) in processes.items() if parent in known and pid not in known]:
        found += fresh
        known.update(fresh)
    return found


def signal_group(group: int, number: int) -> None:
    """Send a signal to a process group, if it exists and may be signaled. Never raises."""
    # 0 and 1 would mean this process's own group and every process (kill(2)).
    if group > 1:
        _try(os.killpg, group, number)


def signal_process(pid: int, number: int) -> None:
    """Send a signal to a process, if it exists and may be signaled. Never raises."""
    if pid > 1:
        _try(os.kill, pid, number)


def send(number: int, child: int, foreground: int) -> None:
    """Send a signal to every group of the tree once."""
    targets = groups(child, foreground)
    for group in targets:
        signal_group(group, number)
    if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT):
        # A stopped process would not receive it.
        for group in targets:
            signal_group(group, signal.SIGCONT)


def freeze(child: int, foreground: int) -> None:
    """Stop the whole tree, even one that keeps forking: stopped processes do not fork."""
    stopped: set[int] = set()
    for _ in range(_ROUNDS):
        fresh = groups(child, foreground) - stopped
        if not fresh:
            break
        for group in fresh:
            signal_group(group, signal.SIGSTOP)
        stopped |= fresh


def kill(child: int, foreground: int) -> None:
    """Kill the whole tree, even if it forks meanwhile; a tree that forks faster than it can be listed needs another
    call.
    """
    for _ in range(_ROUNDS):
        targets = groups(child, foreground)
        if not targets:
            break
        for group in targets:
            signal_group(group, signal.SIGKILL)


def is_empty(foreground: int) -> bool:
    """Return whether nothing is left of a tree whose first child is reaped."""
    return _is_childless() if _REAPS_ALL else not groups(0, foreground)


def _is_childless() -> bool:
    """Return whether this process has no child; where it reaps all, nothing is left of its tree then."""
    # Each remaining process has an ancestor that is our child, and the kernel always knows. What is read from /proc is
    # out of date already: in a chain of processes that fork and exit, none may be listed.
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def changes() -> Iterator[tuple[int, bool | dict[str, Any]]]:
    """Reap what has ended and iterate over what has changed since: pairs of a child's pid and True if it was stopped,
    False if it was continued, or how it ended: `{code, signal, rusage}`, with a signal's number.
    """
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if os.WIFSTOPPED(status) or os.WIFCONTINUED(status):
            yield pid, os.WIFSTOPPED(status)
            continue
        code = os.waitstatus_to_exitcode(status)
        yield (
            pid,
            {
                "code": code if code >= 0 else None,
                "signal": -code if code < 0 else None,
                "rusage": {"user": usage.ru_utime, "system": usage.ru_stime, "max_rss": usage.ru_maxrss * 1024},
            },
        )


def end_all() -> None:
    """Kill and reap all children and what is below them."""
    while True:
        kill(0, 0)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _try(kill: Callable[[int, int], None], target: int, number: int) -> None:
    try:
        kill(target, number)
    except OSError:
        pass  # gone meanwhile, or a set-user-id program that this user may not signal


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
