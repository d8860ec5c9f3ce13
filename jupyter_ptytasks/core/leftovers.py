"""Leftovers: processes that a command left running when it ended, identified by pid and start time; how to end them.

The exit record lists them (core.platform.tree): `{"count", "processes": [[pid, start time], ...], "boot_id"}`.
"""

from __future__ import annotations

import os

from .platform import processes as system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def alive(leftover: Any) -> list[tuple[int, int]]:
    """Return (pid, start time) of the processes in an exit record's `leftover`, and their descendants, that are still
    running; none if the record is from another boot or machine, or has no such list.
    """
    named = _named(leftover)
    processes = system.table() if named else {}
    fresh = [pid for pid, start in named if pid in processes and processes[pid][2] == start]
    found: list[int] = []
    while fresh:
        found += fresh
        known = set(found)
        fresh = [pid for pid, (parent, _, _) in processes.items() if parent in known and pid not in known]
    return [(pid, processes[pid][2]) for pid in found]


def send(processes: Iterable[tuple[int, int]], number: int) -> int:
    """Send a signal to processes whose pids have not been reused; return how many got it.

    To end leftovers, send SIGTERM to `alive(leftover)`, after some seconds SIGKILL, until none is alive.
    """
    return sum(pid != os.getpid() and system.signal_one(pid, start, number) for pid, start in processes)


def _named(leftover: Any) -> list[tuple[int, int]]:
    boot = system.boot_id()
    if not isinstance(leftover, dict) or not boot or leftover.get("boot_id") != boot:
        return []
    processes = leftover.get("processes")
    return [
        (one[0], one[1])
        for one in (processes if isinstance(processes, list) else [])
        if isinstance(one, list) and len(one) == 2 and all(type(number) is int and number > 1 for number in one)
    ]
