"""The text of a ring by line number, in bounded pieces: for scripts, and for readers that pay by the token.
Blocking.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import regex

from ..core.errors import BadRequest
from ..core.terminal.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..core.ring.reader import RingReader

#: Bytes of text in one answer at most, and characters of one line.
_BYTES_MAX = 256 << 10
_LINE_MAX = 4000
_BLOCK = 1 << 20
#: Seconds that a pattern may take over one line; one that goes astray shall not take the server with it.
_PATTERN_TIME = 1.0
_BYTES_PER_TOKEN = 4


class Mode(str, Enum):
    """Which of the lines are wanted."""

    FULL = "full"
    HEAD = "head"
    TAIL = "tail"
    HEAD_TAIL = "head-tail"


@dataclass(frozen=True)
class Query:
    """What is wanted: lines from number `since` on (the first is 0), those that match `grep`, of them the head or
    the tail or both.
    """

    since: int = 0
    mode: Mode = Mode.FULL
    head_lines: int = 50
    tail_lines: int = 50
    max_lines: int = 1000
    grep: str | None = None
    keep_ansi: bool = False


@dataclass
class Lines:
    """Some lines: (number, text); `total` counts the lines there are, with an unfinished last one."""

    taken: list[tuple[int, str]] = field(default_factory=list)
    omitted: int = 0
    cut: bool = False


class Transcript:
    """Reads lines of the ring behind `reader`."""

    def __init__(self, reader: RingReader) -> None:
        self._reader = reader
        _, self._end = reader.bounds()
        #: Where each segment begins: its base, and how many line feeds came before.
        self._segments = [(base, reader.keyframe(base).line) for base in reader.bases()]
        self.first = self._segments[0][1] if self._segments else 0
        #: Whole lines, and the unfinished one behind them if there is one.
        self.whole = self._count()
        self.total = self.whole + self._is_unfinished()

    def _count(self) -> int:
        if not self._segments:
            return 0
        base, line = self._segments[-1]
        return line + sum(data.count(b"\n") for _, data in self._reader.blocks(base, self._end, _BLOCK))

    def _is_unfinished(self) -> bool:
        if not self._segments or self._end == self._segments[0][0]:
            return False
        return self._reader.read_range(self._end - 1, self._end) != b"\n"

    def read(self, query: Query) -> dict[str, Any]:
        """Give the answer to a query, as REST gives it (docs/rest.md). Raises BadRequest for a pattern that is none."""
        start = max(query.since, self.first)
        lines = self._grep(query, start) if query.grep is not None else self._range(query, start)
        lost = max(self.first - query.since, 0)
        text, next_line, cut = self._put_together(lines, query)
        size = len(text.encode())
        answer: dict[str, Any] = {
            "output": text,
            "first_line": lines.taken[0][0] if lines.taken else start,
            "next_line": next_line,
            "total_lines": self.total,
            "lines_omitted": lines.omitted + lost,
            "truncated": bool(cut or lines.cut or lines.omitted or lost),
            "bytes": size,
            "estimated_tokens": math.ceil(size / _BYTES_PER_TOKEN),
        }
        if query.grep is not None:
            answer["line_numbers"] = [number for number, _ in lines.taken]
        return answer

    def _range(self, query: Query, start: int) -> Lines:
        count = max(self.total - start, 0)
        if query.mode is Mode.FULL:
            parts = [(start, start + min(count, query.max_lines))]
        elif query.mode is Mode.HEAD:
            parts = [(start, start + min(count, query.head_lines))]
        elif query.mode is Mode.TAIL:
            parts = [(self.total - min(count, query.tail_lines), self.total)]
        elif count <= query.head_lines + query.tail_lines:
            parts = [(start, self.total)]
        else:
            parts = [(start, start + query.head_lines), (self.total - query.tail_lines, self.total)]
        lines = Lines()
        for first, behind in parts:
            lines.taken += self._read_lines(first, behind, keep_ansi=query.keep_ansi)
        # What comes behind the last line of a full or head query is not left out: it is what `next_line` leads to.
        if lines.taken:
            lines.omitted = lines.taken[-1][0] + 1 - start - len(lines.taken)
        return lines

    def _grep(self, query: Query, start: int) -> Lines:
        try:
            pattern = regex.compile(query.grep)
        except regex.error as error:
            raise BadRequest(f"not a valid regular expression: {error}", field="grep") from error
        found = []
        try:
            for number, line in self._read_lines(start, self.total, keep_ansi=False):
                if pattern.search(line, timeout=_PATTERN_TIME, concurrent=True):
                    found.append((number, line))
        except TimeoutError as error:
            raise BadRequest("the regular expression takes too long", field="grep") from error
        if query.mode is Mode.HEAD:
            kept = found[: query.head_lines]
        elif query.mode is Mode.TAIL:
            kept = found[-query.tail_lines :] if query.tail_lines else []
        elif query.mode is Mode.HEAD_TAIL and len(found) > query.head_lines + query.tail_lines:
            kept = found[: query.head_lines] + (found[-query.tail_lines :] if query.tail_lines else [])
        else:
            kept = found[: query.max_lines]
        return Lines(kept, len(found) - len(kept))

    def _put_together(self, lines: Lines, query: Query) -> tuple[str, int, bool]:
        """Give the text, the line to go on from, and whether the text had to be cut."""
        parts: list[str] = []
        size = 0
        cut = stopped = False
        before = None
        for place, (number, line) in enumerate(lines.taken):
            if before is not None and number != before + 1 and query.grep is None:
                parts.append(f"… {number - before - 1} lines omitted …\n")
            shown = line if len(line) <= _LINE_MAX else f"{line[:_LINE_MAX]}… ({len(line) - _LINE_MAX} characters more)"
            cut = cut or shown is not line
            parts.append(shown + "\n" if number < self.whole else shown)
            size += len(parts[-1].encode())
            before = number
            if size > _BYTES_MAX and place + 1 < len(lines.taken):
                lines.omitted += len(lines.taken) - place - 1
                del lines.taken[place + 1 :]
                cut = stopped = True
                break
        seen_all = query.mode in (Mode.TAIL, Mode.HEAD_TAIL) or (query.grep is not None and not lines.omitted)
        if not stopped and (seen_all or (query.grep is not None and not lines.taken)):
            return "".join(parts), self.whole, cut
        # An unfinished line is told again: it may have grown by then.
        behind = lines.taken[-1][0] + 1 if lines.taken else max(query.since, self.first)
        return "".join(parts), min(behind, self.whole), cut

    def _read_lines(self, first: int, behind: int, *, keep_ansi: bool) -> Iterator[tuple[int, str]]:
        """Iterate over the lines with numbers from `first` up to, not including, `behind`."""
        if first >= behind:
            return
        number = first
        rest = b""
        for _, data in self._reader.blocks(self._locate(first), self._end, _BLOCK):
            rest += data
            body, feed, rest = rest.rpartition(b"\n")
            for line in _lines(body, keep_ansi=keep_ansi) if feed else ():
                yield number, line
                number += 1
                if number >= behind:
                    return
        if rest and number < behind:
            yield number, _lines(rest, keep_ansi=keep_ansi)[0]

    def _locate(self, line: int) -> int:
        """Give the offset at which a line begins."""
        base, number = self._segments[0]
        for other, before in self._segments:
            # A line that goes on into a segment has begun before it.
            if before < line:
                base, number = other, before
        if line <= number:
            return base
        for offset, data in self._reader.blocks(base, self._end, _BLOCK):
            here = data.count(b"\n")
            if number + here >= line:
                at = -1
                for _ in range(line - number):
                    at = data.find(b"\n", at + 1)
                return offset + at + 1
            number += here
        return self._end


def _lines(data: bytes, *, keep_ansi: bool) -> list[str]:
    if keep_ansi:
        return [line.removesuffix("\r") for line in data.decode("utf-8", "replace").split("\n")]
    return lines_of(data)
