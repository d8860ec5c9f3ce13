"""Recordings of a task's output in asciicast format, from the ring and the times in its index. Blocking.

https://docs.asciinema.org/manual/asciicast/v3 and v2. Queries and side effects beyond the screen are removed, as in a
replay, since players write recordings to a terminal.
"""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING

from ..core import signals, strict_json
from ..core.terminal import replay
from ..core.terminal.sanitise import sanitise
from ..core.terminal.vt import complete, seven_bit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..core.model import Task
    from ..core.ring.reader import RingReader

#: Maximum size of the output in one event, in bytes.
_BLOCK = 1 << 16
#: Only the beginning of a longer token, which may be an unterminated string, is kept.
_LONGEST_TOKEN = 1 << 20
_BEGINNING = 1 << 12


def asciicast(reader: RingReader, task: Task, *, version: int, idle: float) -> Iterator[bytes]:
    """Iterate over the lines of a recording of the current ring, each with its line feed.

    Args:
        version: of the format, 3 or 2. Only 3 has the exit code.
        idle: maximum number of seconds between two events; 0 keeps all times.
    """
    start, end = reader.bounds()
    bases = [base for base in reader.bases() if base < end]
    first = reader.keyframe(start) if bases else None
    rows, cols = task.rows, task.cols
    began = task.started or task.created
    if first is not None:
        rows, cols, began = first.rows or rows, first.cols or cols, first.time or began
    recording = _Recording(reader, version, idle, began, rows, cols)
    yield recording.header(task)
    for base, behind in zip(bases, [*bases[1:], end], strict=False):
        yield from recording.segment(base, behind)
    if task.ended is not None:
        recording.pass_until(task.ended)
    status = _status(task)
    if version == 3 and status is not None:
        yield recording.event("x", str(status))


class _Recording:
    """Writes events with their times. `_offset` is up to where the output was written."""

    def __init__(self, reader: RingReader, version: int, idle: float, began: float, rows: int, cols: int) -> None:
        self._reader = reader
        self._version = version
        self._idle = idle
        self._began = began
        self._size = (rows, cols)
        #: The Unix time of what comes next, seconds since the last event, and seconds of the whole recording.
        self._now = began
        self._interval = self._length = 0.0
        self._offset = 0
        self._held = b""

    def header(self, task: Task) -> bytes:
        """Return the first line."""
        rows, cols = self._size
        kind = "xterm-256color"
        terminal: dict[str, object] = {"term": {"cols": cols, "rows": rows, "type": kind}}
        if self._version == 2:
            terminal = {"width": cols, "height": rows, "env": {"TERM": kind}}
        command = task.command if isinstance(task.command, str) else shlex.join(task.command)
        about = {"timestamp": int(self._began), "command": command, "title": task.name}
        return strict_json.encode({"version": self._version, **terminal, **about}) + b"\n"

    def pass_until(self, now: float) -> None:
        """Advance to a Unix time. Recordings never go back, even if the clock was set back."""
        passed = max(now - self._now, 0.0)
        self._now = now
        self._interval = min(self._interval + passed, self._idle or math.inf)

    def event(self, code: str, data: str) -> bytes:
        """Return the line of an event that happens now."""
        self._length += self._interval
        at = self._interval if self._version == 3 else self._length
        self._interval = 0.0
        return strict_json.encode([round(at, 6), code, data]) + b"\n"

    def segment(self, base: int, end: int) -> Iterator[bytes]:
        """Iterate over the events of a segment. The first one, and those after a gap, begin with the screen there."""
        if base != self._offset:
            yield from self._draw(base)
        for time, offset, rows, cols in self._reader.records(base, base, end + 1):
            self.pass_until(time)
            yield from self._output(min(offset, end))
            yield from self._resize(rows, cols)
        # What comes behind the last record is recorded with the next segment.
        following = self._reader.keyframe(end).time if end in self._reader.bases() else 0.0
        if following:
            self.pass_until(following)
        yield from self._output(end)

    def _output(self, end: int) -> Iterator[bytes]:
        for offset, data in self._reader.blocks(self._offset, end, _BLOCK):
            if offset != self._offset:
                # The output before was dropped meanwhile or is damaged: a segment begins here.
                yield from self._draw(offset)
            self._offset = offset + len(data)
            whole = seven_bit(self._held + data)
            cut = complete(whole)
            self._held = whole[cut:]
            if len(self._held) > _LONGEST_TOKEN:
                self._held = self._held[:_BEGINNING]
            if cut:
                yield self.event("o", sanitise(whole[:cut]).decode("utf-8", "replace"))

    def _resize(self, rows: int, cols: int) -> Iterator[bytes]:
        if rows and cols and (rows, cols) != self._size:
            self._size = (rows, cols)
            yield self.event("r", f"{cols}x{rows}")

    def _draw(self, base: int) -> Iterator[bytes]:
        """Draw the screen at the beginning of a segment, replacing what was shown before."""
        keyframe = self._reader.keyframe(base)
        yield from self._resize(keyframe.rows, keyframe.cols)
        rows, cols = self._size
        drawn = replay.build(keyframe.scrollback, keyframe.modes, b"", rows=rows, cols=cols)
        data = drawn.data + drawn.tail
        cut = complete(data)
        self._offset, self._held = base, data[cut:]
        yield self.event("o", data[:cut].decode("utf-8", "replace"))


def _status(task: Task) -> int | None:
    """Return the exit status that a shell would report; None if the task has none."""
    if task.live:
        return None
    if task.exit.code is None and task.exit.signal:
        try:
            return 128 + signals.number_of(task.exit.signal)
        except ValueError:
            return None
    return task.exit.code
