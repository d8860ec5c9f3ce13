"""What a client of the websocket says (docs/protocol.md): any bytes go in, a message or nothing comes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

#: Rows and columns that make sense.
_SIZE_MAX = 1000


@dataclass(frozen=True)
class Stdin:
    """What was typed."""

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
    """Return what a message says; None where that is nothing that we know. Raises nothing."""
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
    """Return a number as the integer that it is; None for any other, `true`, and what is no number."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
