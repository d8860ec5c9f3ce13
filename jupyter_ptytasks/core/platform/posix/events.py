"""What the event loop of a ptyhost waits for: descriptors, the end of children, and signals."""

from __future__ import annotations

import os
import select
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Waits for descriptors: `register(fd, READ | WRITE)`; `poll(milliseconds)` returns pairs of a descriptor and its
#: events. Any other bits indicate an error; reading or writing then raises it.
Poll = select.poll
READ, WRITE = select.POLLIN, select.POLLOUT


def end_of(pid: int) -> int | None:
    """Return a descriptor that becomes ready to READ when a process ends; None if there is no such process, or the
    system does not support this (pidfd_open(2), Linux 5.3). The caller closes it.
    """
    try:
        return os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
    except OSError:
        return None


class Wakeups:
    """Wakes the loop when a child has changed state or a signal has arrived. Signals that would end the process, and
    that are not meant for a ptyhost, are ignored from now on.
    """

    __slots__ = ("_fd",)

    def __init__(self) -> None:
        self._fd, inlet = os.pipe()
        for fd in (self._fd, inlet):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(inlet, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._fd

    def drain(self) -> None:
        """Clear all wakeups so far."""
        try:
            while os.read(self._fd, 512):
                pass
        except BlockingIOError:
            pass


def on_shutdown(action: Callable[[], None]) -> None:
    """Call `action` on SIGTERM, at any time, in the main thread."""
    signal.signal(signal.SIGTERM, lambda *_: action())


def on_renewal(action: Callable[[], None]) -> None:
    """Call `action` on a signal from `ask_for_renewal`, at any time, in the main thread."""
    # tmux and abduco use the same signal for this.
    signal.signal(signal.SIGUSR1, lambda *_: action())


def ask_for_renewal(pid: int) -> None:
    """Ask the ptyhost `pid` to renew its endpoint. Raises OSError if it cannot be asked."""
    os.kill(pid, signal.SIGUSR1)


def descriptors_max() -> int:
    """Return how many descriptors this process may have."""
    return os.sysconf("SC_OPEN_MAX")
