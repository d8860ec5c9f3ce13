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
            """Parse the next bytes, at `now` (Unix seconds); with a `gap`, some before are missing. Never raises."""

        def end(self, succeeded: bool, now: float) -> object:
            """Note that the attempt has ended."""


#: Bytes read at a time; limited by the time for parsing them.
_PIECE = 64 << 10
#: More bytes since the last read are a flood, most of which is skipped anyway: only its end is read. Fewer may wait to
#: be read, since all of them count.
_FLOOD = 512 << 10
_GLANCE = 4 << 10


class TailReader:
    """Feeds the output of `attempt` to `parsers`, starting with the last bytes of its ring.

    `parsers` may be replaced. It may be called from any thread. No file is open between two calls.

    Args:
        begin: returns the offset from which the output has not been parsed yet; called at the first read. Then there is
            no gap, unless the output was dropped or is too much. Without it, only the end of new output is ever read.
    """

    __slots__ = ("_attempt", "_begin", "_gap", "_lock", "_most", "_open_ring", "_position", "parsers")

    def __init__(
        self,
        open_ring: Callable[[], RingReader],
        attempt: int,
        parsers: Sequence[Parser],
        begin: Callable[[], int] | None = None,
    ) -> None:
        self._begin = begin
        self._most = _PIECE if begin is None else _FLOOD
        self._open_ring = open_ring
        self._attempt = attempt
        self.parsers = parsers
        self._position: int | None = None
        #: Whether output is missing before it.
        self._gap = False
        self._lock = Lock()

    @property
    def position(self) -> int:
        """The offset up to which the output was read; 0 before the first reading."""
        return self._position or 0

    def read(self, now: float) -> bool:
        """Feed a piece of new output, at `now` (Unix seconds); return whether there is more. Raises OSError."""
        with self._lock, self._open_ring() as ring:
            end = self._look(ring)
            self._skip(end, _GLANCE if end - self.position > _FLOOD else self._most)
            return self._feed(ring, end, _PIECE, now)

    def end(self, succeeded: bool, now: float) -> None:
        """Feed the rest, and end the parsers. Raises OSError."""
        with self._lock, self._open_ring() as ring:
            end = self._look(ring)
            self._skip(end, _PIECE if end - self.position > _FLOOD else self._most)
            self._feed(ring, end, end, now)
            for parser in self.parsers:
                parser.end(succeeded, now)

    def _look(self, ring: RingReader) -> int:
        """Return where the output ends; the first time, find out where parsing begins."""
        start, end = ring.bounds()
        if self._position is None:
            begin = self._begin() if self._begin is not None else None
            first = max(start, end - self._most, begin or 0)
            data = ring.read_range(first, end)
            own = since(self._attempt, data)
            self._position = end - len(own)
            self._gap = begin is None or (first > begin and len(own) == len(data))
        return end

    def _skip(self, end: int, most: int) -> None:
        """Skip all but the last `most` bytes before `end`."""
        if end - self.position > most:
            self._position, self._gap = end - most, True

    def _feed(self, ring: RingReader, end: int, most: int, now: float) -> bool:
        """Feed the output up to `end`, but only slightly more than `most` bytes; return whether there is more."""
        for offset, data in ring.blocks(self.position, end, _PIECE):
            gap = self._gap or offset > self.position
            self._position, self._gap = offset + len(data), False
            for parser in self.parsers:
                parser.feed(data, now, gap=gap)
            most -= len(data)
            if most <= 0:
                return self.position < end
        return False
