"""Wakes the scheduler, or starts it if it is not running: for servers, and for every ptyhost when it ends."""

from __future__ import annotations

import os
import time

from .platform import detach, endpoint

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_MAIN = os.path.join(_PACKAGE, "scheduler", "__main__.py")


#: Seconds for which a ptyhost waits at its end until the scheduler has finished its work.
_PATIENCE = 60.0
#: Seconds between two attempts to reach it, and seconds that it may take to start.
_PAUSE = 0.1
_STARTING = 5.0
#: How often it may close the connection without an answer: if it is killed, and always if it is an older version.
_HANG_UPS = 10


def socket_path(runtime_dir: str) -> str:
    """Return the path of the scheduler's socket: a connection wakes it."""
    return os.path.join(runtime_dir, "scheduler.sock")


def marker(data_dir: str) -> str:
    """Return the path of a file that exists while tasks wait for the scheduler."""
    return os.path.join(data_dir, "queue.pending")


def mark(data_dir: str) -> None:
    """Note that a task waits for the scheduler. Raises OSError."""
    os.close(os.open(marker(data_dir), os.O_WRONLY | os.O_CREAT, 0o600))


def wake(data_dir: str, runtime_dir: str) -> None:
    """Wake the scheduler; start one if none is running and tasks wait for it. Raises OSError."""
    if not endpoint.knock(socket_path(runtime_dir)) and os.path.exists(marker(data_dir)):
        _start(data_dir, runtime_dir)


def hand_over(data_dir: str, runtime_dir: str) -> None:
    """Wake the scheduler, and wait until it has started the tasks that may start now. Raises OSError.

    If the scheduler is killed before that, and there is no server and no other task, this process is the last one that
    can start another scheduler. It waits for at most a minute.
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
