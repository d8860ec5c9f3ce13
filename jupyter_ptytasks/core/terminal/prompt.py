"""Prompts: the text before the cursor on an unfinished line."""

from __future__ import annotations

import re

from ..waiting.classify import PROMPT_MAX
from .cells import NULL
from .lines import Lines

#: Moving the cursor to a row and column: a program that does this draws a screen, and has no prompt.
_PLACES = re.compile(rb"\x1b\[[0-9]+;[0-9]*[Hf]")


def prompt_of(output: bytes, rows: int, cols: int, typed: str = "") -> str:
    """Return the prompt that a terminal of this size shows after `output`: the text before the cursor in its line,
    without the text that was `typed` there; at most the last 200 characters, possibly empty.
    """
    if _PLACES.search(output):
        return ""
    lines = Lines(rows, cols, fresh=False)
    lines.feed(output)
    grid = lines.grid
    at = min(grid.y, len(grid.rows) - 1)
    text = grid.rows[at].text[: grid.x]
    while at > 0 and grid.rows[at].wraps:
        at -= 1
        text = grid.rows[at].text + text
    text = grid.clusters.spell(text.rstrip(NULL))
    if typed and text.endswith(typed):
        text = text[: -len(typed)]
    if not text.strip():
        return ""
    return text.lstrip()[-PROMPT_MAX:]
