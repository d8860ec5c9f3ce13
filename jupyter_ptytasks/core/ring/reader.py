"""The reading end of a ring: bytes by absolute offset, of a live task or of one that ended long ago.

A reader never blocks or contacts the writer: it only reads the files. Output that is dropped while it reads is skipped.
"""

from __future__ import annotations

import json
import os
import struct
from bisect import bisect_right

from ..platform import files
from ..terminal.modes import TerminalModes
from .format import LENGTHS, MAGIC, RECORD, Keyframe, decode_index, index_path, list_bases, log_path, packed_path
from .packing import packed_size, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

#: Number of index records read at a time.
_RECORDS = 1024

#: Bytes of an index file that always contain its keyframe.
_KEYFRAME_MAX = 1 << 19


class RingReader:
    """Reads the ring in `directory`. Not thread-safe. The caller closes it. `find` returns the directory where the same
    ring is to be read at the moment.

    A missing directory is an empty ring. A truncated segment leaves a hole, which is skipped: `read` returns the offset
    of its bytes.
    """

    __slots__ = ("_base", "_bases", "_directory", "_fd", "_find", "_opened", "_unpacked")

    def __init__(self, directory: str, find: Callable[[], str | None] | None = None) -> None:
        self._directory = directory
        self._find = find
        #: The directory of the open segment.
        self._opened = ""
        self._bases: list[int] = []
        self._base = self._fd = -1
        #: The bytes of the open segment, if it is compressed.
        self._unpacked: bytes | None = None

    def __enter__(self) -> RingReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the open segment."""
        if self._fd >= 0:
            os.close(self._fd)
        self._base = self._fd = -1
        self._unpacked = None

    @property
    def directory(self) -> str:
        """The directory where the ring is currently read."""
        return (self._find() if self._find is not None else None) or self._directory

    def bases(self) -> list[int]:
        """Return the offsets at which the segments begin now, in order."""
        self._bases = list_bases(self.directory)
        return self._bases

    def bounds(self) -> tuple[int, int]:
        """Return the offsets of the first byte and of the end, as they are now."""
        bases = self.bases()
        if not bases:
            return 0, 0
        return bases[0], bases[-1] + self._size(bases[-1])

    def _size(self, base: int) -> int:
        """Return how many bytes the segment at `base` holds."""
        try:
            # Only opening a file revalidates the cache of a shared directory (nfs(5), "Close-to-open cache
            # consistency").
            fd = files.open_shared(log_path(self.directory, base))
            try:
                return os.fstat(fd).st_size
            finally:
                os.close(fd)
        except OSError:
            pass
        try:
            return packed_size(packed_path(self.directory, base))
        except OSError:
            return 0

    def read(self, offset: int, limit: int) -> tuple[int, bytes]:
        """Return up to `limit` bytes from `offset` or, if those have been dropped, from the first available offset
        after it.

        No bytes: there are none yet. There may be fewer than `limit` at the end of a segment.
        """
        data = self._read_segment(offset, limit)
        if data:
            return offset, data
        for base in self.bases():
            if base >= offset and (data := self._read_segment(base, limit)):
                return base, data
        return offset, b""

    def read_nowait(self, offset: int, limit: int) -> bytes | None:
        """Like `read`, but never waits for the disk; None if that is not possible (then call `read` in a thread)."""
        if not self._covers(offset):
            return None
        if self._unpacked is not None:
            return self._read_open(offset, limit) or None
        return files.read_cached(self._fd, limit, offset - self._base) if self._fd >= 0 else None

    def read_range(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end`, without dropped ones."""
        parts = []
        while start < end:
            start, data = self.read(start, end - start)
            if not data or start >= end:
                break
            parts.append(data[: end - start])
            start += len(data)
        return b"".join(parts)

    def blocks(self, start: int, end: int, size: int) -> Iterator[tuple[int, bytes]]:
        """Iterate over the bytes from `start` to `end` in blocks of at most `size`, each with its offset."""
        while start < end:
            start, data = self.read(start, min(size, end - start))
            if not data or start >= end:
                return
            yield start, data[: end - start]
            start += len(data)

    def _covers(self, offset: int) -> bool:
        if self._base < 0 or offset < self._base or self._opened != self.directory:
            return False
        index = bisect_right(self._bases, self._base)
        return index >= len(self._bases) or offset < self._bases[index]

    def _read_segment(self, offset: int, limit: int) -> bytes:
        """Read from the segment in which `offset` should be."""
        if not self._covers(offset):
            self._open(offset)
        data = self._read_open(offset, limit)
        if not data and self._fd >= 0 and self._base == max(self._bases, default=-1):
            # The writer may have rolled since: the next segment begins here, or after a hole. And a file shared with
            # other machines may show new data only after it is reopened.
            self._open(offset)
            data = self._read_open(offset, limit)
        return data

    def _read_open(self, offset: int, limit: int) -> bytes:
        """Read from the open segment, if there is one."""
        if self._unpacked is not None:
            return self._unpacked[offset - self._base : offset - self._base + limit]
        return files.pread(self._fd, limit, offset - self._base) if self._fd >= 0 else b""

    def _open(self, offset: int) -> None:
        self.close()
        self._opened = directory = self.directory
        bases = self.bases()
        index = bisect_right(bases, offset) - 1
        if index < 0:
            return
        try:
            self._fd = files.open_shared(log_path(directory, bases[index]))
        except OSError:
            try:
                with open(packed_path(directory, bases[index]), "rb") as file:
                    self._unpacked = unpack(file.read())
            except OSError:
                return
        self._base = bases[index]

    def keyframe(self, base: int) -> Keyframe:
        """Return the keyframe of the segment at `base`; if its index is damaged or missing, one without modes."""
        found = None
        try:
            with open(files.open_shared(index_path(self.directory, base)), "rb") as file:
                found = decode_index(file.read(_KEYFRAME_MAX))
        except OSError:
            pass
        if found is not None:
            return found[0]
        modes = TerminalModes()
        modes.fed = base
        return Keyframe(line=self._count_lines_before(base), time=0.0, rows=0, cols=0, modes=modes, scrollback=b"")

    def line(self, base: int) -> int:
        """Return the number of line feeds before the segment at `base`, without reading all of its keyframe."""
        try:
            return int(self._about(base)["line"])
        except (KeyError, TypeError, ValueError):
            return self.keyframe(base).line

    def time(self, base: int) -> float:
        """Return the Unix time at which the segment at `base` was started, in the same way; 0 if unknown."""
        try:
            return float(self._about(base)["time"])
        except (KeyError, TypeError, ValueError):
            return 0.0

    def _about(self, base: int) -> dict[str, Any]:
        """Return the JSON of a keyframe; empty if the index is damaged or missing."""
        try:
            with open(files.open_shared(index_path(self.directory, base)), "rb") as file:
                head = file.read(len(MAGIC) + LENGTHS.size)
                if head.startswith(MAGIC):
                    about = json.loads(file.read(LENGTHS.unpack_from(head, len(MAGIC))[0]))
                    return about if isinstance(about, dict) else {}
        except (OSError, ValueError, struct.error):
            pass
        return {}

    def sizes(self, start: int, end: int) -> list[tuple[int, int, int]]:
        """Return the terminal's sizes between two offsets: (offset, rows, columns), the first one at `start` or before;
        none if they were not recorded.
        """
        found: list[tuple[int, int, int]] = []
        bases = self.bases()
        for at, base in enumerate(bases):
            if base >= end > start or (at + 1 < len(bases) and bases[at + 1] <= start):
                continue
            for _, offset, rows, cols in self.records(base, start, end):
                if not found or (rows, cols) != found[-1][1:]:
                    if offset <= start:
                        found.clear()
                    found.append((offset, rows, cols))
        return found

    def records(self, base: int, start: int, end: int) -> Iterator[tuple[float, int, int, int]]:
        """Iterate over the records in a segment's index, from the last one that is not after `start`: the Unix time of
        the bytes before an offset, the offset, and the rows and columns from there on.
        """
        try:
            with open(files.open_shared(index_path(self.directory, base)), "rb") as file:
                head = file.read(len(MAGIC) + LENGTHS.size)
                if not head.startswith(MAGIC) or len(head) < len(MAGIC) + LENGTHS.size:
                    return
                first = len(head) + sum(LENGTHS.unpack_from(head, len(MAGIC)))
                count = (os.fstat(file.fileno()).st_size - first) // RECORD.size
                low, high = 0, max(count - 1, 0)
                while low < high:
                    middle = (low + high + 1) // 2
                    record = files.pread(file.fileno(), RECORD.size, first + middle * RECORD.size)
                    low, high = (middle, high) if RECORD.unpack(record)[1] <= start else (low, middle - 1)
                file.seek(first + low * RECORD.size)
                while len(data := file.read(_RECORDS * RECORD.size)) >= RECORD.size:
                    whole = data[: len(data) // RECORD.size * RECORD.size]
                    for time, offset, rows, cols, _ in RECORD.iter_unpack(whole):
                        if offset >= end > start:
                            return
                        yield time, offset, rows, cols
        except (OSError, struct.error):
            return

    def _count_lines_before(self, base: int) -> int:
        earlier = [other for other in self.bases() if other < base]
        if not earlier:
            return 0
        data = self.read_range(earlier[-1], base)
        return self.keyframe(earlier[-1]).line + data.count(b"\n")
