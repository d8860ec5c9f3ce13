"""What the loop of a ptyhost waits for."""

from __future__ import annotations

import select
import time

from . import unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class HasFileno(Protocol):
        """A socket, or what has one."""

        def fileno(self) -> int:
            """Return its descriptor."""


READ, WRITE = 1, 4

#: The most descriptors that `select` takes.
_DESCRIPTORS_MAX = 512


class Poll:
    """Waits for sockets with `select`, as poll(2) waits for descriptors elsewhere."""

    def __init__(self) -> None:
        self._events: dict[int, int] = {}

    def register(self, fd: int | HasFileno, eventmask: int, /) -> None:
        """Wait until `fd` is ready for READ, WRITE, or either."""
        self._events[fd if isinstance(fd, int) else fd.fileno()] = eventmask

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        """Return the descriptors that are ready, and for what, after at most `timeout` milliseconds."""
        readers = [fd for fd, mask in self._events.items() if mask & READ]
        writers = [fd for fd, mask in self._events.items() if mask & WRITE]
        if not readers and not writers:
            # `select` refuses to wait for nothing here.
            time.sleep(timeout / 1000)
            return []
        readable, writable, _ = select.select(readers, writers, [], timeout / 1000)
        ready = dict.fromkeys(readable, READ)
        for fd in writable:
            ready[fd] = ready.get(fd, 0) | WRITE
        return list(ready.items())


class Wakeups:
    """Wakes the loop."""

    __slots__ = ()

    def __init__(self) -> None:
        raise unsupported()

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        raise unsupported()

    def drain(self) -> None:
        """Take note of all wake-ups so far."""


def on_shutdown(action: Callable[[], None]) -> None:  # noqa: ARG001
    """Call `action` when this process is told to end."""
    raise unsupported()


def on_renewal(action: Callable[[], None]) -> None:
    """Do nothing: no cleaner removes an endpoint here."""


def ask_for_renewal(pid: int) -> None:
    """Do nothing."""


def descriptors_max() -> int:
    """Return how many descriptors this process may have."""
    return _DESCRIPTORS_MAX
