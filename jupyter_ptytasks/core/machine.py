"""Facts that tell one boot of a machine from another, and one process from the next with its pid."""

from __future__ import annotations


def boot_id() -> str:
    """Give what tells this boot of the machine from every other; empty where the system does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def start_time(pid: int) -> int:
    """Give when a process started, in clock ticks since the boot (proc(5)): with the pid it names a process for
    good. 0: unknown.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0
