"""The time left, from the speed so far."""

from __future__ import annotations

import math

#: Seconds after which the weight of past progress has decayed to about a third (1/e).
_MEMORY = 60.0


class Rate:
    """The speed of a fraction: progress divided by time, both with exponentially decaying weights.

    Both sums start at 0, so the first interval counts only for its length.
    """

    def __init__(self) -> None:
        self._fraction: float | None = None
        self._at = 0.0
        self._distance = 0.0
        self._time = 0.0

    def take(self, fraction: float, now: float) -> None:
        """Add the fraction at `now` (seconds)."""
        if self._fraction is None or fraction < self._fraction:
            self._fraction, self._at = fraction, now
            self._distance = self._time = 0.0
            return
        passed = now - self._at
        if passed <= 0 or fraction == self._fraction:
            return
        kept = math.exp(-passed / _MEMORY)
        # The beginning of the interval itself has decayed, too.
        seen = _MEMORY * (1.0 - kept)
        self._distance = self._distance * kept + (fraction - self._fraction) / passed * seen
        self._time = self._time * kept + seen
        self._fraction, self._at = fraction, now

    @property
    def eta(self) -> float | None:
        """Seconds to the end, from the last change; None before the first change."""
        if self._fraction is None or self._time <= 0 or self._distance <= 0:
            return None
        eta = (1.0 - self._fraction) * self._time / self._distance
        return round(eta, 1) if math.isfinite(eta) else None
