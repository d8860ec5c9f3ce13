"""Wakes the scheduler, and starts it where it is missing: for servers, and for every ptyhost at its end."""

from __future__ import annotations

import os

from .platform import detach, endpoint

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_MAIN = os.path.join(_PACKAGE, "scheduler", "__main__.py")


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
        log = os.path.join(data_dir, "scheduler.log")
        detach.spawn(_MAIN, [data_dir, runtime_dir], log=log)
