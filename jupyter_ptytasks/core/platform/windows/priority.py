"""Running at a lower priority: here only permanently, for a whole process. Work is not done at a lower priority for a
while, since that requires priorities of single threads.
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
    """Give this process the lowest priority permanently."""
    win32.be_idle()


def lower_session(*, on: bool) -> bool:  # noqa: ARG001
    """Return True: sessions have no priority."""
    return True
