"""The file of a task's metrics: a line of JSON, followed by the points of all series as doubles.

An invalid file counts as missing: the metrics can be read again from the ring, as far as it goes back.
"""

from __future__ import annotations

import json
import sys
from array import array

from .series import Series

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_VERSION = 1
#: Number of last attempts that are kept.
ATTEMPTS = 4
#: Maximum size of a file in bytes; a larger one is not read.
LONGEST = 64 << 20


class Attempt:
    """The metrics of one attempt: its number, how far its ring was read, the state of its reader, and its series."""

    __slots__ = ("number", "position", "series", "state")

    def __init__(self, number: int, position: int, state: dict[str, Any], series: list[Series]) -> None:
        self.number = number
        self.position = position
        self.state = state
        self.series = series


def encode(attempts: list[Attempt]) -> bytes:
    """Return the content of the file."""
    body: list[bytes] = []
    told = []
    for attempt in attempts[-ATTEMPTS:]:
        series = []
        for one in attempt.series:
            series.append([*one.facts(), len(one.values)])
            body += [_swapped(column).tobytes() for column in (one.times, one.steps, one.values)]
        told.append([attempt.number, attempt.position, attempt.state, series])
    # Python's JSON has nan and infinity; only Python reads this line.
    head = json.dumps({"version": _VERSION, "attempts": told}, separators=(",", ":"))
    return head.encode() + b"\n" + b"".join(body)


def decode(data: bytes) -> list[Attempt]:
    """Return the attempts in a file, oldest first; none if it is damaged or from a newer version."""
    try:
        head, _, body = data.partition(b"\n")
        said = json.loads(head)
        if said["version"] != _VERSION:
            return []
        at, attempts = 0, []
        for number, position, state, told in said["attempts"]:
            series = []
            for *facts, count in told:
                one = Series.from_facts(facts)
                for name in ("times", "steps", "values"):
                    part = body[at : at + 8 * count]
                    if count < 1 or len(part) != 8 * count:
                        return []
                    column = array("d")
                    column.frombytes(part)
                    setattr(one, name, _swapped(column))
                    at += 8 * count
                series.append(one)
            attempts.append(Attempt(int(number), int(position), dict(state), series))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    return attempts


def _swapped(column: array[float]) -> array[float]:
    """Return a column in little-endian byte order."""
    if sys.byteorder == "big":
        column = array("d", column)
        column.byteswap()
    return column
