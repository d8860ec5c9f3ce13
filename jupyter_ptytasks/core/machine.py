"""How a machine, a boot of it, and a process are identified."""

from __future__ import annotations

from .platform import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_CONTAINER_NAME_LENGTH = 12

boot_id = processes.boot_id
hostname = processes.hostname


def start_time(pid: int) -> int:
    """Return when a process started, in clock ticks since boot: together with the pid, this identifies a process.
    0: unknown.
    """
    found = processes.look(pid)
    return found[2] if found is not None else 0


def is_running(pid: int, started: int) -> bool:
    """Return whether the process with this pid and `start_time` is running; False if unknown."""
    found = processes.look(pid)
    return found is not None and found[2] == started


def is_here(host: Mapping[str, Any]) -> bool:
    """Return whether a host record (host.json) was written on this machine: only then are its lock and its pids valid
    here.

    Machines that share a home directory are distinguished by name: neither the boot id (one machine has many) nor
    /etc/machine-id (cloned nodes share one) works. But Docker names a container after its id, which is new at every
    start: there, the same kernel is the same machine. And on systems without a boot id, such as macOS, names change
    with the network.
    """
    name, boot, ours = host.get("hostname"), host.get("boot_id"), hostname()
    if not isinstance(name, str) or not name or name == ours or not boot:
        return True
    return _is_container(name) and _is_container(ours) and boot == boot_id()


def _is_container(name: str) -> bool:
    return len(name) == _CONTAINER_NAME_LENGTH and all(digit in "0123456789abcdef" for digit in name)
