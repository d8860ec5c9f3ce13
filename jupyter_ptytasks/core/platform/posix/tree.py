"""The processes of a task: all descendants of its ptyhost, and signals to all of them.

On Linux the ptyhost is a child subreaper (prctl(2)): processes that a task leaves behind, even in their own session,
become the ptyhost's children and stay in the tree. Elsewhere the tree is the process group of the task's session and
the foreground group of its terminal.
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

#: Maximum number of remaining processes that are listed: their children can be found from them.
_NAMED_MAX = 32

#: How often to look again for processes that were forked meanwhile.
_ROUNDS = 100


def groups(child: int, foreground: int) -> set[int]:
    """Return the process groups of the tree of this process.

    `child` is its first child, 0 once it is reaped (its pid may be reused), `foreground` the foreground process group
    of the terminal or 0: without /proc, the tree consists of these two.
    """
    processes = table()
    if not processes:
        return {group for group in (child, foreground) if group > 0 and _is_alive(group)}
    return {processes[pid][1] for pid in _below(processes)} - {os.getpgid(0)}


def leftover() -> dict[str, Any] | None:
    """Return the exit record's entry for the remaining processes of the tree: their number, pid and start time
    (core.machine.start_time) of at most 32 of them, parents first, and the boot id of the machine.

    None if there may be any but /proc is missing. core.leftovers reads it.
    """
    if _REAPS_ALL and _is_childless():
        return {
            "count": 0,
            "processes": [],
            "boot_id": boot_id(),
        }  # avoids reading the process table of the whole machine
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
        # A stopped process would not handle it.
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
    """Kill the whole tree, even if it keeps forking; one that forks faster than it can be listed needs another call."""
    for _ in range(_ROUNDS):
        targets = groups(child, foreground)
        if not targets:
            break
        for group in targets:
            signal_group(group, signal.SIGKILL)


def is_empty(foreground: int) -> bool:
    """Return whether a tree whose first child is reaped has no processes left."""
    return _is_childless() if _REAPS_ALL else not groups(0, foreground)


def _is_childless() -> bool:
    """Return whether this process has no children; if it is a subreaper, its tree is then empty."""
    # Each remaining process has an ancestor that is our child, and the kernel always knows our children. /proc may
    # already be out of date: in a chain of processes that fork and exit, none may be listed.
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def changes() -> Iterator[tuple[int, bool | dict[str, Any]]]:
    """Reap ended children and iterate over changes since the last call: pairs of a child's pid and True if it was
    stopped, False if it was continued, or how it ended: `{code, signal, rusage}`, with a signal's number.
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
    """Kill and reap all descendants."""
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
        pass  # it has ended, or is a set-user-id program that this user may not signal


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
