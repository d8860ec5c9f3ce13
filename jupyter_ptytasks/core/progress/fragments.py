"""Splits a terminal's bytes into fragments: the pieces of text that a program drew one after another.

A bar is drawn over itself: the text between two cursor movements is one state of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Maximum number of bytes that are examined of one piece of output (and of an unfinished line).
WINDOW = 4096

_SEQUENCE = re.compile(
    r"\x1b\[([0-?]*)[ -/]*([@-~])"
    r"|\x1b\][^\x07\x18\x1a\x1b]*(?:\x07|\x1b\\)?|\x1b[PX^_][^\x18\x1a\x1b]*(?:\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile(r"[\x00-\x07\x0e-\x1f\x7f]")
#: Separators: carriage return, line feed, backspace, and rises (cursor up), which are represented as vertical tabs.
_MOVES = re.compile(r"([\r\n\b\v]+)")
_RISE = "\v"


@dataclass(frozen=True)
class Fragment:
    """One piece of text."""

    text: str
    #: Whether it may overwrite other text: after a carriage return without line feed, backspaces, or a rise.
    over: bool
    #: Rows that the cursor moved up and then down before it, and up after it.
    rises: int
    falls: int
    rises_behind: int
    #: Whether a move follows: its text will not grow.
    ended: bool


class Splitter:
    """Splits output that arrives in pieces; the last fragment stays open until text follows it."""

    def __init__(self) -> None:
        self._open = ""  # the last fragment, with the moves before and after it
        self._headless = False  # the beginning of the current line is missing

    @property
    def open(self) -> str:
        """The text of the last fragment, which may continue."""
        return self._open.strip("\r\n\b\v")

    def lose(self) -> None:
        """Note that output is missing here."""
        self._open, self._headless = "", True

    def skip(self, data: bytes) -> None:
        """Skip output that contains no progress."""
        end = max(data.rfind(b"\r"), data.rfind(b"\n"), data.rfind(b"\b"))
        if end >= 0:
            self._open, self._headless = "", False
            data = data[end:]
        self.split(data)

    def split(self, data: bytes) -> list[Fragment]:
        """Return the fragments up to the end of `data`, which must not split a sequence or a character; the last one is
        returned again, in full, as long as it is open.
        """
        if len(data) > WINDOW:
            data = data[-WINDOW:]
            self.lose()
        parts = _MOVES.split(self._open + _clean(data.decode("utf-8", "replace")))
        if self._headless:
            if len(parts) == 1:
                return []
            parts[0] = ""
            self._headless = False
        # Text and moves alternate, text is first and last; blank text only erases.
        found: list[tuple[str, str]] = []
        moves = ""
        for i in range(0, len(parts), 2):
            if parts[i] and not parts[i].isspace():
                found.append((moves, parts[i]))
                moves = ""
            if i + 1 < len(parts):
                moves += parts[i + 1]
        fragments = []
        for i, (before, piece) in enumerate(found):
            behind = found[i + 1][0] if i + 1 < len(found) else moves
            fragments.append(_fragment(before, piece, behind))
        self._open = "".join((*found[-1], moves)) if found else moves
        if len(self._open) > WINDOW:
            self.lose()
        return fragments


def _fragment(before: str, text: str, behind: str) -> Fragment:
    rises = before.count(_RISE)
    falls = before.rpartition(_RISE)[2].count("\n")
    rises_behind = len(behind) - len(behind.lstrip(_RISE))
    over = rises > 0 or before.endswith(("\r", "\b"))
    return Fragment(text.strip(), over, rises, falls, rises_behind, ended=bool(behind))


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\v", "").replace("\f", "\n")
    if "\x1b" in text:
        text = _SEQUENCE.sub(_move, text)
    return _CONTROL.sub("", text)


def _move(sequence: re.Match[str]) -> str:
    parameters, final = sequence[1], sequence[2]
    if final is None:
        return ""
    if final in "AF":
        return _RISE * min(int(parameters) if parameters.isdecimal() else 1, 99)
    if final in "BE":
        return "\n"
    if final in "GHf":
        return "\r"
    return " " if final == "C" else ""
