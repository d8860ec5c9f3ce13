"""How far a task is and what it uses, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from . import values

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ..client import Progress, Task


#: Seconds: nothing is late before the first nor silent before the second, and not within so many steps.
_LATE, _LATE_STEPS = 10.0, 3.0
_SILENT, _SILENT_STEPS = 60.0, 5.0
#: Of a fraction that nothing is counted behind.
_PERCENTS = 100.0


def progress(task: Task) -> str:
    """Return how far a task is, and how long it will take: `42% 3m05s left`; empty where it does not tell."""
    told = task["progress"]
    if told is None:
        return ""
    is_over = task["ended"] is not None
    # Of what has ended, nobody asks any more how far it had to go.
    state = "" if told["state"] == "normal" or (is_over and told["state"] == "indeterminate") else told["state"]
    words = [_done(told), state]
    rest = remaining(task, values.now())
    if rest is not None:
        what, seconds = rest
        words.append(f"{values.duration(seconds)} left" if what == "left" else f"silent for {values.duration(seconds)}")
    return " ".join(filter(None, words))


def remaining(task: Task, now: datetime) -> tuple[Literal["left", "silent"], float] | None:
    """Return the seconds that a running task needs still, or for which it has been silent; None where nobody can say.

    The estimate of its last progress runs down until the next step is late, and from then on it grows by the second.
    After a minute without any output, or several steps, only that is said. JupyterLab has the same rule (measures.ts);
    tests/contract/remaining.json holds both to it.
    """
    told = task["progress"]
    if told is None or task["state"] != "running" or told["fraction"] == 1.0:
        return None
    moved = values.moment(told["updated"])
    step = _step(told)
    silent = max((now - max(moved, values.moment(task["last_activity"]))).total_seconds(), 0.0)
    if silent >= max(_SILENT, _SILENT_STEPS * step):
        return "silent", silent
    if told["eta"] is None:
        return None
    stood = max((now - moved).total_seconds(), 0.0)
    late = max(_LATE, _LATE_STEPS * step)
    return "left", max(told["eta"] - min(stood, late), 0.0) + max(stood - late, 0.0)


def _step(told: Progress) -> float:
    """Return the seconds from one step to the next, as it seems; 0.0 where that is not known."""
    if told["eta"] is None or told["fraction"] is None:
        return 0.0
    counted = math.prod(track["total"] or 0.0 for track in told["tracks"]) if told["tracks"] else 0.0
    return told["eta"] / max((1.0 - told["fraction"]) * (counted or _PERCENTS), 1.0)


def _done(told: Progress) -> str:
    if told["fraction"] is not None:
        # Rounded down: 100% is what is done.
        return f"{int(told['fraction'] * 100 + 1e-9)}%"
    return "" if told["done"] is None else f"{told['done']:,.10g} {told['unit']}".strip()


def progress_in_full(task: Task) -> str:
    """Return also what the program says of it, and how we know; empty where it does not tell."""
    told = task["progress"]
    if told is None:
        return ""
    said = " · ".join(filter(None, (progress(task), told["text"])))
    return f"{said} (from {told['source']})" if said else ""


def usage(task: Task) -> dict[str, str]:
    """Give what a task uses, or has used, by heading; the highest values in parentheses."""
    told = task["usage"]
    if told is None:
        return {}
    peak = told["peak"]
    spent = f"{values.duration(told['cpu_time'])} in all" if told["cpu_time"] is not None else ""
    alone = f"largest process {size(told['max_rss'])}" if told["max_rss"] is not None else ""
    proportional = _with_peak(told["pss"], peak["pss"], size)
    lines = {
        "cpu": [_with_peak(told["cpu"], peak["cpu"], _percent), spent],
        "memory": [
            _with_peak(told["rss"], peak["rss"], size),
            f"proportional {proportional}" if proportional else "",
            alone,
        ],
        "processes": [_with_peak(told["processes"], peak["processes"], str)],
        "gpu": [
            _with_peak(told["gpu_memory"], peak["gpu_memory"], size),
            _with_peak(told["gpu_load"], peak["gpu_load"], _percent),
            "of its devices, whoever uses them" if told["gpu_scope"] == "device" else "",
        ],
    }
    return {name: ", ".join(filter(None, parts)) for name, parts in lines.items()}


def size(count: float) -> str:
    """Give a number of bytes in the unit that suits it."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:,.3g} GiB" if count < 1000 else f"{count:,.0f} GiB"


def _percent(value: float) -> str:
    return f"{value:.0f}%"


def _with_peak(now: float | None, highest: float | None, said: Callable[[Any], str]) -> str:
    if highest is None:
        return "" if now is None else said(now)
    return f"at most {said(highest)}" if now is None else f"{said(now)} (at most {said(highest)})"
