"""What the processes of one data directory share about a place: the last answer of its queue, so that one process
queries for all, and the calls of its programs, so that they keep a common rate limit. Blocking.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress

from ..core.errors import PtyTasksError
from ..core.files import read_json, write_json
from ..core.machine import boot_id
from ..core.platform import files as system
from ..core.queue.gates import MINUTE
from ..storage.locks import Locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

_HOUR = 3600.0
#: The bytes that are enough for the calls of the last minute, at a pace that respects the rate limits.
_TAIL = 16 << 10
#: The most characters of the name of a program in the record of a call.
_NAME_MAX = 40


class Shared:
    """The files of a place, below `data_dir`; `elsewhere` are directories for its lock, if `data_dir` supports none.

    An answer is only valid on the machine that received it, until it reboots: only there its age is known.
    """

    def __init__(self, data_dir: str, elsewhere: Sequence[str], place: str) -> None:
        self._dir = os.path.join(data_dir, "places")
        self._name = place
        self._locks = Locks(self._dir, elsewhere)

    @contextmanager
    def asking(self) -> Iterator[bool]:
        """Keep other processes from querying the place within the block; yields False if another one is doing so. If
        that cannot be determined, each process queries for itself.
        """
        try:
            system.private_dir(self._dir)
            lock = self._locks.take(f"{self._name}.lock")
        except (OSError, PtyTasksError):
            yield True
            return
        if lock is None:
            yield False
            return
        with lock:
            yield True

    def read_answer(self) -> dict[str, Any]:
        """Return the last answer written by any process; empty if there is none."""
        found = read_json(self.path("answer.json")) or {}
        return found if found.get("boot") == boot_id() and isinstance(found.get("begun"), float) else {}

    def write_answer(self, answer: dict[str, Any]) -> None:
        """Share an answer with other processes, if possible; `begun` is when the query began (monotonic seconds)."""
        with suppress(OSError):
            write_json(self.path("answer.json"), {**answer, "boot": boot_id()})

    def note_call(self, program: str) -> None:
        """Record that a program of the place is called now. If the file cannot be written, it is not counted."""
        now = time.time()
        line = f"{now:.3f} {os.path.basename(program)[:_NAME_MAX]}\n".encode()
        try:
            system.private_dir(self._dir)
            # A single appending write: lines of several processes are not interleaved.
            fd = os.open(self._calls(now), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(fd, line)
            finally:
                os.close(fd)
            os.unlink(self._calls(now - 2 * _HOUR))
        except OSError:
            pass

    def times(self, program: str, seconds: float = MINUTE) -> list[float]:
        """Return when a program was called in the last `seconds` (Unix seconds), oldest first. Reads at most some
        hundred calls, so that a server may do so on its loop.
        """
        return [moment for moment, name in self._recent(seconds, _TAIL) if name == program]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how often each program was called in the last minute and hour."""
        found: dict[str, dict[str, int]] = {}
        young = time.time() - MINUTE
        for moment, name in self._recent(_HOUR):
            one = found.setdefault(name, {"minute": 0, "hour": 0})
            one["hour"] += 1
            one["minute"] += moment > young
        return found

    def _recent(self, seconds: float, at_most: int = 1 << 30) -> list[tuple[float, str]]:
        """Return the calls of the last `seconds`, each with its time, from the last bytes of the files."""
        now = time.time()
        found = []
        for path in dict.fromkeys((self._calls(now - _HOUR), self._calls(now))):
            try:
                with open(path, "rb") as file:
                    file.seek(max(os.fstat(file.fileno()).st_size - at_most, 0))
                    lines = file.read().decode("utf-8", "replace").splitlines()
            except OSError:
                continue
            for line in lines:
                moment, _, name = line.partition(" ")
                try:
                    said = float(moment)
                except ValueError:
                    continue  # an incomplete line: cut off here, or by a full disk
                if now - seconds < said <= now:
                    found.append((said, name))
        return found

    def _calls(self, moment: float) -> str:
        """Return the file with the calls of one hour: old calls are deleted file by file, without rewriting."""
        return self.path(f"calls.{int(moment // _HOUR)}")

    def path(self, suffix: str) -> str:
        """Return the path of one of the files."""
        return os.path.join(self._dir, f"{self._name}.{suffix}")
