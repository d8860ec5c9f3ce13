"""Processes that outlive the process that starts them."""

from __future__ import annotations

from . import unsupported


def environment() -> dict[str, str]:
    """Return the environment of a process that `spawn` starts."""
    raise unsupported()


def spawn(program: str, arguments: list[str], *, log: str, stdin: int | None = None) -> int:  # noqa: ARG001
    """Run a Python program that leaves this process's tree."""
    raise unsupported()


def leave() -> None:
    """Leave the process tree of the process that started this one with `spawn`."""
    raise unsupported()


def detach() -> None:
    """Become a ptyhost without a parent."""
    raise unsupported()


def stay() -> None:
    """Become a ptyhost in the place of this process."""
    raise unsupported()


def keep_lock(argument: str) -> None:  # noqa: ARG001
    """Keep the lock that this process was started with, and hand it on to no other process."""
    raise unsupported()


def release_lock(argument: str) -> None:  # noqa: ARG001
    """Release that lock before this process ends."""
    raise unsupported()
