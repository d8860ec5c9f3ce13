"""What the foreground processes of the terminal are doing: whether one of them is blocked until there is input.

Linux shows the current system call of each thread (/proc/<pid>/syscall, proc(5)) to processes that may trace it. A
ptyhost may, even if only ancestors may (yama's ptrace_scope). On other systems nothing is known.
"""

from __future__ import annotations

import os
import stat

from ...waiting.classify import RELAYS, SHELLS, Evidence, is_interactive
from ...waiting.syscalls import EPOLL, OTHER, RUNNING, parse, watched
from .processes import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...waiting.syscalls import Call

_MACHINE = os.uname().machine
#: Maximum number of processes and threads that are examined: programs with more do not wait for a keyboard.
_PROCESSES_MAX = 128
_THREADS_MAX = 512
#: The devices /dev/tty, the controlling terminal of a process, and /dev/ptmx, which creates terminals.
_OWN_TERMINAL = os.makedev(5, 0)
_TERMINAL_MAKER = os.makedev(5, 2)
_TICKS = os.sysconf("SC_CLK_TCK")
_READ_MAX = 1 << 16


def look(group: int, terminal: int) -> Evidence:
    """Return what the task's processes in the process group `group` are doing with `terminal` (a device number).

    Never raises: what cannot be determined is left out.
    """
    processes = list(_members(group))
    # Unless all processes are known, an unknown one may be the one that is waiting.
    evidence = Evidence(told=bool(processes), alone=len(processes) == 1)
    threads = 0
    for pid, fields in processes:
        evidence.cpu += (int(fields[11]) + int(fields[12])) / _TICKS
        names = [str(pid)]
        if int(fields[17]) > 1:
            evidence.alone = False
            names = _list(f"/proc/{pid}/task")
        for name in names[: _THREADS_MAX - threads]:
            threads += 1
            call = parse(_read(f"/proc/{pid}/task/{name}/syscall"), _MACHINE)
            if call is None:
                evidence.told = False
            elif call.kind == RUNNING:
                evidence.busy = True
            elif call.kind != OTHER and not (evidence.reads and not evidence.relay):
                _judge(evidence, pid, call, terminal)
    return evidence


def _members(group: int) -> Iterator[tuple[int, list[str]]]:
    """Iterate over the descendants of this process in a process group: pid, and the fields of their stat."""
    fresh = _children(os.getpid()) if group > 0 else []
    seen: set[int] = set()
    while fresh and len(seen) < _PROCESSES_MAX:
        pid = fresh.pop()
        fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        if len(fields) < 18 or pid in seen:
            continue
        seen.add(pid)
        fresh += _children(pid, int(fields[17]))
        if fields[2] == str(group) and fields[0] not in "ZX":
            yield pid, fields


def _children(pid: int, threads: int = 1) -> list[int]:
    names = [str(pid)] if threads == 1 else _list(f"/proc/{pid}/task")
    children: list[int] = []
    for name in names:
        try:
            with open(f"/proc/{pid}/task/{name}/children", "rb", 0) as file:
                children += map(int, file.read().split())
        except OSError:
            if not os.path.exists(f"/proc/{pid}/task/{name}"):
                continue
            # A kernel without these lists.
            return [child for child, (parent, _, _) in table().items() if parent == pid]
    return children


def _judge(evidence: Evidence, pid: int, call: Call, terminal: int) -> None:
    """Record whether a system call waits for input from the terminal."""
    if call.kind == EPOLL:
        descriptors = watched(_read(f"/proc/{pid}/fdinfo/{call.first}"))
    else:
        descriptors = call.descriptors(_memory(pid, call.memory))
    devices = {_device(pid, fd) for fd in descriptors}
    if not devices & {terminal, _OWN_TERMINAL}:
        return
    name = _read(f"/proc/{pid}/comm").rstrip("\n")
    evidence.reads = True
    evidence.relay = _TERMINAL_MAKER in devices or name.partition(":")[0] in RELAYS
    if name in SHELLS and is_interactive(_read(f"/proc/{pid}/cmdline").rstrip("\0").split("\0")):
        evidence.shell = name


def _device(pid: int, fd: int) -> int:
    """Return the device number of a descriptor; 0 if it is not a character device."""
    try:
        found = os.stat(f"/proc/{pid}/fd/{fd}")
    except OSError:
        return 0
    return found.st_rdev if stat.S_ISCHR(found.st_mode) else 0


def _memory(pid: int, place: tuple[int, int] | None) -> bytes:
    if place is None:
        return b""
    try:
        fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.pread(fd, place[1], place[0])
    except (OSError, OverflowError):
        return b""
    finally:
        os.close(fd)


def _read(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(fd, _READ_MAX).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(fd)


def _list(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []
