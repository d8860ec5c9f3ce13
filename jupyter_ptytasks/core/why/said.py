"""Shared helpers of the readers: the lines that belong to an error, and where it was raised."""

from __future__ import annotations

from .causes import cause
from .reason import Reason, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable

    from .reason import Line

    #: If an error begins at the line with the given index, returns the reason and the index of its last line.
    Reader = Callable[[list[Line], int], "tuple[Reason, int] | None"]


def said(message: str, *lines: Line, kind: str = "exception") -> Reason:
    """Return the reason given by a program; a known cause takes precedence over `kind`."""
    about = cause(message)
    return reason(about[1], about[0], *lines) if about is not None else reason(message, kind, *lines)


def at_place(path: str | None, line: str | None = None) -> str:
    """Return ` (name:line)` for a file; empty if unknown."""
    name = (path or "").rpartition("/")[2]
    return "" if not name else f" ({name}:{line})" if line else f" ({name})"


def first(pattern: re.Pattern[str], lines: Iterable[Line]) -> re.Match[str] | None:
    """Return the first match in some lines."""
    return next((found for _, text in lines if (found := pattern.search(text)) is not None), None)


def block_end(lines: list[Line], at: int, belongs: re.Pattern[str]) -> int:
    """Return the index of the last line of a block: lines after `at` that match `belongs` or are empty."""
    while at + 1 < len(lines) and (belongs.match(lines[at + 1][1]) or not lines[at + 1][1].strip()):
        at += 1
    return at
