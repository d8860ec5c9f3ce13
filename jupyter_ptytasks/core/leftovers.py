"""Leftovers: processes that a command left running when it ended, known by pid and start time, and how to end them.

The exit record names them (ptyhost.tree.leftover): `{"count", "processes": [[pid, start time], ...], "boot_id"}`.
"""

from __future__ import annotations

import os
import signal

from .machine import boot_id, look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def alive(leftover: Any) -> list[tuple[int, int]]:
    """Return (pid, start time) of the processes that still run, of those that an exit record's `leftover` names and of
    those below them; none where the record is of another boot or another machine, or says nothing of the kind.
    """
    named = _named(leftover)
    processes = _scan() if named else {}
    fresh = [pid for pid, start in named if pid in processes and processes[pid][1] == start]
    found: list[int] = []
    while fresh:
        found += fresh
        known = set(found)
        fresh = [pid for pid, (parent, _) in processes.items() if parent in known and pid not in known]
    return [(pid, processes[pid][1]) for pid in found]


def send(processes: Iterable[tuple[int, int]], number: int) -> int:
    """Send a signal to processes, each of which is still the one that is meant; return how many got it.

    To end leftovers: SIGTERM to `alive(leftover)`, after some seconds SIGKILL, until none is alive.
    """
    return sum(_send(pid, start, number) for pid, start in processes)


def _named(leftover: Any) -> list[tuple[int, int]]:
    boot = boot_id()
    if not isinstance(leftover, dict) or not boot or leftover.get("boot_id") != boot:
        return []
    processes = leftover.get("processes")
    return [
        (one[0], one[1])
        for one in (processes if isinstance(processes, list) else [])
        if isinstance(one, list) and len(one) == 2 and all(type(number) is int and number > 1 for number in one)
    ]


def _send(pid: int, start: int, number: int) -> bool:
    if pid == os.getpid():
        return False
    try:
        # Opened before it is looked at: whatever becomes of the pid, the descriptor is of this process.
        handle = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    except OSError:
        handle = -1  # gone, or a kernel before 5.3
    try:
        found = look(pid)
        if found is None or found[1] != start:
            return False
        if handle >= 0:
            signal.pidfd_send_signal(handle, number)
        else:
            os.kill(pid, number)
    except OSError:
        return False
    finally:
        if handle >= 0:
            os.close(handle)
    return True


def _scan() -> dict[int, tuple[int, int]]:
    """Return (parent, start time) of every process that is no zombie."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return {}
    return {pid: found for pid in pids if (found := look(pid)) is not None}
