"""Giving way: for good, by the priority of a process. For a while is for systems on which each thread has a priority
that it can give up: here it is not done.
"""

from __future__ import annotations

from . import win32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def work_aside(work: Callable[[], None]) -> None:
    """Run `work`."""
    work()


def lower_process() -> None:
    """Give this process the lowest priority for good."""
    win32.be_idle()


def lower_session(*, on: bool) -> bool:  # noqa: ARG001
    """Return True: sessions have no priority."""
    return True
