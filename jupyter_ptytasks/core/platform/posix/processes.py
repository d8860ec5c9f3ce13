"""Processes: boot id, the process table, and limits for starting a program.

The table is /proc (proc(5)). Without it, as on macOS, nothing is known about other processes.
"""

from __future__ import annotations

import os
import signal
import sys

#: Linux allows 32 pages for one string, including the NUL (MAX_ARG_STRLEN, linux/binfmts.h).
_PAGES_PER_STRING = 32
#: Linux allows a quarter of the stack limit for all strings and pointers, but at least 128 KiB and at most 6 MiB
#: (fs/exec.c).
_TOTAL_MIN = 128 << 10
_TOTAL_MAX = 6 << 20
#: Files in /proc/self (proc(5)) with properties that a process inherits and cannot always change.
_INHERITED_FILES = ("limits", "cgroup", "oom_score_adj", "attr/current")
_INHERITED_LINKS = ("root", "ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid", "ns/time", "ns/user", "ns/uts")
_INHERITED_STATUS = ("Umask:", "Cap", "NoNewPrivs:", "Seccomp:", "Cpus_allowed:", "Mems_allowed:")


def boot_id() -> str:
    """Return an id of this boot of the machine; empty if the system has none."""
    try:
        fd = os.open("/proc/sys/kernel/random/boot_id", os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(fd, 100).decode("ascii").strip()
    finally:
        os.close(fd)


def hostname() -> str:
    """Return the name of this machine."""
    return os.uname().nodename


def look(pid: int) -> tuple[int, int, int] | None:
    """Return the parent, process group and start time of a process; None if it does not exist or is a zombie.

    The start time is in clock ticks since boot: together with the pid, it identifies a process.
    """
    try:
        fields = _stat(pid, 20)
        return None if fields[0] in (b"Z", b"X") else (int(fields[1]), int(fields[2]), int(fields[19]))
    except (OSError, ValueError, IndexError):
        return None


def table() -> dict[int, tuple[int, int, int]]:
    """Return the result of `look` for every process, by pid; empty if unknown."""
    return {pid: found for pid in _pids() if (found := look(pid)) is not None}


def parents() -> dict[int, int]:
    """Return the parent of every process, including zombies, by pid; empty if unknown."""
    found = {}
    for pid in _pids():
        try:
            found[pid] = int(_stat(pid, 2)[1])
        except (OSError, ValueError, IndexError):
            continue  # it has just ended
    return found


def _pids() -> list[int]:
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    return [int(name) for name in names if name.isdigit()]


def _stat(pid: int, count: int) -> list[bytes]:
    """Return the first `count` fields of a process after its name, and the rest as one. Raises OSError."""
    fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    try:
        # The name of the command, in parentheses, may contain spaces and parentheses.
        return os.read(fd, 4096).rpartition(b")")[2].split(None, count)
    finally:
        os.close(fd)


def is_foreign(pid: int) -> bool:
    """Return whether a process belongs to another user. False for a process that does not exist here: in a container,
    other programs may report pids from outside.
    """
    try:
        return os.stat(f"/proc/{pid}").st_uid != os.getuid()
    except OSError:
        pass
    # Even if /proc hides the processes of others (hidepid), a signal finds them.
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        pass
    return False


def signal_one(pid: int, started: int, number: int) -> bool:
    """Send a signal to a process if it still has this start time; return whether it was sent."""
    try:
        # Open it before the check: if the pid is reused, the descriptor still refers to the first process.
        handle = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    except OSError:
        handle = -1  # the process is gone, or the kernel is older than 5.3
    try:
        found = look(pid)
        if found is None or found[2] != started:
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


def surroundings() -> str:
    """Return a text that is equal for processes whose children inherit the same properties: user, limits, umask,
    cgroup, namespaces, priority and the like, as far as known.
    """
    told = [str((os.getuid(), os.geteuid(), os.getgid(), os.getegid(), os.getgroups(), os.nice(0)))]
    told += [_read_own(name) for name in _INHERITED_FILES]
    for name in _INHERITED_LINKS:
        try:
            told.append(os.readlink(f"/proc/self/{name}"))
        except OSError:
            pass  # not supported by this system
    status = _read_own("status")
    told += [line for line in status.splitlines() if line.startswith(_INHERITED_STATUS)]
    if not status:
        import resource  # noqa: PLC0415  where there is no /proc

        kinds = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
        told += [f"{name} {resource.getrlimit(getattr(resource, name))}" for name in kinds]
    return "\n".join(told)


def _read_own(name: str) -> str:
    """Return the content of a file of this process in /proc; empty if there is no such file."""
    try:
        fd = os.open(f"/proc/self/{name}", os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(fd, 1 << 14).decode("utf-8", "replace")
    except OSError:
        return ""  # a security module that is not loaded
    finally:
        os.close(fd)


def string_max() -> int:
    """Return how many bytes one argument or variable of a program may have, including the NUL."""
    return _PAGES_PER_STRING * os.sysconf("SC_PAGE_SIZE") if sys.platform.startswith("linux") else sys.maxsize


def strings_max() -> int:
    """Return how many bytes all arguments and variables of a program, including pointers to them, may have."""
    if not sys.platform.startswith("linux"):
        try:
            limit = os.sysconf("SC_ARG_MAX")
        except (OSError, ValueError):
            return sys.maxsize
        return limit if limit > 0 else sys.maxsize
    # Not SC_ARG_MAX: musl returns the minimum.
    import resource  # noqa: PLC0415  for long commands only

    stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
    if stack == resource.RLIM_INFINITY:
        return _TOTAL_MAX
    return min(max(stack // 4, _TOTAL_MIN), _TOTAL_MAX)
