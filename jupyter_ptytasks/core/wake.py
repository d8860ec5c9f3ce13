"""Wakes the scheduler, and starts it where it is missing: for servers, and for every ptyhost at its end."""

from __future__ import annotations

import os
import time

from .platform import detach, endpoint

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_MAIN = os.path.join(_PACKAGE, "scheduler", "__main__.py")


#: Seconds for which a ptyhost that has ended waits until the scheduler has done what there was to do.
_PATIENCE = 60.0
#: Seconds between two tries to reach it, and those that it may take to start.
_PAUSE = 0.1
_STARTING = 5.0
#: How often it may hang up without an answer: when it is killed, and always if it is of an older version.
_HANG_UPS = 10


def socket_path(runtime_dir: str) -> str:
    """Return where the scheduler listens: a connection wakes it."""
    return os.path.join(runtime_dir, "scheduler.sock")


def marker(data_dir: str) -> str:
    """Return the path of a file that is there while tasks wait for the scheduler."""
    return os.path.join(data_dir, "queue.pending")


def mark(data_dir: str) -> None:
    """Note that a task waits for the scheduler. Raises OSError."""
    os.close(os.open(marker(data_dir), os.O_WRONLY | os.O_CREAT, 0o600))


def wake(data_dir: str, runtime_dir: str) -> None:
    """Wake the scheduler if there is one; start one if not, and tasks wait for it. Raises OSError."""
    if not endpoint.knock(socket_path(runtime_dir)) and os.path.exists(marker(data_dir)):
        _start(data_dir, runtime_dir)


def hand_over(data_dir: str, runtime_dir: str) -> None:
    """Wake the scheduler, and wait until it has started what may start now. Raises OSError.

    It may be killed before that, and no server may be there, and no other task: then this process is the last one that
    can start another scheduler. It waits for a minute at most.
    """
    deadline = time.monotonic() + _PATIENCE
    next_start = 0.0
    hang_ups = 0
    while (now := time.monotonic()) < deadline and hang_ups < _HANG_UPS:
        try:
            if endpoint.ask(socket_path(runtime_dir), deadline - now):
                return
            hang_ups += 1
        except BlockingIOError:
            pass  # many wait already
        except OSError:
            if not os.path.exists(marker(data_dir)):
                return
            if now >= next_start:
                _start(data_dir, runtime_dir)
                next_start = now + _STARTING
        time.sleep(_PAUSE)


def _start(data_dir: str, runtime_dir: str) -> None:
    detach.spawn(_MAIN, [data_dir, runtime_dir], log=os.path.join(data_dir, "scheduler.log"))
