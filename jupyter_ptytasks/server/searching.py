"""Searches the output of many tasks, one after the other, in steps of bounded duration. Blocking; can be canceled.

There is no index: most output is never searched, and a ring is read at about the speed of a disk. Lines are searched as
a terminal shows them (core/terminal/lines.py). What a search finds out about a ring is cached (core/ring/known.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import regex

from ..core.ring.lines import RingLines
from .search import Cancelled, Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from ..core.model import Task
    from ..core.ring.known import KnownRings
    from ..core.ring.reader import RingReader
    from .search import Line

#: Seconds of a step, after which other searches can use the thread; and of a whole search, also the CPU time of its
#: pattern.
_STEP = 0.05
_PATIENCE = 60.0
#: Maximum number of characters in the lines that one step returns.
_PIECE = 1 << 16


@dataclass(frozen=True)
class Wanted:
    """What to search for: text, or with `regex` a regular expression; at most `limit` lines."""

    q: str
    regex: bool = False
    ignore_case: bool = False
    limit: int = 1000

    @property
    def pattern(self) -> str:
        """The text or expression as a regular expression."""
        return self.q if self.regex else regex.escape(self.q)


class Searching:
    """A search through the rings of `tasks`, in this order.

    `open_ring` opens a ring, `cancel` ends the search, and `known` is the cache of what is known about rings.
    """

    def __init__(
        self,
        tasks: list[Task],
        open_ring: Callable[[Task], RingReader],
        wanted: Wanted,
        cancel: Event,
        known: KnownRings,
    ) -> None:
        """Raise BadRequest for `q` if it is not a regular expression."""
        self._tasks = tasks
        self._open_ring = open_ring
        self._cancel = cancel
        self._known = known
        self._pattern = Pattern(
            wanted.pattern, cancel=cancel, field="q", patience=_PATIENCE, ignore_case=wanted.ignore_case
        )
        self._limit = wanted.limit
        self._deadline = time.monotonic() + _PATIENCE
        self._hits = self._searched = self._bytes = self._unreadable = 0
        #: Why the search ended early: `limit`, `time`, or None.
        self._reason: str | None = None
        self._walk = self._all()

    def step(self) -> tuple[list[dict[str, Any]], bool]:
        """Return the next matching lines (client.types.Hit), possibly none, and whether there may be more.

        Raises BadRequest if the pattern takes too long, Cancelled.
        """
        hits: list[dict[str, Any]] = []
        size = 0
        end = time.monotonic() + _STEP
        for hit in self._walk:
            if hit is not None:
                hits.append(hit)
                size += len(hit["text"])
            # The first line is returned immediately.
            if size > _PIECE or time.monotonic() > end or (hits and self._hits == 1):
                return hits, True
        return hits, False

    def summary(self) -> dict[str, Any]:
        """Return what was searched so far (client.types.Searched)."""
        return {
            "hits": self._hits,
            "tasks": self._searched,
            "bytes": self._bytes,
            "unreadable": self._unreadable,
            "reason": self._reason,
        }

    def _all(self) -> Iterator[dict[str, Any] | None]:
        """Iterate over the matching lines, and yield None after each batch of lines."""
        for task in self._tasks:
            try:
                with self._open_ring(task) as reader:
                    yield from self._one(task, reader)
            except OSError:
                self._unreadable += 1
            self._searched += 1
            if self._reason is not None:
                return

    def _one(self, task: Task, reader: RingReader) -> Iterator[dict[str, Any] | None]:
        start, end = reader.bounds()
        if start == end:
            return
        ring = RingLines(reader, (task.rows, task.cols), known=self._known)
        last: tuple[int, int] | None = None
        for line, near in self._matching(ring):
            if line is None:
                yield None
                continue
            number, text = line
            # Count from the previous hit if that is nearer: many hits in one batch are located in one pass.
            last = ring.locate(number, max(filter(None, (last, near)), default=None))
            excerpt = self._pattern.excerpt(text)
            yield {
                "task": task.id,
                "name": task.name,
                "line": number,
                "offset": last[0],
                "text": excerpt.text,
                "start": excerpt.start,
                "spans": excerpt.spans,
            }
        self._bytes += end - start

    def _matching(self, ring: RingLines) -> Iterator[tuple[Line | None, tuple[int, int] | None]]:
        """Iterate over the matching lines of a ring, each with the location of itself or of an earlier line, and yield
        None after each batch of lines.
        """
        reading = ring.since(ring.first)
        near: tuple[int, int] | None = None
        for batch in reading.in_bulk():
            for line in self._of(self._pattern.matching(batch, 0, self._left)):
                yield line, near if isinstance(batch, list) else batch.place(line[0])
            if not isinstance(batch, list):
                near = batch.behind
            if self._reason is not None:
                return
            yield None, None
        rest = [(number, text) for number, text, _ in reading.rest()]
        for line in self._of(self._pattern.matching(rest, 0, self._left)):
            yield line, near

    @property
    def _left(self) -> int:
        # One more than requested, to know whether there are others.
        return self._limit - self._hits + 1

    def _of(self, lines: list[Line]) -> Iterator[Line]:
        """Iterate over lines up to the limit, and check whether the search has been canceled or has timed out."""
        for line in lines:
            if self._hits == self._limit:
                self._reason = "limit"
                return
            self._hits += 1
            yield line
        if self._cancel.is_set():
            raise Cancelled
        if time.monotonic() > self._deadline:
            self._reason = "time"
