"""The text of a ring by line number, in bounded responses: for scripts, and readers that pay by the token. Blocking."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.errors import BadRequest
from ..core.ring.lines import RingLines
from ..core.ring.moments import times_at
from ..core.times import iso
from .excerpts import LINE_MAX
from .search import BYTES_MAX, Cancelled, Search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from ..core.ring.known import KnownRings
    from ..core.ring.reader import RingReader
    from ..core.ring.reading import Reading
    from ..core.terminal.plain import Whole

    Batch = TypeVar("Batch", list[tuple[int, str]], "list[tuple[int, str]] | Whole")

#: Output of up to this many bytes is read completely, so that omitted lines can be counted.
_SMALL = 1 << 20
#: Seconds after which a partial response is returned: the next request continues from there.
_PATIENCE = 2.0
#: The same for a search.
_SEARCH_TIME = 10.0
_BYTES_PER_TOKEN = 4


class Mode(str, Enum):
    """Which lines are requested."""

    FULL = "full"
    HEAD = "head"
    TAIL = "tail"
    HEAD_TAIL = "head-tail"


@dataclass(frozen=True)
class Query:
    """A request: lines from number `since` on (the first is 0) that match `grep`, and of them the head or the tail or
    both; with `final` only lines that are unlikely to change, with `times` also their times.
    """

    since: int = 0
    mode: Mode = Mode.FULL
    head_lines: int = 50
    tail_lines: int = 50
    max_lines: int = 1000
    grep: str | None = None
    keep_ansi: bool = False
    final: bool = False
    times: bool = False


@dataclass
class _Found:
    """Lines to return, each (number, text), and how many are omitted at `gap`.

    `next` is the number to continue from, `more` says that there are already lines from there on, `open` that the last
    one is unfinished.
    """

    lines: list[tuple[int, str]] = field(default_factory=list)
    next: int = 0
    more: bool = False
    open: bool = False
    omitted: int = 0
    gap: int = 0


@dataclass
class _End:
    """The lines on the screen, up to the last one written: (number, text).

    `next` is the number of the first one that may still change, `total` the number after the last, `open` says that the
    last one is unfinished.
    """

    lines: list[tuple[int, str]]
    next: int
    total: int
    open: bool


class LineReader:
    """Reads lines of the ring of `reader`. `ended`: nothing more will be added. `cancel` ends a search, `known` has the
    results of earlier searches.
    """

    def __init__(
        self,
        reader: RingReader,
        *,
        ended: bool = True,
        size: tuple[int, int] = (24, 80),
        cancel: Event | None = None,
        known: KnownRings | None = None,
    ) -> None:
        self._reader = reader
        self._ended = ended
        self._size = size
        self._cancel = cancel
        self._known = known
        self._skipped: dict[int, int] = {}
        self._total: int | None = None
        self._search: Search | None = None

    def read(self, query: Query) -> dict[str, Any]:
        """Run a query and return the response body (docs/rest.md).

        Raises BadRequest if `grep` is not a valid pattern or takes too long, Cancelled.
        """
        paint = query.keep_ansi and query.grep is None
        ring = RingLines(self._reader, self._size, paint=paint, known=self._known)
        start = max(query.since, ring.first)
        if query.grep is not None:
            found = self._grep(ring, query.grep, query, start)
        elif query.mode is Mode.TAIL:
            found = self._tail(ring, query, start)
        elif query.mode is Mode.HEAD_TAIL:
            found = self._head_tail(ring, query, start)
        else:
            limit = query.max_lines if query.mode is Mode.FULL else query.head_lines
            found = self._from(ring, query, start, limit)
        lost = max(ring.first - query.since, 0)
        text, is_cut = self._put_together(found, query)
        size = len(text.encode())
        total = ring.total if self._total is None else self._total
        answer: dict[str, Any] = {
            "output": text,
            "first_line": found.lines[0][0] if found.lines else start,
            "next_line": found.next,
            "total_lines": max(total, found.next),
            "lines_omitted": found.omitted + lost,
            "more": found.more,
            "truncated": is_cut or bool(found.omitted or lost),
            "bytes": size,
            "estimated_tokens": math.ceil(size / _BYTES_PER_TOKEN),
        }
        if query.grep is not None or query.times:
            answer["line_numbers"] = [number for number, _ in found.lines]
        if query.times:
            # Lines may be overwritten later: the time of a line is that of its end.
            came = times_at(self._reader, ring.ends([number for number, _ in found.lines]))
            answer["times"] = [iso(moment) for moment in came]
        return answer

    # -- selecting lines ----------------------------------------------------------------------------------------------

    def _end(self, rest: list[tuple[int, str, bool]], query: Query) -> _End:
        """Return the lines on the screen at the end of the output."""
        rest = list(rest)
        settled = sum(is_settled for _, _, is_settled in rest)
        following = rest[settled][0] if settled < len(rest) else rest[-1][0] + 1 if rest else 0
        total = following
        while len(rest) > settled and not rest[-1][1]:
            total = rest.pop()[0]
        if len(rest) > settled:
            total = rest[-1][0] + 1
        lines = [(number, text) for number, text, _ in rest]
        is_open = len(lines) > settled
        self._total = total
        if query.final and self._ended:
            following = total
        elif query.final:
            lines = [line for line in lines if line[0] < following]
            is_open = False
        return _End(lines, following, total, is_open)

    def _from(self, ring: RingLines, query: Query, start: int, limit: int) -> _Found:
        """Return the first lines from number `start` on."""
        lines: list[tuple[int, str]] = []
        reading = ring.since(start)
        size = 0
        for batch in self._batches(reading, iter(reading), _PATIENCE):
            more = [line for line in batch if line[0] >= start]
            lines += more
            size += sum(len(text) for _, text in more)
            if len(lines) > limit or size > BYTES_MAX:
                break
        end = self._end(reading.rest(), query) if reading.is_done else self._middle(reading, start)
        lines += [line for line in end.lines if line[0] >= start]
        count = _whole_numbers(lines, limit)
        if count < len(lines):
            return _Found(lines[:count], lines[count][0], more=True)
        return _Found(lines, _onward(end, start), more=not reading.is_done, open=end.open)

    def _middle(self, reading: Reading, start: int) -> _End:
        """Return the lines on the screen where reading was interrupted: those that will not change."""
        rest = reading.rest()
        settled = sum(is_settled for _, _, is_settled in rest)
        following = rest[settled][0]
        if following <= start:
            # Not enough time: return them as they are now, and again if they change.
            following = start + 1
        lines = [(number, text) for number, text, _ in rest if number < following]
        return _End(lines, following, following, open=False)

    def _tail(self, ring: RingLines, query: Query, start: int) -> _Found:
        """Return the last lines, but none before number `start`."""
        reading, lines = ring.last(query.tail_lines)
        self._skipped = reading.skipped
        end = self._end(lines, query)
        known = [line for line in end.lines if line[0] >= start]
        kept = known[len(known) - min(query.tail_lines, len(known)) :]
        omitted = len(known) - len(kept)
        if not kept:
            omitted = 0
        elif not reading.is_whole or reading.start > 0:
            # They were never counted.
            omitted = max(kept[0][0] - start, omitted)
        return _Found(kept, end.next, open=end.open and bool(kept), omitted=omitted)

    def _head_tail(self, ring: RingLines, query: Query, start: int) -> _Found:
        if ring.size_since(start) <= _SMALL:
            # All of it, so that the omitted lines can be counted.
            all_lines = self._from(ring, query, start, limit=_SMALL)
            between = len(all_lines.lines) - query.head_lines - query.tail_lines
            if not all_lines.more:
                if between > 0:
                    del all_lines.lines[query.head_lines : query.head_lines + between]
                    all_lines.omitted, all_lines.gap = between, query.head_lines
                return all_lines
        head = self._from(ring, query, start, query.head_lines)
        tail = self._tail(ring, query, head.next)
        if not tail.omitted:
            tail.lines = head.lines + tail.lines
            return tail
        tail.lines, tail.gap = head.lines + tail.lines, len(head.lines)
        return tail

    def _grep(self, ring: RingLines, pattern: str, query: Query, start: int) -> _Found:
        """Return the lines that match."""
        head = {Mode.FULL: query.max_lines, Mode.TAIL: 0}.get(query.mode, query.head_lines)
        tail = query.tail_lines if query.mode in (Mode.TAIL, Mode.HEAD_TAIL) else None
        search = self._search = Search(pattern, head=head, tail=tail, cancel=self._cancel)
        reading = ring.since(start)
        following = start
        for batch in self._batches(reading, reading.in_bulk(), _SEARCH_TIME):
            following = _behind(batch, following)
            if search.look(batch, start):
                lines, _ = search.found()
                return _Found(lines, lines[-1][0] + 1, more=True)
        if not reading.is_done:
            if tail is not None:
                raise BadRequest("there is too much output to search all of it: begin at a later line", field="grep")
            # As far as it was searched.
            lines, _ = search.found()
            return _Found(lines, max(following, start), more=True)
        end = self._end(reading.rest(), query)
        is_enough = search.look(end.lines, start)
        lines, omitted = search.found()
        if is_enough:
            return _Found(lines, lines[-1][0] + 1, more=True)
        is_open = end.open and bool(lines) and lines[-1] is end.lines[-1]
        return _Found(lines, _onward(end, start), open=is_open, omitted=omitted)

    def _batches(self, reading: Reading, walk: Iterator[Batch], patience: float) -> Iterator[Batch]:
        """Iterate over a walk for `patience` seconds, and only until it is canceled."""
        deadline = time.monotonic() + patience
        self._skipped = reading.skipped
        for batch in walk:
            yield batch
            if self._cancel is not None and self._cancel.is_set():
                raise Cancelled
            if time.monotonic() > deadline:
                return

    # -- as text ------------------------------------------------------------------------------------------------------

    def _put_together(self, found: _Found, query: Query) -> tuple[str, bool]:
        """Return the text, and whether it had to be cut; lines that do not fit are removed from `found`."""
        parts: list[str] = []
        size = 0
        is_cut = False
        last = len(found.lines) - 1
        for place, (number, line) in enumerate(found.lines):
            if found.gap and place == found.gap:
                parts.append(f"… {found.omitted} lines omitted …\n")
            skipped = self._skipped.get(number, 0)
            shown = line
            if len(line) + skipped > LINE_MAX:
                shown = self._shortened(line, skipped, keep_ansi=query.keep_ansi)
                is_cut = True
            parts.append(shown if found.open and place == last else shown + "\n")
            size += len(parts[-1].encode())
            if size > BYTES_MAX and place < last:
                kept = _whole_numbers(found.lines, place + 1)
                if kept <= last:
                    found.next, found.more, found.open = found.lines[kept][0], True, False
                    parts += [f"{text}\n" for _, text in found.lines[place + 1 : kept]]
                    del found.lines[kept:]
                    return "".join(parts), True
        return "".join(parts), is_cut

    def _shortened(self, line: str, skipped: int, *, keep_ansi: bool) -> str:
        """Return the beginning of a long line, or the part around a match further on, and how much is left out."""
        size = len(line) + skipped
        excerpt = self._search and self._search.excerpt(line)
        if excerpt and excerpt.start > 0:
            return f"({excerpt.start} characters before) {excerpt.text} ({size - excerpt.end} characters more)"
        return f"{_first(line, LINE_MAX, keep_ansi=keep_ansi)}… ({size - LINE_MAX} characters more)"


def _behind(batch: list[tuple[int, str]] | Whole, before: int) -> int:
    """Return the number after the last line; `before` if there is none."""
    if not isinstance(batch, list):
        return batch.number + batch.count
    return batch[-1][0] + 1 if batch else before


def _onward(end: _End, start: int) -> int:
    """Return the number to continue from, after a request for lines from `start` on. It is never below `start`, if that
    line exists.
    """
    return max(end.next, start) if start <= end.total else end.next


def _whole_numbers(lines: list[tuple[int, str]], limit: int) -> int:
    """Return how many lines to take for a limit of `limit`: lines with the same number are not separated."""
    count = min(limit, len(lines))
    while 0 < count < len(lines) and lines[count][0] == lines[count - 1][0]:
        count += 1
    return count


def _first(line: str, count: int, *, keep_ansi: bool) -> str:
    """Return the first characters of a line."""
    if not keep_ansi or "\x1b" not in line[:count]:
        return line[:count]
    # Not in the middle of a sequence, and without an open color.
    cut = line[:count]
    if cut.rfind("\x1b") > cut.rfind("m"):
        cut = cut[: cut.rfind("\x1b")]
    return cut + "\x1b[0m"
