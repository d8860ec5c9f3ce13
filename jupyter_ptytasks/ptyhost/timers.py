"""Timers: actions that are due at some time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .guard import Guard

#: Seconds until a timer whose action failed runs it again.
_RETRY = 1.0


class Timers:
    """Actions, each with the time (monotonic seconds) at which it is due. Signal handlers may set them."""

    __slots__ = ("_dues",)

    def __init__(self) -> None:
        self._dues: dict[Callable[[], None], float] = {}

    def set(self, action: Callable[[], None], due: float) -> None:
        """Run `action` at `due` instead of any earlier set time."""
        self._dues[action] = due

    def set_default(self, action: Callable[[], None], due: float) -> None:
        """Run `action` at `due`, unless a time is already set."""
        self._dues.setdefault(action, due)

    def run(self, now: float, guard: Guard) -> None:
        """Run the actions that are due at `now`."""
        for action in [action for action, due in list(self._dues.items()) if due <= now]:
            del self._dues[action]
            if not guard.attempt("running a timer", action):
                self._dues.setdefault(action, now + _RETRY)

    def dues(self) -> list[float]:
        """Return the times at which actions are due."""
        return list(self._dues.values())
