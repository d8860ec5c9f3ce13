"""How long it will take, by how fast it went."""

from __future__ import annotations

import math

#: Seconds after which what was seen counts for a third of what is seen now.
_MEMORY = 60.0


class Rate:
    """The speed of a fraction: how far it came by how long that took, of which both fade exponentially with time.

    Both sums begin at nothing, so that a first interval counts for no more than its length.
    """

    def __init__(self) -> None:
        self._fraction: float | None = None
        self._at = 0.0
        self._distance = 0.0
        self._time = 0.0

    def take(self, fraction: float, now: float) -> None:
        """Take in where it is at `now` (seconds)."""
        if self._fraction is None or fraction < self._fraction:
            self._fraction, self._at = fraction, now
            self._distance = self._time = 0.0
            return
        passed = now - self._at
        if passed <= 0 or fraction == self._fraction:
            return
        kept = math.exp(-passed / _MEMORY)
        # Of the interval itself the beginning has faded, too.
        seen = _MEMORY * (1.0 - kept)
        self._distance = self._distance * kept + (fraction - self._fraction) / passed * seen
        self._time = self._time * kept + seen
        self._fraction, self._at = fraction, now

    @property
    def eta(self) -> float | None:
        """Seconds to the end, from when it last moved; None until it has moved once."""
        if self._fraction is None or self._time <= 0 or self._distance <= 0:
            return None
        eta = (1.0 - self._fraction) * self._time / self._distance
        return round(eta, 1) if math.isfinite(eta) else None
