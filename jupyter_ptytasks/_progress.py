"""Telling from inside of a task how far it is."""

from __future__ import annotations

import json
import math
import os
import sys
import time

#: Seconds between two reports that reach the terminal.
_INTERVAL = 0.1
_TEXT_LIMIT = 200

_last = -math.inf


def progress(done: float | None, total: float | None = None, text: str = "") -> None:
    """Tell that `done` of `total` are done, with a `text` for people; without a total only that something moves.

    `progress(None)` takes back what was told. Everything may be of any unit, and go back; call it as often as you like:
    of calls within a tenth of a second only the first is told, and the one with which all is done.

    It goes to the terminal of the task by escape sequences (OSC 9;4, and a private one with the numbers as they are;
    docs/protocol.md), also from threads and from programs that the task has started. Outside of a task, or without a
    terminal, nothing happens. What is wrong with the terminal is never raised.
    """
    global _last  # noqa: PLW0603  one terminal, one time
    if not os.environ.get("PTYTASK_ID"):
        return
    known = done is not None and total is not None and total > 0
    final = done is None or (known and total is not None and done >= total)
    now = time.monotonic()
    if now - _last < _INTERVAL and not final:
        return
    _last = now
    _write(sequence(done, total, text))


def sequence(done: float | None, total: float | None = None, text: str = "") -> bytes:
    """Give what `progress` writes."""
    if done is None:
        return b"\x1b]9;4;0\x1b\\"
    done = _finite(done)
    total = _finite(total)
    if done is None or total is None or total <= 0:
        state, total = b"3;0", None
    else:
        state = b"1;%d" % min(max(100 * done / total, 0), 100)
    exact = json.dumps({"done": done, "total": total, "text": text[:_TEXT_LIMIT]}, separators=(",", ":"))
    # In ASCII, as json.dumps gives it, no terminal mistakes a byte of the text for the end of the sequence.
    return b"\x1b]9;4;%s\x1b\\\x1b]7784;%s\x1b\\" % (state, exact.encode())


def _finite(number: float | None) -> float | None:
    """As a number of JSON: numpy's become Python's, whole ones stay whole, and those that are none become None."""
    if number is None or not math.isfinite(number):
        return None
    return int(number) if number == int(number) else float(number)


def _write(data: bytes) -> None:
    out = _output()
    opened = None
    try:
        if out is None:
            out = opened = os.open("/dev/tty", os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
        while data:
            data = data[os.write(out, data) :]
    except OSError:
        pass  # there is no terminal, or no longer
    finally:
        if opened is not None:
            os.close(opened)


def _output() -> int | None:
    """The standard output that Python began with, if it is a terminal still."""
    try:
        out = sys.__stdout__.fileno() if sys.__stdout__ is not None else -1
    except ValueError:
        return None  # it is closed
    return out if out >= 0 and os.isatty(out) else None
