"""Reads new output at the end of a ring, once for all parsers. Blocking."""

from __future__ import annotations

from threading import Lock

from .attempts import since

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from .reader import RingReader

    class Parser(Protocol):
        """Parses the output of one attempt."""

        def feed(self, data: bytes, now: float, *, gap: bool = False) -> object:
            """Parse the next bytes, at `now` (Unix seconds); with a `gap`, some are missing before. Never raises."""

        def end(self, succeeded: bool, now: float) -> object:
            """Note that the attempt has ended."""


#: Bytes that are read at a time; older output is skipped. Of a flood, so many bytes since the last time, nearly all is
#: skipped anyway: a glance at its end will do.
_TAIL = 64 << 10
#: The same where parsing goes on after a server was away.
_CATCH_UP = 512 << 10
_FLOOD = 1 << 20
_GLANCE = 8 << 10


class TailReader:
    """Feeds the output of `attempt` to `parsers`, starting with the last bytes of its ring.

    `parsers` may be replaced. It may be called from any thread. No file is open between two calls.

    Args:
        begin: returns from where on the output has not been parsed yet; called with the first reading. There is no gap,
            then, unless the output is gone or too long.
    """

    __slots__ = ("_attempt", "_begin", "_lock", "_open_ring", "_position", "parsers")

    def __init__(
        self,
        open_ring: Callable[[], RingReader],
        attempt: int,
        parsers: Sequence[Parser],
        begin: Callable[[], int] | None = None,
    ) -> None:
        self._begin = begin
        self._open_ring = open_ring
        self._attempt = attempt
        self.parsers = parsers
        self._position: int | None = None
        self._lock = Lock()

    @property
    def position(self) -> int:
        """The offset up to which the output was read; 0 before the first reading."""
        return self._position or 0

    def read(self, now: float) -> None:
        """Feed new output, at `now` (Unix seconds). Raises OSError."""
        with self._lock, self._open_ring() as ring:
            self._read(ring, now)

    def end(self, succeeded: bool, now: float) -> None:
        """Feed the rest, and end the parsers. Raises OSError."""
        with self._lock, self._open_ring() as ring:
            self._read(ring, now, is_last=True)
            for parser in self.parsers:
                parser.end(succeeded, now)

    def _read(self, ring: RingReader, now: float, *, is_last: bool = False) -> None:
        start, end = ring.bounds()
        if self._position is None:
            self._read_first(ring, start, end, now)
            return
        is_flood = not is_last and end - self._position > _FLOOD
        start = max(start, self._position, end - (_GLANCE if is_flood else _TAIL))
        for offset, data in ring.blocks(start, end, _TAIL):
            self._feed(data, now, gap=offset > self._position)
            self._position = offset + len(data)

    def _read_first(self, ring: RingReader, start: int, end: int, now: float) -> None:
        begin = self._begin() if self._begin is not None else None
        first = max(start, end - _TAIL if begin is None else max(begin, end - _CATCH_UP))
        data = ring.read_range(first, end)
        own = since(self._attempt, data)
        self._position = end
        self._feed(own, now, gap=begin is None or (first > begin and len(own) == len(data)))

    def _feed(self, data: bytes, now: float, *, gap: bool) -> None:
        for parser in self.parsers:
            parser.feed(data, now, gap=gap)
