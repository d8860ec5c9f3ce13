"""A cache of what earlier walks have found in rings: where the output is plain, and all other lines.

The cache is in memory and bounded. It stays valid since the bytes of a ring never change. Plain lines are not cached:
they are read again.
"""

from __future__ import annotations

import random
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..terminal.lines import Lines
    from ..terminal.plain import Plain

#: Maximum size of the cache in bytes; approximate sizes of a terminal, of a line without its text, and of a stretch.
_MOST = 64 << 20
_TERMINAL = 20_000
_LINE = 150
_STRETCH = 300
#: A ring takes at most its own size divided by the first value, plus the second one; further lines are drawn again.
_PART = 4
_SOME = 1 << 18


class Stretch:
    """Plain lines between two offsets. The first one has the number `number` and `feeds` line feeds before it."""

    __slots__ = ("end", "feeds", "number", "plain", "start")

    def __init__(self, start: int, end: int, number: int, feeds: int, plain: Plain) -> None:
        self.start = start
        self.end = end
        self.number = number
        self.feeds = feeds
        self.plain = plain


class Known:
    """What a walk from the beginning `start` of a ring to `offset` found: plain stretches and drawn lines, in order,
    and the state to continue the walk from (`ring.reading`). `size` is the size of the terminal where none is recorded.

    If it comes from a file (`ring.known_file`), it covers the whole ring: instead of a terminal, it has `rest`, the
    lines on its screen.
    """

    __slots__ = ("held", "lines", "offset", "parts", "rest", "run", "size", "skipped", "start", "weight")

    def __init__(self, start: int, size: tuple[int, int], parts: list[Stretch | list[tuple[int, str]]]) -> None:
        self.start = start
        self.size = size
        self.offset = start
        self.parts = parts
        self.lines: Lines | None = None
        self.rest: list[tuple[int, str, bool]] | None = None
        self.run = 0
        self.held = b""
        self.skipped: dict[int, int] = {}
        self.weight = _TERMINAL

    def again(self) -> Known:
        """Return a copy of the parts, to which more can be added."""
        other = Known(self.start, self.size, list(self.parts))
        other.offset, other.weight = self.offset, self.weight
        return other

    @property
    def is_full(self) -> bool:
        """Whether no more should be added, because the cache would become too large for this output."""
        return self.weight > (self.offset - self.start) // _PART + _SOME

    def add(self, lines: list[tuple[int, str]], stretch: Stretch | None, offset: int) -> None:
        """Add what was found up to `offset`: lines, and a stretch after them."""
        if lines:
            self.parts.append(lines)
            self.weight += sum([len(text) for _, text in lines]) + _LINE * len(lines)
        if stretch is not None:
            self.parts.append(stretch)
            self.weight += _STRETCH
        self.offset = offset


class KnownRings:
    """Caches what is known of many rings, by their directories. Thread-safe; cached values are never changed."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._rings: dict[str, Known] = {}
        self._weight = 0
        self._lock = Lock()

    def get(self, directory: str) -> Known | None:
        """Return what is known of a ring, None if nothing is cached."""
        return self._rings.get(directory)

    def keep(self, directory: str, known: Known) -> None:
        """Cache what is known of a ring, replacing what was cached before."""
        with self._lock:
            self._forget(directory)
            while self._rings and self._weight + known.weight > self._most:
                # A search always reads all rings in the same order, so the least recently used one is needed next.
                self._forget(random.choice(tuple(self._rings)))  # noqa: S311  no secret
            self._rings[directory] = known
            self._weight += known.weight

    def _forget(self, directory: str) -> None:
        known = self._rings.pop(directory, None)
        if known is not None:
            self._weight -= known.weight
