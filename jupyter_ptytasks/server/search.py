"""Searching lines for a pattern from outside, within a budget of time and memory. Blocking, and can be canceled."""

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

#: Bytes of text in one answer at most.
BYTES_MAX = 256 << 10
#: Seconds that a pattern may take for all lines (of the processor), for one of them, and for the look at many at once.
_PATTERN_TIME = 5.0
_LINE_TIME = 1.0
_GLANCE_TIME = 0.1
#: Characters of a line that are looked at. A pattern that goes astray takes some hundred bytes of memory for each.
_SEARCHED = 1 << 16
#: Patterns whose matches may depend on more than the text that they match, or on how it is searched for.
_SUBTLE = re.compile(r"\(\?(?!:|[ims]+\)|P<)|[*+?}]\+|\\[AGKRXZmMpPNz]")
#: Of plain lines that hold what all matches hold, so many are looked at one by one: where there are more, it is faster
#: to look at all of the text.
_FEW = 64
_TOO_SLOW = "the search took too long: use a simpler pattern"


class Cancelled(Exception):
    """The client that asked has disconnected."""


class Pattern:
    """A regular expression from outside that lines are compared with, for a limited time."""

    def __init__(
        self,
        pattern: str,
        *,
        cancel: Event | None,
        field: str,
        patience: float | None = None,
        ignore_case: bool = False,
    ) -> None:
        """`patience`: seconds of the processor for all lines; 5 by default.

        Raises BadRequest, which blames `field`, if `pattern` is not a regular expression.
        """
        flags = regex.IGNORECASE if ignore_case else 0
        self._field = field
        try:
            self._pattern = regex.compile(pattern, flags)
            self._glance = None if _SUBTLE.search(pattern) else regex.compile(pattern, flags | regex.MULTILINE)
        except (regex.error, RecursionError, OverflowError) as error:
            raise BadRequest(f"not a regular expression: {error}", field=field) from error
        #: What is in every line that matches; None if that is not known.
        self._needle = None if self._glance is None else needle_of(pattern, ignore_case=ignore_case)
        #: Whether a match depends on the text ending where a line does.
        self._minds_ends = "$" in pattern
        self._cancel = cancel
        self._left = _PATTERN_TIME if patience is None else patience

    def matching(self, lines: list[Line] | Whole, start: int, most: int | None = None) -> list[Line]:
        """Return the lines that match, from number `start` on, `most` of them at most.

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
        """Iterate over where in a line that matches the matches are, those that are found in time."""
        with suppress(TimeoutError):
            for match in self._pattern.finditer(text, timeout=_LINE_TIME, concurrent=True):
                yield match.span()

    def _candidates(self, lines: list[Line]) -> Iterator[tuple[Line, bool]]:
        """Iterate over the lines that may match, those at which matches in all of the text begin, and tell of each
        whether it is sure to.
        """
        texts = [text for _, text in lines]
        if self._glance is None or len(texts) < 2:
            yield from ((line, False) for line in lines)
            return
        whole = "\n".join(texts)
        at = begin = 0  # a line, and where it begins
        while True:
            try:
                found = self._glance.search(whole, begin, timeout=_GLANCE_TIME, concurrent=True)
            except TimeoutError:
                # Matches that reach over many lines cost more than they save.
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
        """Iterate over those of plain lines, most of which are told apart from these without being read as text."""
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
                # Others have their turn meanwhile.
                part = text if len(text) <= _SEARCHED else text[:_SEARCHED]
                return bool(self._pattern.search(part, timeout=min(self._left, _LINE_TIME), concurrent=True))
            except TimeoutError:
                pass
        raise BadRequest(_TOO_SLOW, field=self._field)


class Search:
    """Looks through lines for a pattern."""

    def __init__(self, pattern: str, *, head: int, tail: int | None, cancel: Event | None, field: str = "grep") -> None:
        """Keep the first `head` matches and the last `tail`; without a `tail` the search is over behind the head.

        Raises BadRequest, which blames `field`, if `pattern` is not a regular expression.
        """
        self._pattern = Pattern(pattern, cancel=cancel, field=field)
        self._most_head = head
        self._ends_early = tail is None
        self._head: list[Line] = []
        self._tail: deque[Line] = deque(maxlen=tail or 0)
        self._size = 0
        self._count = 0

    def look(self, lines: list[Line] | Whole, start: int) -> bool:
        """Take in more lines, from number `start` on; return whether more match than are wanted.

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
        """Return the matches to answer with, and how many others lie between the head and the tail of them."""
        lines = [*self._head, *self._tail]
        return lines, self._count - len(lines)
