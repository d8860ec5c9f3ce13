"""What the event loop of a ptyhost waits for."""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import TYPE_CHECKING

from . import win32

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class HasFileno(Protocol):
        """A socket, or an object that has one."""

        def fileno(self) -> int:
            """Return its descriptor."""


READ, WRITE = 1, 4

#: Seconds for stopping the task when the session ends: the system waits for five.
_FAREWELL = 4.5
#: Maximum number of descriptors for `select`.
_DESCRIPTORS_MAX = 512


class Poll:
    """Waits for sockets with `select`, as poll(2) waits for descriptors elsewhere."""

    def __init__(self) -> None:
        self._events: dict[int, int] = {}

    def register(self, fd: int | HasFileno, eventmask: int, /) -> None:
        """Wait until `fd` is ready for READ, WRITE, or either."""
        self._events[fd if isinstance(fd, int) else fd.fileno()] = eventmask

    def unregister(self, fd: int | HasFileno, /) -> None:
        """Stop waiting for `fd`."""
        del self._events[fd if isinstance(fd, int) else fd.fileno()]

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        """Return the descriptors that are ready, and for what, after at most `timeout` milliseconds."""
        readers = [fd for fd, mask in self._events.items() if mask & READ]
        writers = [fd for fd, mask in self._events.items() if mask & WRITE]
        if not readers and not writers:
            # `select` fails here without sockets.
            time.sleep(timeout / 1000)
            return []
        readable, writable, _ = select.select(readers, writers, [], timeout / 1000)
        ready = dict.fromkeys(readable, READ)
        for fd in writable:
            ready[fd] = ready.get(fd, 0) | WRITE
        return list(ready.items())


def end_of(pid: int) -> int | None:  # noqa: ARG001
    """Return None: `select` waits for sockets only."""
    return None


class Wakeups:
    """Wakes the loop when `wake` is called in any thread."""

    __slots__ = ("_socket",)

    def __init__(self) -> None:
        self._socket, inlet = socket.socketpair()
        for one in (self._socket, inlet):
            one.setblocking(False)
        _inlets.append(inlet)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._socket.fileno()

    def drain(self) -> None:
        """Clear all wakeups so far."""
        try:
            while self._socket.recv(512):
                pass
        except BlockingIOError:
            pass
        if _closing.is_set():
            _on_closing[-1]()


#: The sockets that wake the loops of this process, whether the session is ending, and the action for that.
_inlets: list[socket.socket] = []
_closing = threading.Event()
_on_closing: list[Callable[[], None]] = []


def wake() -> None:
    """Wake the loop. Never raises."""
    for inlet in _inlets:
        try:
            inlet.send(b"!")
        except OSError:
            pass  # with so many wakeups pending it will wake up anyway


def on_shutdown(action: Callable[[], None]) -> None:
    """Call `action`, in the loop, when the session ends: the user logs off, or the machine shuts down."""
    if not _on_closing:
        win32.on_closing(_close)
    _on_closing[:] = [action]


def _close() -> None:
    """Have the loop stop the task; the system terminates this process when this returns, or a little later."""
    _closing.set()
    wake()
    time.sleep(_FAREWELL)


def on_renewal(action: Callable[[], None]) -> None:
    """Do nothing: endpoints are not removed by cleanups here."""


def ask_for_renewal(pid: int) -> None:
    """Do nothing."""


def descriptors_max() -> int:
    """Return how many descriptors this process may have."""
    return _DESCRIPTORS_MAX
