"""What the loop of a ptyhost waits for."""

from __future__ import annotations

from . import unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READ, WRITE = 1, 4

#: The most descriptors that `select` takes.
_DESCRIPTORS_MAX = 512


class Poll:
    """Waits for descriptors."""

    def __init__(self) -> None:
        raise unsupported()


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
