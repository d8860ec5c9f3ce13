"""What is shown of a long line that matches: the part around its first match."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Characters of a line that are shown at most.
LINE_MAX = 4000
#: Characters before a match that does not fit into the beginning of its line: it is seen even if lines are cut off at
#: the width of a window.
_BEFORE = 40
#: Matches that are marked in a line at most.
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

    `matches` are first character and the one after the last, in order; no more of them are read than are shown.
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
