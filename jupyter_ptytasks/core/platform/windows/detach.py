"""How a ptyhost leaves the process tree of the server that starts it, and what it takes along."""

from __future__ import annotations

from . import unsupported


def detach() -> None:
    """Leave the server's process tree."""
    raise unsupported()


def leave() -> None:
    """Leave the process tree of whoever has started this process, with `spawn`."""
    raise unsupported()


def spawn(argv: list[str], log: str) -> None:  # noqa: ARG001
    """Start a program that detaches itself."""
    raise unsupported()


def keep_lock(argument: str) -> None:  # noqa: ARG001
    """Keep the lock that `launch.start` has handed on, and hand it on to no other process."""
    raise unsupported()
