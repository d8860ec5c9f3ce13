"""What is known of rings from earlier walks: where their output is plain, and the lines of the rest.

It is kept in memory, and bounded. Bytes of a ring never change, so what was found of them stays true. Plain lines are
not kept: they are read again.
"""

from __future__ import annotations

import random
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..terminal.lines import Lines
    from ..terminal.plain import Plain

#: Bytes that all together take at most, and about those of a terminal, of a line besides its text, and of a stretch.
_MOST = 64 << 20
_TERMINAL = 20_000
_LINE = 150
_STRETCH = 300
#: What is kept of a ring takes at most this part of its bytes, and so much besides: else its lines are drawn again.
_PART = 4
_SOME = 1 << 18


class Stretch:
    """Plain lines between two offsets: the first one has number `number`, and `feeds` line feeds before it."""

    __slots__ = ("end", "feeds", "number", "plain", "start")

    def __init__(self, start: int, end: int, number: int, feeds: int, plain: Plain) -> None:
        self.start = start
        self.end = end
        self.number = number
        self.feeds = feeds
        self.plain = plain


class Known:
    """What a walk from the beginning `start` of a ring has found up to `offset`, at a terminal that had `size` where
    none is recorded: plain stretches and drawn lines in order, and all that the walk goes on from (ring.reading).

    What comes from a file (ring.known_file) ends with the ring: instead of a terminal it has the lines on its screen,
    `rest`.
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
        """Return one to add to, with the same parts."""
        other = Known(self.start, self.size, list(self.parts))
        other.offset, other.weight = self.offset, self.weight
        return other

    @property
    def is_full(self) -> bool:
        """Whether no more is to be added: it is about as much as the output itself."""
        return self.weight > (self.offset - self.start) // _PART + _SOME

    def add(self, lines: list[tuple[int, str]], stretch: Stretch | None, offset: int) -> None:
        """Add what comes next, up to `offset`: lines, and a stretch behind them."""
        if lines:
            self.parts.append(lines)
            self.weight += sum([len(text) for _, text in lines]) + _LINE * len(lines)
        if stretch is not None:
            self.parts.append(stretch)
            self.weight += _STRETCH
        self.offset = offset


class KnownRings:
    """Keeps what is known of many rings, by their directories. Thread-safe; what is kept is not changed any more."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._rings: dict[str, Known] = {}
        self._weight = 0
        self._lock = Lock()

    def get(self, directory: str) -> Known | None:
        """Return what is known of a ring."""
        return self._rings.get(directory)

    def keep(self, directory: str, known: Known) -> None:
        """Keep this of a ring, instead of what was kept before."""
        with self._lock:
            self._forget(directory)
            while self._rings and self._weight + known.weight > self._most:
                # A search goes through all of them in the same order: the one that was not wanted for the longest time
                # is the next that is.
                self._forget(random.choice(tuple(self._rings)))  # noqa: S311  no secret
            self._rings[directory] = known
            self._weight += known.weight

    def _forget(self, directory: str) -> None:
        known = self._rings.pop(directory, None)
        if known is not None:
            self._weight -= known.weight
