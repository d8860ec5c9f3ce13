"""The excerpt of a long matching line: the part around its first match."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Maximum number of characters of an excerpt.
LINE_MAX = 4000
#: Characters before a match that is not near the beginning of its line: few, so that it is visible even if a narrow
#: window cuts off the line.
_BEFORE = 40
#: Maximum number of matches that are marked in a line.
_SPANS = 50


@dataclass(frozen=True)
class Excerpt:
    """Part of a line: `text` of at most LINE_MAX characters, with an ellipsis where it is cut. In the line it begins at
    character `start` and ends before `end`; `spans` are the matches in `text`.
    """

    text: str
    start: int
    end: int
    spans: list[tuple[int, int]] = field(default_factory=list)


def around(line: str, matches: Iterable[tuple[int, int]]) -> Excerpt:
    """Return the beginning of `line`, or the part around its first match if that is further on.

    `matches` are pairs of the first character and the one after the last, in order; only as many are read as are shown.
    """
    excerpt: Excerpt | None = None
    shift = count = 0
    for first, after in matches:
        if first == after:
            continue
        if excerpt is None:
            excerpt = _part(line, first)
            shift = excerpt.start - (excerpt.start > 0)  # the ellipsis takes a character
        if first >= excerpt.end or count == _SPANS:
            break
        excerpt.spans.append((first - shift, min(after, excerpt.end) - shift))
        count += 1
    return excerpt or _part(line, 0)


def _part(line: str, match: int) -> Excerpt:
    """Return the part of a line to show for a match at character `match`."""
    if len(line) <= LINE_MAX:
        return Excerpt(line, 0, len(line))
    start = 0 if match < LINE_MAX - _BEFORE else match - _BEFORE
    end = min(start + LINE_MAX - (1 if start == 0 else 2), len(line))
    before = "…" if start > 0 else ""
    behind = "…" if end < len(line) else ""
    return Excerpt(before + line[start:end] + behind, start, end)
