"""Parses /proc/<pid>/syscall of Linux for system calls that wait for input.

System call numbers differ between architectures. For architectures that are not listed here, nothing is known or
guessed.
"""

from __future__ import annotations

import re
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: Kinds of calls. A `RUNNING` thread is running or runnable.
READ, POLL, SELECT, EPOLL, OTHER, RUNNING = "read", "poll", "select", "epoll", "other", "running"

_X86_64 = {
    0: READ,
    7: POLL,
    19: READ,  # readv
    23: SELECT,
    232: EPOLL,
    270: SELECT,  # pselect6
    271: POLL,  # ppoll
    281: EPOLL,  # epoll_pwait
    441: EPOLL,  # epoll_pwait2
}
_AARCH64 = {22: EPOLL, 63: READ, 65: READ, 72: SELECT, 73: POLL, 441: EPOLL}
_CALLS: Mapping[str, Mapping[int, str]] = {"x86_64": _X86_64, "aarch64": _AARCH64}

#: Maximum number of descriptors in a call; programs that wait for a person do not have more.
_DESCRIPTORS_MAX = 1024
_POLLFD = struct.Struct("=ihh")
_POLLIN = 0x001
_POLLRDNORM = 0x040
_EPOLLIN = 0x001
_TARGET = re.compile(r"^tfd:\s*(\d+)\s+events:\s*([0-9a-f]+)", re.MULTILINE)


class Call:
    """The system call of a thread: its kind, and for one that waits its first two arguments."""

    __slots__ = ("first", "kind", "second")

    def __init__(self, kind: str, first: int = 0, second: int = 0) -> None:
        self.kind = kind
        self.first = first
        self.second = second

    @property
    def memory(self) -> tuple[int, int] | None:
        """Where the memory of the process has the descriptors that it waits for: address and size in bytes. None if
        they are not in memory, or are too many.
        """
        if self.kind == POLL and 0 < self.second <= _DESCRIPTORS_MAX:
            return self.first, self.second * _POLLFD.size
        if self.kind == SELECT and self.second and 0 < self.first <= _DESCRIPTORS_MAX:
            return self.second, (self.first + 63) // 64 * 8  # as longs
        return None

    def descriptors(self, memory: bytes) -> list[int]:
        """Return the descriptors that it waits to read from, given the contents of `memory`."""
        if self.kind == READ:
            return [self.first]
        if self.kind == POLL:
            whole = len(memory) // _POLLFD.size * _POLLFD.size
            entries = _POLLFD.iter_unpack(memory[:whole])
            return [fd for fd, events, _ in entries if fd >= 0 and events & (_POLLIN | _POLLRDNORM)]
        if self.kind == SELECT:
            # The lowest descriptor is the lowest bit of the first long: on these little-endian machines, of the first
            # byte.
            bits = int.from_bytes(memory, "little")
            return [fd for fd in range(self.first) if bits >> fd & 1]
        return []


def knows(machine: str) -> bool:
    """Return whether the system calls of an architecture (the machine of uname(2)) are known."""
    return machine in _CALLS


def parse(text: str, machine: str) -> Call | None:
    """Parse /proc/<pid>/syscall; None if it is not understood."""
    calls = _CALLS.get(machine)
    words = text.split()
    if calls is None or not words:
        return None
    if words[0] == RUNNING:
        return Call(RUNNING)
    try:
        kind = calls.get(int(words[0]), OTHER)
        # Blocked, but not in a system call (-1), or in an irrelevant one.
        return Call(OTHER) if kind == OTHER else Call(kind, int(words[1], 16), int(words[2], 16))
    except (ValueError, IndexError):
        return None


def watched(fdinfo: str) -> list[int]:
    """Return the descriptors that an epoll waits to read from, given its /proc/<pid>/fdinfo/<fd>."""
    return [int(fd) for fd, events in _TARGET.findall(fdinfo) if int(events, 16) & _EPOLLIN]
