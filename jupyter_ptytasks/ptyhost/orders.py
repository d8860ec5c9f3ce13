"""What the frames to a ptyhost ask for, read and checked: what makes no sense raises WireError, and nothing else."""

from __future__ import annotations

import json

from ..core import wire
from .ladder import Ladder, signal_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TARGETS = ("foreground", "tree", "leader")
#: Rows and columns at most, as everywhere: the terminal's own numbers go to 65535, which no browser can draw.
_SIZE_MAX = 1000


def read_size(payload: bytes) -> tuple[int, int]:
    """Return the rows and columns of a RESIZE."""
    try:
        rows, cols = wire.SIZE.unpack(payload)
    except wire.Malformed as error:
        raise wire.WireError(f"not a size: {payload[:80]!r}") from error
    return min(max(rows, 1), _SIZE_MAX), min(max(cols, 1), _SIZE_MAX)


def read_signal(payload: bytes) -> tuple[int, str]:
    """Return the number of a SIGNAL and its target."""
    about = wire.fields(payload)
    target = about.get("target", "tree")
    if not isinstance(target, str) or target not in _TARGETS:
        raise wire.WireError(f"no target: {payload[:80]!r}")
    try:
        return signal_number(about.get("signal")), target
    except ValueError as error:
        raise wire.WireError(f"no signal: {payload[:80]!r}") from error


def read_stop(payload: bytes, now: float) -> Ladder:
    """Return the ladder of a STOP that comes at `now` (monotonic seconds)."""
    try:
        return Ladder.from_json(wire.fields(payload), now)
    except ValueError as error:
        raise wire.WireError(f"no ladder: {payload[:80]!r}") from error


def read_notes(payload: bytes, known: dict[str, Any]) -> dict[str, Any]:
    """Return the notes that the `known` ones become by a NOTE.

    Numbers that JSON does not know (NaN, Infinity), and what is too much in all, cannot be meant.
    """
    notes = {**known, **wire.fields(payload)}
    try:
        size = len(json.dumps(notes, separators=(",", ":"), allow_nan=False))
    except (ValueError, RecursionError) as error:
        raise wire.WireError(f"no notes: {payload[:80]!r}") from error
    # One more: the line feed that ends a file.
    if size >= wire.MAX_NOTES:
        raise wire.WireError(f"notes of {size} bytes")
    return notes
