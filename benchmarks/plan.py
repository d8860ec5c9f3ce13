"""The input of every benchmark: its working directory, its duration, and its error."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class BenchmarkFailed(Exception):
    """A measurement could not be made; the others still can."""


@dataclass(frozen=True)
class Plan:
    """`directory` is private and deleted afterwards; `say` reports progress to the user."""

    directory: str
    quick: bool
    say: Callable[[str], None]

    def pick(self, full: int, quick: int) -> int:
        """Return a number for a full run, or the one for a quick run."""
        return quick if self.quick else full


def wait_until(true: Callable[[], object], what: str, *, timeout: float = 60.0, every: float = 0.01) -> None:
    """Wait until something is so. Raises BenchmarkFailed when it has not become so in time."""
    deadline = time.monotonic() + timeout
    while not true():
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"waited {timeout:.0f} s in vain until {what}")
        time.sleep(every)
