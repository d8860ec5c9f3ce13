"""The time limit of a task, and the signal before it."""

from __future__ import annotations

from ..core import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .timers import Timers

_FOREVER = float("inf")


class TimeLimit:
    """The time limit in a spec; none if `value` is empty. Raises ValueError, TypeError or KeyError if it is invalid."""

    __slots__ = ("_before", "_seconds", "_signal")

    def __init__(self, value: Any) -> None:
        self._seconds: float | None = None
        self._signal: int | None = None
        self._before = 0.0
        if value:
            self._seconds = float(value["seconds"])
            warning = value.get("warning")
            if warning:
                self._signal, self._before = signals.number_of(warning["signal"]), float(warning["before"])
            if not self._seconds + self._before < _FOREVER:
                raise ValueError("the time limit must be a number")

    def begin(self, now: float, timers: Timers, warn: Callable[[int], None], stop: Callable[[], None]) -> None:
        """Start the time at `now`. Call `stop` when it is up, and `warn` before that with the number of a signal."""
        if self._seconds is None:
            return
        timers.set(stop, now + self._seconds)
        if self._signal is not None:
            number = self._signal
            timers.set(lambda: warn(number), now + max(self._seconds - self._before, 0.0))
