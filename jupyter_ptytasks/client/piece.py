"""A piece of a task's raw output."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """Output bytes from the absolute `offset`; `start` and `end` bound what was kept at that time.

    `lost` counts the discarded bytes between the requested offset and `offset`.
    """

    offset: int
    data: bytes
    start: int
    end: int
    lost: int = 0

    @property
    def next(self) -> int:
        """The offset of the next byte."""
        return self.offset + len(self.data)
