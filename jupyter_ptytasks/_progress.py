"""Reports progress and metrics from inside a task."""

from __future__ import annotations

import json
import math
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import SupportsFloat

#: Minimum seconds between two reports.
_INTERVAL = 0.1
_TEXT_LIMIT = 200
#: Maximum number of metrics in one report, and of characters in a name.
_METRICS = 64
_NAME_LIMIT = 128

_last = -math.inf


def progress(done: float | None, total: float | None = None, text: str = "") -> None:
    """Report the progress of the task this runs in.

    Works in threads and in child processes, too. Outside a task, or without a terminal, it does nothing, and it never
    raises errors of the terminal. Call it as often as you like: within a tenth of a second only the first call counts,
    and the one that completes the work.

    The report is written to the task's terminal as escape sequences: OSC 9;4, and a private one with the exact numbers
    (docs/protocol.md).

    Args:
        done: how much is done, in any unit; it may decrease. None clears the progress.
        total: how much there is to do; None if unknown.
        text: a message to show.
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
    """Return the escape sequences for `progress`."""
    if done is None:
        return b"\x1b]9;4;0\x1b\\"
    done = _finite(done)
    total = _finite(total)
    if done is None or total is None or total <= 0:
        state, total = b"3;0", None
    else:
        state = b"1;%d" % min(max(100 * done / total, 0), 100)
    exact = json.dumps({"done": done, "total": total, "text": text[:_TEXT_LIMIT]}, separators=(",", ":"))
    # json.dumps returns ASCII, so that no byte of the text can end the sequence.
    return b"\x1b]9;4;%s\x1b\\\x1b]7784;%s\x1b\\" % (state, exact.encode())


def log(
    metrics: Mapping[str, SupportsFloat] | None = None, /, *, step: float | None = None, **more: SupportsFloat
) -> None:
    """Log metrics of the task this runs in: `log(loss=0.31, step=10)`, `log({"val/loss": 0.4})`.

    Works in threads and in child processes, too. Outside a task, or without a terminal, it does nothing, and it never
    raises errors of the terminal. After the first call, only logged values count as metrics: the task's other output is
    no longer parsed (docs/metrics.md).

    Args:
        metrics: numbers by name, for names that are not Python identifiers.
        step: the step of the values; by default they are numbered.
        more: more metrics. Numbers of numpy and torch are accepted, too, and so are NaN and infinity.
    """
    if os.environ.get("PTYTASK_ID"):
        _write(record({**(metrics or {}), **more}, step))


def record(metrics: Mapping[str, SupportsFloat], step: float | None = None) -> bytes:
    """Return the escape sequence for `log`; empty without metrics. Raises TypeError, ValueError."""
    told = {name[:_NAME_LIMIT]: _named(float(value)) for name, value in list(metrics.items())[:_METRICS]}
    if not told:
        return b""
    body: dict[str, object] = {"metrics": told}
    if step is not None:
        body["step"] = _finite(float(step))
    return b"\x1b]7784;%s\x1b\\" % json.dumps(body, separators=(",", ":")).encode()


def _named(number: float) -> float | str:
    """Return a number for JSON, which has no NaN and infinity."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _finite(number: float | None) -> float | None:
    """Convert to a JSON number: numpy numbers to Python's, whole numbers to int, NaN and infinity to None."""
    if number is None or not math.isfinite(number):
        return None
    return int(number) if number == int(number) else float(number)


def _write(data: bytes) -> None:
    out = _output()
    opened = None
    try:
        if out is None:
            out = opened = os.open("/dev/tty", os.O_WRONLY)
        while data:
            data = data[os.write(out, data) :]
    except OSError:
        pass  # no terminal
    finally:
        if opened is not None:
            os.close(opened)


def _output() -> int | None:
    """Return the original standard output if it is a terminal."""
    try:
        out = sys.__stdout__.fileno() if sys.__stdout__ is not None else -1
    except ValueError:
        return None  # it is closed
    return out if out >= 0 and os.isatty(out) else None
