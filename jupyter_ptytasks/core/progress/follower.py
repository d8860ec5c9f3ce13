"""Follows how far one attempt of a task is, through what is new at the end of its ring. Blocking."""

from __future__ import annotations

from threading import Lock

from ..ring.attempts import since
from ..ring.reader import RingReader
from . import ProgressReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import Progress

#: Bytes that are read at a time: of what is older only the newest counts.
_TAIL = 64 << 10


class Follower:
    """Reads the progress of `attempt` from the ring in `directory`, from its last bytes on.

    It may be called from any thread. Between two calls nothing is open.
    """

    __slots__ = ("_attempt", "_directory", "_lock", "_position", "_progress", "_reader")

    def __init__(self, directory: str, attempt: int) -> None:
        self._directory = directory
        self._attempt = attempt
        self._reader = ProgressReader()
        self._progress: Progress | None = None
        self._position: int | None = None
        self._lock = Lock()

    def read(self, now: float) -> Progress | None:
        """Take in what is new, at `now` (Unix seconds), and give the present progress. Raises OSError."""
        with self._lock, RingReader(self._directory) as ring:
            self._read(ring, now)
            return self._progress

    def end(self, succeeded: bool, now: float) -> Progress | None:
        """Take in the rest: the attempt has ended. Give its progress for ever. Raises OSError."""
        with self._lock, RingReader(self._directory) as ring:
            self._read(ring, now)
            return self._reader.end(succeeded, now)

    def forget(self) -> None:
        """Begin anew with what comes next."""
        self._reader, self._progress = ProgressReader(), None

    def _read(self, ring: RingReader, now: float) -> None:
        start, end = ring.bounds()
        start = max(start, end - _TAIL)
        if self._position is None:
            self._position = end
            self._progress = self._reader.feed(since(self._attempt, ring.read_range(start, end)), now, gap=True)
            return
        for offset, data in ring.blocks(max(start, self._position), end, _TAIL):
            self._progress = self._reader.feed(data, now, gap=offset > self._position)
            self._position = offset + len(data)
