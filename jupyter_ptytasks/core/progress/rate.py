"""How long it will take, by how fast it went."""

from __future__ import annotations

import math

#: Seconds after which what was seen counts for a third of what is seen now.
_MEMORY = 60.0


class Rate:
    """The speed of a fraction, smoothed exponentially over time (EWMA)."""

    def __init__(self) -> None:
        self._fraction: float | None = None
        self._at = 0.0
        self._speed: float | None = None

    def take(self, fraction: float, now: float) -> None:
        """Take in where it is at `now`."""
        if self._fraction is None or fraction < self._fraction:
            self._fraction, self._at, self._speed = fraction, now, None
            return
        passed = now - self._at
        if passed <= 0 or fraction == self._fraction:
            return
        speed = (fraction - self._fraction) / passed
        weight = 1.0 if self._speed is None else 1.0 - math.exp(-passed / _MEMORY)
        self._speed = speed * weight + (self._speed or 0.0) * (1.0 - weight)
        self._fraction, self._at = fraction, now

    @property
    def eta(self) -> float | None:
        """Seconds to the end, from when it last moved; None until it has moved once."""
        if self._speed is None or self._fraction is None or self._speed <= 0:
            return None
        eta = (1.0 - self._fraction) / self._speed
        return round(eta, 1) if math.isfinite(eta) else None
