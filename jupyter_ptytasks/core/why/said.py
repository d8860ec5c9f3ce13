"""What readers of output share: the lines that belong to an error, and where it was raised."""

from __future__ import annotations

from .causes import cause
from .reason import Reason, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable

    from .reason import Line

    #: Returns the reason if the line at an index begins what a program says, and the index of its last line.
    Reader = Callable[[list[Line], int], "tuple[Reason, int] | None"]


def said(message: str, *lines: Line, kind: str = "exception") -> Reason:
    """Return the reason that a program gives; what it is about counts more than the `kind`."""
    about = cause(message)
    return reason(about[1], about[0], *lines) if about is not None else reason(message, kind, *lines)


def at_place(path: str | None, line: str | None = None) -> str:
    """Return ` (name:line)` of a file; empty if it is unknown."""
    name = (path or "").rpartition("/")[2]
    return "" if not name else f" ({name}:{line})" if line else f" ({name})"


def first(pattern: re.Pattern[str], lines: Iterable[Line]) -> re.Match[str] | None:
    """Return the first match in some lines."""
    return next((found for _, text in lines if (found := pattern.search(text)) is not None), None)


def block_end(lines: list[Line], at: int, belongs: re.Pattern[str]) -> int:
    """Return the index of the last line of a block: those after `at` that belong to it, or are empty."""
    while at + 1 < len(lines) and (belongs.match(lines[at + 1][1]) or not lines[at + 1][1].strip()):
        at += 1
    return at
