"""Tables of text, as text and as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Longest text of a cell.
_WIDTH = 40
_LEFT = 'style="text-align: left"'


def shortened(text: str) -> str:
    """Return text that fits into a cell."""
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def as_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as text."""
    lines = [tuple(head), *(tuple(map(shortened, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in shown)


def as_html(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as HTML that needs no style sheet."""
    heads = "".join(f"<th {_LEFT}>{escape(name)}</th>" for name in head)
    cells = ("".join(f"<td {_LEFT}>{escape(shortened(cell))}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
