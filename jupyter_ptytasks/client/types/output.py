"""The output of a task: its lines, its screen, and search results."""

from __future__ import annotations

from typing import Annotated, Literal

from ..literals import Count, Says, Size
from .typed import NotRequired, TypedDict


class Text(TypedDict):
    """Some lines of the output. A line that may still change is repeated by a request for `since` = `next_line`."""

    output: str
    first_line: Count
    """Number of the first line; the first of all is 0."""
    next_line: Count
    """The `since` of the next request."""
    total_lines: Count
    lines_omitted: Count
    """Number of lines left out, before or between these, or no longer kept."""
    more: bool
    """Whether there are lines from `next_line` on already."""
    truncated: bool
    """Whether lines are left out."""
    bytes: Count
    estimated_tokens: Count
    ended: bool
    """Whether the task has ended, so that no more output follows."""
    line_numbers: NotRequired[list[Count]]
    """With `grep` or `times`, the number of each line."""
    times: NotRequired[list[str | None]]
    """With `times`, the time of each line; null if unknown."""


class Replay(TypedDict):
    """What a task's terminal showed at some moment."""

    offset: Count
    """Its offset in the output, in bytes."""
    time: str
    """The time of the output before it."""
    start: Count
    """Offset of the oldest byte kept."""
    end: Count
    first_time: str
    """The time of the oldest output that is kept."""
    last_time: str
    """The end of the task, or now."""
    rows: int
    cols: int
    """The size of the terminal then."""
    alternate: bool
    """Whether a full-screen program was active."""
    data: str
    """Draws the screen in a terminal of this size, regardless of its content."""


class Hit(TypedDict):
    """A line of the output of a task that was searched for."""

    task: str
    """The id."""
    name: str
    line: Count
    """Number of the line; the first of all is 0."""
    offset: Count
    """The offset of the line in the output, in bytes."""
    text: str
    """At most 4000 characters of it, around the first match if that is further on; an ellipsis says where it is cut."""
    start: Count
    """Character of the line at which `text` begins; if it is not 0, after the ellipsis."""
    spans: list[tuple[Count, Count]]
    """Where in `text` the matches are: first character, and the one after the last."""


class Searched(TypedDict):
    """The last line of a search: what was searched."""

    hits: Count
    tasks: Count
    bytes: Count
    unreadable: Count
    """Number of tasks whose output could not be read."""
    reason: Literal["limit", "time", "pattern"] | None
    """Why not everything was searched: enough lines were found, it took a minute, or the pattern takes too long."""
    message: str | None
    """The same in words, if the pattern is at fault."""


class Cursor(TypedDict):
    """Where the cursor of a terminal is: row and column, both from 0 on."""

    row: Count
    col: Count
    visible: bool


class Screen(TypedDict):
    """What the terminal of a task shows now."""

    rows: Size
    cols: Size
    cursor: Cursor
    lines: Annotated[list[str], Says(maxItems=1000)]
    """One for each row, without trailing blanks."""
    title: str
    """The window title set by the program; may be empty."""
    alternate: bool
    """Whether the alternate screen of a full-screen program is active."""
