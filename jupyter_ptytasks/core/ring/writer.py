"""The writing end of a ring: appends, rolls segments, and drops the oldest; write errors never reach the caller."""

from __future__ import annotations

import errno
import os
import time

from ..files import write_all
from ..platform import files
from ..terminal.modes import TerminalModes
from .format import RECORD, Keyframe, decode_index, index_path, list_bases, log_path, packed_path

_LINE_FEED = 0x0A

#: Minimum time between index records (seconds); once a second for a trickle of single bytes.
_RECORD_EVERY = 0.05
_RECORD_EVERY_TRICKLE = 1.0
_TRICKLE = 256
#: Before a silence of this many seconds, and at the end, the time of the last bytes is recorded.
_SILENCE = 1.0

#: Minimum number of bytes that are drawn for the scrollback of a keyframe, and additional bytes for every second that
#: the segment took. So a flood spends a bounded share of its time on keyframes, while a progress bar of an hour is
#: drawn completely.
_LOOK_BACK = 1 << 17
_LOOK_BACK_PER_SECOND = 400_000


class RingWriter:
    """Appends the output of one task to the ring in `directory`, and keeps it under `size` bytes.

    A ring has one writer (the holder of the task's lock), which does not know about readers. `end` and
    `start` are the absolute offsets of the ring, `lines` the line feeds before `end`, `lost` the bytes for which there
    was no space. Lost bytes have no offset. Opening an existing ring continues at its end. The caller closes it.
    Raises OSError only if the directory and the first segment cannot be created.
    """

    __slots__ = (
        "_base",
        "_checkpoints",
        "_directory",
        "_fault",
        "_index",
        "_index_size",
        "_log",
        "_recorded",
        "_recorded_at",
        "_records",
        "_roll_at",
        "_scrollback",
        "_segment",
        "_since",
        "_size",
        "_slack",
        "_start_modes",
        "_written_at",
        "cols",
        "end",
        "lines",
        "lost",
        "modes",
        "rows",
        "start",
    )

    def __init__(self, directory: str, *, size: int, segment: int, rows: int, cols: int) -> None:
        self._directory = directory
        self._size = size
        self._segment = min(segment, size)
        # A segment may become this much longer so that it ends with a complete line.
        self._slack = self._segment // 8
        self._roll_at = self._segment
        self._log = self._index = -1
        self._index_size = self._records = 0
        self._fault = ""
        self._recorded = 0
        self._recorded_at = self._written_at = 0.0
        self.rows, self.cols = rows, cols
        self.lost = self.lines = self.start = self.end = self._base = 0
        self.modes = TerminalModes()
        self._scrollback = b""
        os.makedirs(directory, mode=0o700, exist_ok=True)
        bases = list_bases(directory)
        if bases and self._is_plain(bases[-1]):
            self._resume(bases)
        else:
            self.start = bases[0] if bases else 0
            self._recorded = self.end
            self._begin_segment()

    def _is_plain(self, base: int) -> bool:
        """Return whether the segment at `base` can be continued, after unpacking it if needed. If not, it counts as
        full: `end` is where it ends.
        """
        if os.path.exists(log_path(self._directory, base)):
            return True
        from .packing import packed_size, restore  # noqa: PLC0415  of an attempt that ended long ago

        try:
            restore(self._directory, base)
            return True
        except OSError:
            pass
        try:
            self.end = base + packed_size(packed_path(self._directory, base))
        except OSError:
            self.end = base
        return False

    def _resume(self, bases: list[int]) -> None:
        """Continue where the last writer ended: at the end of the file, in the state that its bytes produce."""
        self.start, self._base = bases[0], bases[-1]
        self._log = os.open(log_path(self._directory, self._base), os.O_RDWR | files.BINARY)
        data = files.pread(self._log, os.fstat(self._log).st_size, 0)
        found = None
        try:
            self._index = os.open(index_path(self._directory, self._base), os.O_RDWR | os.O_CREAT | files.BINARY, 0o600)
            self._index_size = os.fstat(self._index).st_size
            found = decode_index(files.pread(self._index, self._index_size, 0))
        except OSError:
            pass
        if found is None:
            keyframe = Keyframe(
                line=0, time=time.time(), rows=self.rows, cols=self.cols, modes=TerminalModes(), scrollback=b""
            )
            keyframe.modes.fed = self._base
            self._rewrite_index(keyframe)
        else:
            keyframe, records = found
            # A record that was cut by a crash would misalign all later ones.
            self._index_size -= (self._index_size - records) % RECORD.size
            self._records = records
        self._start_from(keyframe)
        self.modes.feed(data)
        self.lines = keyframe.line + data.count(b"\n")
        self.end = self._base + len(data)
        self._checkpoints = [(self.end, self.modes.copy())]
        self._recorded = self.end
        self.resize(self.rows, self.cols)

    def _rewrite_index(self, keyframe: Keyframe) -> None:
        if self._index < 0:
            return
        try:
            os.ftruncate(self._index, 0)
            head = keyframe.encode()
            write_all(self._index, head)
            self._index_size = self._records = len(head)
        except OSError:
            self._drop_index()

    def _start_from(self, keyframe: Keyframe) -> None:
        self._scrollback = keyframe.scrollback
        self.modes = keyframe.modes
        self._start_modes = keyframe.modes.copy()
        self._checkpoints = [(self._base, self._start_modes)]
        self._since = time.monotonic()

    def write(self, data: bytes) -> int:
        """Append `data`; return how many bytes of it were kept. Never raises for a full or failing disk."""
        if self._fault:
            note = f"\x18\r\n[{self.lost} bytes of output lost: {self._fault}]\r\n".encode()
            if self._append(note) < len(note):
                self.lost += len(data)
                return 0
            self._fault = ""
        kept = self._append(data)
        self.lost += len(data) - kept
        return kept

    def _append(self, data: bytes) -> int:
        """Write as much as possible, dropping old segments if needed, and note why the rest was lost."""
        rest = data
        while rest:
            part = rest[: self._helping(rest)]
            try:
                # At its offset, not at the file's end: offsets remain correct even if someone truncates the file.
                count = files.pwrite(self._log, part, self.end - self._base)
            except OSError as error:
                if not self._drop_oldest():
                    self._fault = os.strerror(error.errno or 0)
                    break
                continue
            self._took(part[:count])
            rest = rest[count:]
            if self._is_full(part[count - 1]):
                self._roll()
        return len(data) - len(rest)

    def _helping(self, data: bytes) -> int:
        """Return how many bytes of `data` go into this segment: up to the line that fills it, or all."""
        filled = self.end - self._base
        if filled + len(data) <= self._roll_at:
            return len(data)
        line = data.find(b"\n", max(self._roll_at - filled - 1, 0)) + 1
        return min(line or len(data), self._roll_at + self._slack - filled)

    def _is_full(self, last: int) -> bool:
        """Return whether a new segment is due: preferably after a complete line; `last` is the last byte."""
        filled = self.end - self._base
        if filled >= self._roll_at and (last == _LINE_FEED or filled >= self._roll_at + self._slack):
            return True
        return self._index_size - self._records >= self._roll_at

    def _took(self, data: bytes) -> None:
        now = time.monotonic()
        if now - self._written_at >= _SILENCE:
            self._record_last()
        self._written_at = now
        self.end += len(data)
        self.lines += data.count(b"\n")
        self.modes.feed(data)
        if self.end - self._checkpoints[-1][0] >= _LOOK_BACK:
            self._checkpoints = [self._checkpoints[-1], (self.end, self.modes.copy())]
        every = _RECORD_EVERY if self.end - self._recorded >= _TRICKLE else _RECORD_EVERY_TRICKLE
        if now - self._recorded_at >= every:
            self._record(now)

    def resize(self, rows: int, cols: int) -> None:
        """Record that the terminal has this size from here on."""
        self._record_last()
        self.rows, self.cols = rows, cols
        self._record(time.monotonic())

    def _record_last(self) -> None:
        """Record the time of the last bytes, unless it is already recorded."""
        if self.end > self._recorded:
            self._record(self._written_at)

    def _record(self, at: float) -> None:
        """Record that the bytes so far were written at this time of the monotonic clock."""
        self._recorded, self._recorded_at = self.end, at
        if self._index < 0:
            return
        try:
            came = time.time() - (time.monotonic() - at)
            record = RECORD.pack(came, self.end, self.rows, self.cols, 0)
            files.pwrite(self._index, record, self._index_size)
            self._index_size += len(record)
        except OSError:
            self._drop_index()

    def _roll(self) -> None:
        """Begin a new segment at `end`; if that fails, the old one continues to grow."""
        try:
            scrollback = self._next_scrollback()
        except Exception:  # noqa: BLE001  whatever is wrong with what was written, or with us: it costs no output
            scrollback = b""
        old = (self._log, self._index)
        try:
            self._begin_segment(scrollback)
        except OSError as error:
            # Dropping a segment does not help with other errors (no free descriptor).
            if error.errno in (errno.ENOSPC, errno.EDQUOT) and self._drop_oldest():
                self._roll()
            else:
                self._roll_at += self._slack
            return
        for fd in old:
            if fd >= 0:
                os.close(fd)
        while self._used() + self._segment + self._slack > self._size and self._drop_oldest():
            pass

    def _used(self) -> int:
        """Return the size of the ring with its index, which is larger than the log for a trickle of output."""
        try:
            with os.scandir(self._directory) as entries:
                # Removed files may exist as long as they are being read (platform.files.remove).
                return sum(entry.stat().st_size for entry in entries if not entry.name.endswith(".removed"))
        except OSError:
            return self.end - self.start

    def _begin_segment(self, scrollback: bytes = b"") -> None:
        keyframe = Keyframe(
            line=self.lines, time=time.time(), rows=self.rows, cols=self.cols, modes=self.modes, scrollback=scrollback
        )
        # The index first: a reader that finds the log also finds its keyframe.
        index = log = -1
        head = keyframe.encode()
        try:
            index = os.open(
                index_path(self._directory, self.end), os.O_RDWR | os.O_CREAT | os.O_TRUNC | files.BINARY, 0o600
            )
            write_all(index, head)
            log = os.open(
                log_path(self._directory, self.end), os.O_RDWR | os.O_CREAT | os.O_TRUNC | files.BINARY, 0o600
            )
        except OSError:
            if index >= 0:
                os.close(index)
                os.unlink(index_path(self._directory, self.end))
            raise
        self._log, self._index, self._base = log, index, self.end
        self._index_size = self._records = len(head)
        self._roll_at = self._segment
        self._start_from(keyframe)
        self.resize(self.rows, self.cols)

    def _next_scrollback(self) -> bytes:
        """Return the scrollback for a segment that begins at `end`."""
        alternate = self.modes.alternate_since
        if alternate is not None and alternate <= self._base:
            return self._scrollback  # the normal screen has not changed
        look_back = _LOOK_BACK + int(_LOOK_BACK_PER_SECOND * (time.monotonic() - self._since))
        if alternate is not None or self.end - self._base <= look_back:
            return self._keyframe_from(self._base, self._start_modes, self._scrollback)
        return self._keyframe_from(*self._checkpoints[0], b"")

    def _keyframe_from(self, offset: int, modes: TerminalModes, scrollback: bytes) -> bytes:
        try:
            data = files.pread(self._log, self.end - offset, offset - self._base)
        except OSError:
            return b""
        from ..terminal import replay  # noqa: PLC0415  # takes longer to load than all the rest of a ptyhost

        return replay.keyframe(scrollback, modes, data, self.cols, self.rows)

    def _drop_oldest(self) -> bool:
        """Drop the oldest segment, unless it is the one being written."""
        bases = list_bases(self._directory)
        if len(bases) < 2 or bases[0] >= self._base:
            return False
        oldest = bases[0]
        paths = (log_path(self._directory, oldest), packed_path(self._directory, oldest))
        for path in (*paths, index_path(self._directory, oldest)):
            try:
                files.remove(path)
            except FileNotFoundError:
                pass
            except OSError:
                return False
        self.start = bases[1]
        return True

    def _drop_index(self) -> None:
        """Continue without an index: the log is more important."""
        if self._index >= 0:
            os.close(self._index)
        self._index, self._index_size = -1, 0

    def tail(self, size: int) -> bytes:
        """Return the last written bytes, at most `size`; none if they cannot be read."""
        start = max(self.end - size, self._base)
        try:
            return files.pread(self._log, self.end - start, start - self._base)
        except OSError:
            return b""

    def close(self) -> None:
        """Close the files; the ring remains."""
        self._record_last()
        self._drop_index()
        if self._log >= 0:
            os.close(self._log)
            self._log = -1
