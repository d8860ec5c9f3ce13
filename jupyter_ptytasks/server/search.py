"""Searches lines for a pattern from a client, with limits on time and memory. Blocking; can be canceled."""

from __future__ import annotations

import re
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import regex

from ..core.errors import BadRequest
from .excerpts import LINE_MAX, Excerpt, around
from .needles import needle_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from ..core.terminal.plain import Whole

    Line = tuple[int, str]

#: Maximum size of the lines in one response, in bytes.
BYTES_MAX = 256 << 10
#: Seconds that a pattern may take: CPU time for all lines, and time for a single line and for a search in joined lines.
_PATTERN_TIME = 5.0
_LINE_TIME = 1.0
_GLANCE_TIME = 0.1
#: Number of characters of a line that are searched: a backtracking pattern takes some hundred bytes of memory for each.
_SEARCHED = 1 << 16
#: Patterns whose matches may depend on the surrounding text or on the order of the search.
_SUBTLE = re.compile(r"\(\?(?!:|[ims]+\)|P<)|[*+?}]\+|\\[AGKRXZmMpPNz]")
#: Number of plain lines with the needle that are searched one by one; if there are more, it is faster to search the
#: whole text.
_FEW = 64
_TOO_SLOW = "the search took too long: use a simpler pattern"


class Cancelled(Exception):
    """The client has disconnected."""


class Pattern:
    """A regular expression from a client, with a time limit."""

    def __init__(
        self,
        pattern: str,
        *,
        cancel: Event | None,
        field: str,
        patience: float | None = None,
        ignore_case: bool = False,
    ) -> None:
        """`patience` is the CPU time for all lines in seconds, by default 5.

        Raises BadRequest for `field` if `pattern` is not a regular expression.
        """
        flags = regex.IGNORECASE if ignore_case else 0
        self._field = field
        try:
            self._pattern = regex.compile(pattern, flags)
            self._glance = None if _SUBTLE.search(pattern) else regex.compile(pattern, flags | regex.MULTILINE)
        except (regex.error, RecursionError, OverflowError) as error:
            raise BadRequest(f"not a regular expression: {error}", field=field) from error
        #: Text that every matching line contains; None if unknown.
        self._needle = None if self._glance is None else needle_of(pattern, ignore_case=ignore_case)
        #: Whether matches depend on where lines end.
        self._minds_ends = "$" in pattern
        self._cancel = cancel
        self._left = _PATTERN_TIME if patience is None else patience

    def matching(self, lines: list[Line] | Whole, start: int, most: int | None = None) -> list[Line]:
        """Return the lines that match, at most `most`, from number `start` on.

        Raises BadRequest if the pattern takes too long, Cancelled.
        """
        began = time.thread_time()
        if isinstance(lines, list):
            if lines and lines[0][0] < start:
                lines = [line for line in lines if line[0] >= start]
            candidates = self._candidates(lines)
        else:
            candidates = self._candidates_of(lines, start)
        found: list[Line] = []
        for line, is_sure in candidates:
            if is_sure or self._matches(line[1]):
                found.append(line)
                if len(found) == most:
                    break
        self._left -= time.thread_time() - began
        return found

    def excerpt(self, text: str) -> Excerpt:
        """Return what to show of a line that matches."""
        return around(text, self._spans(text))

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Iterate over the positions of the matches in a line, as far as they are found in time."""
        with suppress(TimeoutError):
            for match in self._pattern.finditer(text, timeout=_LINE_TIME, concurrent=True):
                yield match.span()

    def _candidates(self, lines: list[Line]) -> Iterator[tuple[Line, bool]]:
        """Iterate over the lines in which a match in the joined text begins, each with whether it certainly matches."""
        texts = [text for _, text in lines]
        if self._glance is None or len(texts) < 2:
            yield from ((line, False) for line in lines)
            return
        whole = "\n".join(texts)
        at = begin = 0  # the index of a line, and its offset in the joined text
        while True:
            try:
                found = self._glance.search(whole, begin, timeout=_GLANCE_TIME, concurrent=True)
            except TimeoutError:
                # Matches that span many lines cost more than this saves.
                self._glance = None
                yield from ((line, False) for line in lines[at:])
                return
            if found is None:
                return
            while found.start() > begin + len(texts[at]):
                begin += len(texts[at]) + 1
                at += 1
            yield lines[at], found.end() <= begin + len(texts[at])
            begin += len(texts[at]) + 1
            at += 1
            if at == len(lines):
                return

    def _candidates_of(self, lines: Whole, start: int) -> Iterator[tuple[Line, bool]]:
        """Do the same for plain lines, most of which are ruled out without decoding them."""
        held = None if self._needle is None else lines.holding(self._needle)
        if held is not None:
            looked = 0
            for line in held:
                if line[0] >= start:
                    yield line, False
                    start = line[0] + 1
                    looked += 1
                    if looked == _FEW:
                        break
            else:
                return
        end = lines.number + lines.count
        number, begin = lines.number, 0
        text, feed = lines.text, "\r\n"
        if self._minds_ends:
            text, feed = text.replace("\r\n", "\n"), "\n"
        while number < end and self._glance is not None:
            try:
                found = self._glance.search(text, begin, timeout=_GLANCE_TIME, concurrent=True)
            except TimeoutError:
                self._glance = None
                break
            if found is None or found.start() == len(text):
                return
            number += text.count("\n", begin, found.start())
            begin = text.rfind("\n", 0, found.start()) + 1
            behind = text.find(feed, begin)
            if number >= start:
                yield (number, text[begin:behind]), found.end() <= behind
            number, begin = number + 1, behind + len(feed)
        yield from ((line, False) for line in lines.lines() if line[0] >= max(number, start))

    def _matches(self, text: str) -> bool:
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled
        if self._left > 0:
            try:
                # `concurrent` releases the GIL, so that other threads can run.
                part = text if len(text) <= _SEARCHED else text[:_SEARCHED]
                return bool(self._pattern.search(part, timeout=min(self._left, _LINE_TIME), concurrent=True))
            except TimeoutError:
                pass
        raise BadRequest(_TOO_SLOW, field=self._field)


class Search:
    """A search for a pattern in lines that are passed to it in order."""

    def __init__(self, pattern: str, *, head: int, tail: int | None, cancel: Event | None, field: str = "grep") -> None:
        """Keep the first `head` and the last `tail` matches; without a `tail` the search ends after the head.

        Raises BadRequest for `field` if `pattern` is not a regular expression.
        """
        self._pattern = Pattern(pattern, cancel=cancel, field=field)
        self._most_head = head
        self._ends_early = tail is None
        self._head: list[Line] = []
        self._tail: deque[Line] = deque(maxlen=tail or 0)
        self._size = 0
        self._count = 0

    def look(self, lines: list[Line] | Whole, start: int) -> bool:
        """Search more lines, from number `start` on; return whether there are more matches than requested.

        Raises BadRequest if the pattern takes too long, Cancelled.
        """
        most = self._most_head - len(self._head) + 1 if self._ends_early else None
        for line in self._pattern.matching(lines, start, most):
            if self._ends_early and (len(self._head) >= self._most_head or self._size > BYTES_MAX):
                return True
            self._count += 1
            if len(self._head) < self._most_head:
                self._head.append(line)
                self._size += min(len(line[1]), LINE_MAX)
            else:
                self._tail.append(line)
        return False

    def excerpt(self, text: str) -> Excerpt:
        """Return what to show of a line that matches."""
        return self._pattern.excerpt(text)

    def found(self) -> tuple[list[Line], int]:
        """Return the matches that were kept, and the number of omitted ones between head and tail."""
        lines = [*self._head, *self._tail]
        return lines, self._count - len(lines)
