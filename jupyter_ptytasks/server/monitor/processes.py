"""The resource usage of tasks' process trees, in one pass over the process table. Blocking."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from ...core.platform import processes as table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: For the proportional size, the kernel walks all pages of a process, which is blocked meanwhile: acceptable only for
#: a few processes for which it takes some milliseconds.
_HAS_PSS = sys.platform.startswith("linux")
_PSS_PROCESSES = 8
_PSS_RSS = 4 << 30


@dataclass(frozen=True)
class Tree:
    """The processes below one ptyhost, the command first.

    `cpu_time` in seconds includes ended processes whose parent waited for them (on Linux); `rss` in bytes counts shared
    memory once per process.
    """

    processes: tuple[psutil.Process, ...]
    cpu_time: float
    rss: int

    @property
    def pids(self) -> frozenset[int]:
        """Their pids."""
        return frozenset(process.pid for process in self.processes)

    def pss(self) -> int | None:
        """Return the memory in bytes with shared pages counted once; None if the system does not provide it or
        measuring would cost too much.
        """
        if not _HAS_PSS or len(self.processes) > _PSS_PROCESSES or self.rss > _PSS_RSS:
            return None
        total = 0
        for process in self.processes:
            try:
                pss = getattr(process.memory_full_info(), "pss", None)
            except psutil.Error:
                continue
            if pss is None:
                return None  # not supported by the kernel
            total += pss
        return total

    def environ(self) -> Mapping[str, str]:
        """Return the initial environment of the command; empty if it cannot be read."""
        try:
            return self.processes[0].environ()
        except psutil.Error:
            return {}


def trees(roots: Iterable[int]) -> tuple[dict[int, Tree], frozenset[int]]:
    """Return the descendants of each of these processes, without the processes themselves; and all processes.

    A root that does not exist or has no children is left out.
    """
    # If the system has a process table, psutil would take eight times as long for this.
    parents = table.parents() or {one.pid: one.info["ppid"] for one in psutil.process_iter(["ppid"])}
    children: dict[int, list[int]] = defaultdict(list)
    for pid, parent in parents.items():
        children[parent].append(pid)
    found = {root: _tree(root, children) for root in roots if root in parents}
    return {root: tree for root, tree in found.items() if tree is not None}, frozenset(parents)


def _tree(root: int, children: Mapping[int, list[int]]) -> Tree | None:
    waiting, members = [root], []
    cpu_time, rss = 0.0, 0
    # Parents first: a process that is just ending is counted late rather than twice.
    while waiting:
        pid = waiting.pop(0)
        waiting += children.get(pid, ())
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                size = process.memory_info().rss
        except psutil.Error:
            continue
        cpu_time += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        if pid != root:
            members.append(process)
            cpu_time += times.user + times.system
            rss += size
    return Tree(tuple(members), cpu_time, rss) if members else None
