"""The processes of a task: all descendants of its ptyhost, and signals to all of them."""

from __future__ import annotations

from . import unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def leftover() -> dict[str, Any] | None:
    """Return what the exit record says of the remaining processes of the tree; None: that is not known."""
    return None


def signal_group(group: int, number: int) -> None:
    """Do nothing: there are no process groups."""


def signal_process(pid: int, number: int) -> None:  # noqa: ARG001
    """Send a signal to a process."""
    raise unsupported()


def send(number: int, child: int, foreground: int) -> None:  # noqa: ARG001
    """Send a signal to the whole tree."""
    raise unsupported()


def freeze(child: int, foreground: int) -> None:  # noqa: ARG001
    """Suspend the whole tree."""
    raise unsupported()


def kill(child: int, foreground: int) -> None:  # noqa: ARG001
    """Kill the whole tree."""
    raise unsupported()


def is_empty(foreground: int) -> bool:  # noqa: ARG001
    """Return whether nothing is left of the tree."""
    raise unsupported()


def changes() -> Iterator[tuple[int, bool | dict[str, Any]]]:
    """Iterate over what has changed."""
    raise unsupported()


def end_all() -> None:
    """Kill the whole tree."""
