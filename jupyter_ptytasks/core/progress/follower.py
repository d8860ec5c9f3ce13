"""Follows the progress of one attempt of a task, through new output at the end of its ring. Blocking."""

from __future__ import annotations

from threading import Lock

from ..ring.attempts import since
from ..ring.reader import RingReader
from . import ProgressReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import Progress

#: Bytes that are read at a time; older output is skipped.
_TAIL = 64 << 10


class Follower:
    """Reads the progress of `attempt` from the ring in `directory`, starting with its last bytes.

    It may be called from any thread. No file is open between two calls.
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
        """Read new output, at `now` (Unix seconds), and return the current progress. Raises OSError."""
        with self._lock, RingReader(self._directory) as ring:
            self._read(ring, now)
            return self._progress

    def end(self, succeeded: bool, now: float) -> Progress | None:
        """Read the rest of an attempt that has ended, and return its final progress. Raises OSError."""
        with self._lock, RingReader(self._directory) as ring:
            self._read(ring, now)
            return self._reader.end(succeeded, now)

    def forget(self) -> None:
        """Start over with the next output."""
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
