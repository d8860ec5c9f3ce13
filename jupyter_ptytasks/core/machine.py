"""Facts that tell one boot of a machine from another, one machine from the next, and one process from another with its
pid.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_CONTAINER_NAME_LENGTH = 12


def boot_id() -> str:
    """Return what tells this boot of the machine from every other; empty where the system does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def start_time(pid: int) -> int:
    """Return when a process started, in clock ticks since the boot (proc(5)): with the pid it names a process for
    good. 0: unknown.
    """
    found = look(pid)
    return found[1] if found is not None else 0


def is_running(pid: int, started: int) -> bool:
    """Return whether the process with this pid and start time (of `start_time`) runs; False where that is unknown."""
    found = look(pid)
    return found is not None and found[1] == started


def look(pid: int) -> tuple[int, int] | None:
    """Return the (parent, start time) of a process from /proc (proc(5)); None where there is none, or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split(None, 20)
        return None if fields[0] in (b"Z", b"X") else (int(fields[1]), int(fields[19]))
    except (OSError, ValueError, IndexError):
        return None


def is_here(host: Mapping[str, Any]) -> bool:
    """Return whether a host record (host.json) was written on this machine: then its lock and its pids mean something
    here.

    Machines that share a home are told apart by name: neither the boot id (one machine has many) nor /etc/machine-id
    (cloned nodes share one) can do it. But Docker names a container after its id, anew at every start: there the same
    kernel is the same machine. And where the system tells no boot id, as macOS, names change with the network.
    """
    name, boot, ours = host.get("hostname"), host.get("boot_id"), os.uname().nodename
    if not isinstance(name, str) or not name or name == ours or not boot:
        return True
    return _is_container(name) and _is_container(ours) and boot == boot_id()


def _is_container(name: str) -> bool:
    return len(name) == _CONTAINER_NAME_LENGTH and all(digit in "0123456789abcdef" for digit in name)
