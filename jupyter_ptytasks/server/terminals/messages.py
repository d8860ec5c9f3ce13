"""Parses messages of websocket clients (docs/protocol.md): any bytes in, a message or None out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

#: Maximum number of rows and columns.
_SIZE_MAX = 1000


@dataclass(frozen=True)
class Stdin:
    """Typed input."""

    text: str


@dataclass(frozen=True)
class SetSize:
    """The size of the client's terminal."""

    rows: int
    cols: int


@dataclass(frozen=True)
class Ack:
    """Everything before this offset is drawn."""

    offset: int


def parse(message: str | bytes) -> Stdin | SetSize | Ack | None:
    """Return the parsed message; None if it is unknown. Never raises."""
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list) or len(value) < 2:
        return None
    kind, first = value[:2]
    if kind == "stdin":
        return Stdin(first) if isinstance(first, str) else None
    if kind == "ack":
        offset = _whole(first)
        return Ack(offset) if offset is not None and offset >= 0 else None
    if kind == "set_size" and len(value) > 2:
        rows, cols = _whole(first), _whole(value[2])
        if rows is not None and cols is not None and 1 <= rows <= _SIZE_MAX and 1 <= cols <= _SIZE_MAX:
            return SetSize(rows, cols)
    return None


def _whole(value: Any) -> int | None:
    """Return a whole number as an integer; None for anything else, including `true`."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
