"""Parses and validates the frames sent to a ptyhost. Invalid ones raise WireError, and no other exception."""

from __future__ import annotations

import json

from ..core import signals, wire
from .stop_sequence import StopSequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TARGETS = ("foreground", "tree", "leader")
#: Maximum number of rows and columns, as everywhere: the terminal itself allows 65535, which no browser can draw.
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
        raise wire.WireError(f"not a target: {payload[:80]!r}")
    try:
        return signals.number_of(about.get("signal")), target
    except ValueError as error:
        raise wire.WireError(f"not a signal: {payload[:80]!r}") from error


def read_stop(payload: bytes, now: float) -> StopSequence:
    """Return the stop sequence of a STOP that arrives at `now` (monotonic seconds)."""
    try:
        return StopSequence.from_json(wire.fields(payload), now)
    except ValueError as error:
        raise wire.WireError(f"not a stop sequence: {payload[:80]!r}") from error


def read_notes(payload: bytes, known: dict[str, Any]) -> dict[str, Any]:
    """Return the notes after a NOTE was merged into the `known` ones.

    Numbers that JSON lacks (NaN, Infinity), and notes that exceed wire.MAX_NOTES in total, are invalid.
    """
    notes = {**known, **wire.fields(payload)}
    try:
        size = len(json.dumps(notes, separators=(",", ":"), allow_nan=False))
    except (ValueError, RecursionError) as error:
        raise wire.WireError(f"not notes: {payload[:80]!r}") from error
    # `>=`: one more byte for the line feed at the end of the file.
    if size >= wire.MAX_NOTES:
        raise wire.WireError(f"notes of {size} bytes")
    return notes
