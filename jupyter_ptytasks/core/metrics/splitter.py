"""Splits a terminal's bytes into the text drawn between two cursor movements, and explicitly logged metrics.

The result does not depend on how the bytes are chunked: a piece is returned once, when it is complete.
"""

from __future__ import annotations

import json
import math
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: Maximum size of a piece in bytes; longer ones are skipped.
LONGEST = 4096
#: Minimum size of a line that can have a name and a number.
_SHORTEST = 3
#: Maximum size of an explicit record in bytes.
_LONGEST_RECORD = 16 << 10
#: Maximum number of metrics in one record.
_MOST = 64

#: Our own record, any other OSC, and the switch to and from the alternate screen.
_ASIDE = re.compile(
    rb"\x1b\](7784;)?([^\x00-\x1f\x7f]{0,%d})(?:\x07|\x1b\\)|\x1b\[\?(?:47|1047|1049)([hl])" % _LONGEST_RECORD
)
_ENDS = re.compile(rb"[\x00-\x1f\x7f]")
_BEGUN = re.compile(rb"\x1b(?:\[\??[0-9]{0,4})?\Z")
_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*([@-~])|\x1b[PX^_][^\x18\x1a\x1b]*(?:\x1b\\)?|\x1b[ -/]*[0-~]?")
_MOVES = re.compile(r"[\r\n\b\v\f]+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_LINE_ENDS = re.compile(rb"[\r\n]")


class Logged(dict[str, float]):
    """Explicitly logged names and values; `step` is None if not given."""

    step: float | None = None


class Splitter:
    """Splits output that arrives in chunks. Memory is bounded."""

    def __init__(self) -> None:
        self._aside = b""  # an incomplete sequence
        self._open = b""  # an incomplete line
        self._is_headless = False  # the beginning of the line is missing, or it is too long
        self._is_full = False  # a full-screen program is active

    def lose(self) -> None:
        """Note that output is missing here."""
        self._aside = self._open = b""
        self._is_headless = True

    def state(self) -> list[Any]:
        """Return the incomplete parts, as JSON."""
        return [self._aside.decode("latin-1"), self._open.decode("latin-1"), self._is_headless, self._is_full]

    def restore(self, state: list[Any]) -> None:
        """Continue from the `state` of another splitter. Raises TypeError, ValueError or AttributeError if invalid."""
        aside, begun, headless, full = state
        self._aside, self._open = aside.encode("latin-1"), begun.encode("latin-1")
        self._is_headless, self._is_full = bool(headless), bool(full)

    def split(self, data: bytes) -> Iterator[str | Logged]:
        """Iterate over the complete texts and the logged records, in order."""
        data = self._aside + data
        end = _unfinished(data)
        self._aside, data = data[end:], data[:end]
        start = 0
        for match in _ASIDE.finditer(data) if b"\x1b" in data else ():
            yield from self._text(data[start : match.start()])
            start = match.end()
            if match[3] is not None:
                self._is_full = match[3] == b"h"
            elif match[1] is not None and (logged := _logged(match[2])) is not None:
                yield logged
        yield from self._text(data[start:])

    def rest(self) -> Iterator[str]:
        """Iterate over the incomplete rest, at the end of the output."""
        yield from self._text(b"\n")

    def _text(self, data: bytes) -> Iterator[str]:
        if self._is_full:
            return
        end = max(data.rfind(b"\n"), data.rfind(b"\r"))
        if end < 0:
            if not self._is_headless:
                self._open += data
                if len(self._open) > LONGEST:
                    self._open, self._is_headless = b"", True
            return
        whole, self._open = self._open + data[:end], data[end + 1 :]
        lines = _LINE_ENDS.split(whole)
        if self._is_headless:
            del lines[0]
        self._is_headless = len(self._open) > LONGEST
        if self._is_headless:
            self._open = b""
        for line in lines:
            if _SHORTEST <= len(line) <= LONGEST:
                yield from _pieces(line)


def _unfinished(data: bytes) -> int:
    """Return where an incomplete sequence begins; the end, if there is none."""
    begin = data.rfind(b"\x1b]")
    if begin >= 0:
        end = _ENDS.search(data, begin + 1)
        if end is None or (end[0] == b"\x1b" and end.end() == len(data)):
            return begin if len(data) - begin <= _LONGEST_RECORD + 8 else len(data)
    begun = _BEGUN.search(data, max(len(data) - 8, 0))
    return begun.start() if begun else len(data)


def _pieces(line: bytes) -> list[str]:
    text = line.decode("utf-8", "replace")
    if "\x1b" in text:
        text = _SEQUENCE.sub(_drawn, text)
    pieces = _MOVES.split(text) if "\b" in text or "\v" in text or "\f" in text else [text]
    return [cleaned for piece in pieces if (cleaned := _CONTROL.sub("", piece).rstrip())]


def _drawn(sequence: re.Match[str]) -> str:
    final = sequence[1]
    if final is None:
        return ""
    return "\v" if final in "ABEFGHf" else " " if final == "C" else ""


def _logged(body: bytes) -> Logged | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    metrics = value.get("metrics") if isinstance(value, dict) else None
    if not isinstance(metrics, dict):
        return None
    logged = Logged()
    for name, told in metrics.items():
        number = _number(told)
        if number is not None and 0 < len(name) <= 128 and len(logged) < _MOST and name.isprintable():
            logged[name] = number
    step = _number(value.get("step"))
    logged.step = step if step is not None and math.isfinite(step) else None
    return logged


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return float(value) if value in ("NaN", "Infinity", "-Infinity") else None
    try:
        return float(value) if isinstance(value, (int, float)) else None
    except OverflowError:
        return None
