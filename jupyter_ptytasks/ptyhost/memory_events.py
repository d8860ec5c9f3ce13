"""The number of processes that the OOM killer has killed, from the counter of this process's cgroup."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: For each version of cgroups: the mount point, the file with the count, the file with the limit, and the name of the
#: controller in /proc/self/cgroup.
_VERSIONS = (
    ("memory", "memory.oom_control", "memory.limit_in_bytes", "memory"),
    ("", "memory.events", "memory.max", ""),
)
#: Version 1 reports the largest number of pages if there is no limit.
_NO_LIMIT = 1 << 60


class MemoryEvents:
    """Counts from its creation. If cgroups cannot be read, nothing is counted. Never raises.

    `root` is where cgroups are mounted, `own` the file that names the cgroups of this process.
    """

    __slots__ = ("_before", "_events", "_limit")

    def __init__(self, root: str = "/sys/fs/cgroup", own: str = "/proc/self/cgroup") -> None:
        self._events = self._limit = ""
        self._before = 0
        named = groups(own)
        for directory, events, limit, controller in _VERSIONS:
            # In a container, its cgroup may be mounted as the root, but named by its path outside.
            for group in (named.get(controller), "/"):
                if group is None:
                    continue
                path = os.path.join(root, directory, group.lstrip("/"))
                count = _count(os.path.join(path, events))
                if count is not None:
                    self._events, self._limit = os.path.join(path, events), os.path.join(path, limit)
                    self._before = count
                    return

    def since(self) -> dict[str, Any] | None:
        """Return the entry of the exit record: `oom_kills` since creation, and the `limit` in bytes, None if there is
        none. None if unknown.
        """
        count = _count(self._events) if self._events else None
        if count is None:
            return None
        return {"oom_kills": max(count - self._before, 0), "limit": _limit(self._limit)}


def groups(path: str) -> dict[str, str]:
    """Return the cgroups of this process from `path`: paths by controller; the controller of version 2 is ``."""
    found = {}
    for line in _read(path).splitlines():
        _, controllers, group = line.split(":", 2) if line.count(":") >= 2 else ("", "?", "")
        found.update(dict.fromkeys(controllers.split(","), group))
    return found


def _count(path: str) -> int | None:
    for line in _read(path).splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill" and value.isdecimal():
            return int(value)
    return None


def _limit(path: str) -> int | None:
    value = _read(path).strip()
    return int(value) if value.isdecimal() and int(value) < _NO_LIMIT else None


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 14)
    except OSError:
        return ""
