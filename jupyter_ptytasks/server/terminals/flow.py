"""Flow control for viewers: by acknowledgments, or else at a pace at which a browser can draw."""

from __future__ import annotations

import asyncio
import time

#: Bytes that may be in flight to a viewer that acknowledges. xterm.js becomes sluggish beyond 500 KB (its flow control
#: guide).
WINDOW = 512 << 10
#: Bytes per second for a viewer that does not; xterm.js parses 5 to 35 MB/s in a browser (same guide), and nobody reads
#: that fast.
PACE = 4 << 20
#: A viewer at the limit of its pace waits until this many bytes may be sent: otherwise there would be thousands of
#: small messages per second.
PIECE = 64 << 10


class Acknowledged:
    """The window of a viewer that acknowledges offsets."""

    def __init__(self) -> None:
        self._sent = self._acknowledged = 0
        self._changed = asyncio.Event()
        #: Since when (monotonic seconds) sent output is unacknowledged; None if there is none.
        self.owing_since: float | None = None

    def begin(self, offset: int) -> None:
        """Start here: everything before counts as acknowledged."""
        self._sent = self._acknowledged = offset
        self.owing_since = None

    def acknowledge(self, offset: int) -> bool:
        """Note that the viewer has drawn everything up to `offset`. Return whether this is more than before."""
        offset = min(offset, self._sent)
        if offset <= self._acknowledged:
            return False
        self._acknowledged = offset
        self.owing_since = time.monotonic() if offset < self._sent else None
        self._changed.set()
        return True

    async def room(self) -> int:
        """Wait until something may be sent, and return how many bytes."""
        while self._sent - self._acknowledged >= WINDOW:
            self._changed.clear()
            await self._changed.wait()
        return WINDOW - (self._sent - self._acknowledged)

    def sent(self, offset: int) -> None:
        """Note that everything up to `offset` is in flight."""
        if self.owing_since is None and offset > self._sent:
            self.owing_since = time.monotonic()
        self._sent = offset


class Paced:
    """The pace of a viewer that does not acknowledge; writes to its socket are also awaited."""

    def __init__(self) -> None:
        #: It never owes anything.
        self.owing_since: float | None = None
        self._offset = 0
        self._allowance = float(WINDOW)
        self._at = time.monotonic()

    def begin(self, offset: int) -> None:
        """Count from here."""
        self._offset = offset

    def acknowledge(self, offset: int) -> bool:  # noqa: ARG002  as the other's
        """Ignore it."""
        return False

    async def room(self) -> int:
        """Wait until something may be sent, and return how many bytes."""
        self._refill()
        while self._allowance < PIECE:
            await asyncio.sleep((PIECE - self._allowance) / PACE)
            self._refill()
        return int(self._allowance)

    def _refill(self) -> None:
        now = time.monotonic()
        self._allowance = min(self._allowance + (now - self._at) * PACE, WINDOW)
        self._at = now

    def sent(self, offset: int) -> None:
        """Note that everything up to `offset` is in flight."""
        self._allowance -= offset - self._offset
        self._offset = offset
