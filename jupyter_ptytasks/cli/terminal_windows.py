"""The terminal that `attach` runs in, on Windows: not there yet."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: There is no signal for another size: it has to be looked at from time to time.
RESIZED = -1
#: Signals that end `attach`.
ENDING = (signal.SIGTERM, signal.SIGINT)
#: What `attach` exits with when the terminal is closed.
HANGUP_STATUS = 129


class RawMode:
    """Raw mode of the terminal. Raises OSError."""

    def __init__(self, fd: int) -> None:  # noqa: ARG002
        raise OSError("attach does not work on Windows yet")

    def restore(self) -> None:
        """Restore the previous mode."""


@contextmanager
def from_background() -> Iterator[None]:
    """Do nothing: there are no background jobs."""
    yield


class Wakeups:
    """A context in which `wait` returns for keys, for signals, and when another thread calls `wake`."""

    def __enter__(self) -> Wakeups:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wake(self) -> None:
        """Make `wait` return."""

    def wait(self, stdin: int, timeout: float | None) -> tuple[bool, set[int]]:  # noqa: ARG002
        """Return whether there are keys to read, and the signals that came."""
        return False, set()
