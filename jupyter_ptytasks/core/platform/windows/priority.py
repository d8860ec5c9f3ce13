"""Giving way is for systems on which each thread has a priority that it can give up: here it is not done."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def work_aside(work: Callable[[], None]) -> None:
    """Run `work`."""
    work()


def lower_session(*, on: bool) -> bool:  # noqa: ARG001
    """Return True: sessions have no priority."""
    return True
