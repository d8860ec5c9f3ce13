"""A section of a ring that is read like a whole ring: the output of one command."""

from __future__ import annotations

from ..terminal.modes import TerminalModes
from .format import Keyframe
from .reader import RingReader


class Section(RingReader):
    """The bytes of `reader` from offset `start` up to `end`; the first one is in line number `line`.

    It begins with a terminal in its initial state. The caller closes `reader`.
    """

    __slots__ = ("_end", "_line", "_reader", "_start")

    def __init__(self, reader: RingReader, start: int, end: int, line: int) -> None:
        super().__init__(reader.directory)
        self._reader = reader
        self._start = start
        self._end = end
        self._line = line

    def bases(self) -> list[int]:
        """Return where segments begin within the section, and its beginning, unless it has been dropped."""
        bases = [base for base in self._reader.bases() if base < self._end]
        behind = [base for base in bases if base > self._start]
        return [self._start, *behind] if len(behind) < len(bases) else behind

    def bounds(self) -> tuple[int, int]:
        """Return the offsets of the first available byte and of the end."""
        start = min(max(self._start, self._reader.bounds()[0]), self._end)
        return start, self._end

    def read(self, offset: int, limit: int) -> tuple[int, bytes]:
        """Return bytes like the reader, but none before the beginning or after the end."""
        offset = max(offset, self._start)
        return self._reader.read(offset, min(limit, max(self._end - offset, 0)))

    def keyframe(self, base: int) -> Keyframe:
        """Return the keyframe of a segment, or the one of the beginning."""
        if base != self._start:
            return self._reader.keyframe(base)
        modes = TerminalModes()
        modes.fed = base
        return Keyframe(line=self._line, time=0.0, rows=0, cols=0, modes=modes, scrollback=b"")

    def line(self, base: int) -> int:
        """Return the number of line feeds before a segment, or before the beginning."""
        return self._line if base == self._start else self._reader.line(base)

    def sizes(self, start: int, end: int) -> list[tuple[int, int, int]]:
        """Return the terminal's sizes as the reader does."""
        return self._reader.sizes(start, end)
