"""A task's progress and resource usage as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from ..client import curves
from . import values

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ..client import Progress, Task


#: A step is late after so many seconds and steps; a task is silent after so many seconds and steps.
_LATE, _LATE_STEPS = 10.0, 3.0
_SILENT, _SILENT_STEPS = 60.0, 5.0
#: Assumed number of steps if only a fraction is known.
_PERCENTS = 100.0


def progress(task: Task) -> str:
    """Return progress and time left, like `42% 3m 07s left`; empty if the task reports none."""
    told = task["progress"]
    if told is None:
        return ""
    is_over = task["ended"] is not None
    # An unknown total no longer matters once the task has ended.
    state = "" if told["state"] == "normal" or (is_over and told["state"] == "indeterminate") else told["state"]
    words = [_done(told), state]
    rest = remaining(task, values.now())
    if rest is not None:
        what, seconds = rest
        words.append(f"{values.duration(seconds)} left" if what == "left" else f"silent for {values.duration(seconds)}")
    return " ".join(filter(None, words))


def remaining(task: Task, now: datetime) -> tuple[Literal["left", "silent"], float] | None:
    """Return the seconds left for a running task, or for how long it has been silent; None if unknown.

    The last estimate counts down until the next step is late, then grows with the delay. After a minute without output
    (or several steps), the silence is reported instead. measures.ts has the same rule for JupyterLab;
    tests/contract/remaining.json tests both.
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
    """Return the estimated seconds per step; 0.0 if unknown."""
    if told["eta"] is None or told["fraction"] is None:
        return 0.0
    counted = math.prod(track["total"] or 0.0 for track in told["tracks"]) if told["tracks"] else 0.0
    return told["eta"] / max((1.0 - told["fraction"]) * (counted or _PERCENTS), 1.0)


def _done(told: Progress) -> str:
    if told["fraction"] is not None:
        return f"{values.percent(told['fraction'])}%"
    return "" if told["done"] is None else f"{told['done']:,.10g} {told['unit']}".strip()


def progress_in_full(task: Task) -> str:
    """Return progress with the program's own text and its source; empty if the task reports none."""
    told = task["progress"]
    if told is None:
        return ""
    said = " · ".join(filter(None, (progress(task), told["text"])))
    return f"{said} (from {told['source']})" if said else ""


def metric(task: Task, sort: str = "") -> str:
    """Return the metric by which tasks are sorted, like `min loss 0.29`, else the most important one, like
    `loss 0.31`; with its curve if known. Empty if the task does not have it.
    """
    # Older servers do not send this.
    told = task.get("metrics", {})
    by, _, name = sort.partition(".")
    if by not in ("metrics", "min", "max"):
        by, name = "metrics", next(iter(told), "")
    if name not in told:
        return ""
    one = told[name]
    value = one["value"] if by == "metrics" else one["min"] if by == "min" else one["max"]
    number = "" if value is None else curves.number(value)
    kind = "" if by == "metrics" else by
    return " ".join(filter(None, (kind, values.visible(name), number, curves.sparkline(one.get("trend", [])))))


def metrics(task: Task) -> str:
    """Return all metrics in the task's JSON, with their last values."""
    told = task.get("metrics", {})
    return ", ".join(f"{values.visible(name)} {curves.number(one['value'])}" for name, one in told.items())


def usage(task: Task) -> dict[str, str]:
    """Return current and peak resource usage, by heading."""
    told = task["usage"]
    if told is None:
        return {}
    peak = told["peak"]
    spent = f"{values.duration(told['cpu_time'])} total" if told["cpu_time"] is not None else ""
    alone = f"largest process {values.size(told['max_rss'])}" if told["max_rss"] is not None else ""
    proportional = _with_peak(told["pss"], peak["pss"], values.size)
    lines = {
        "cpu": [_with_peak(told["cpu"], peak["cpu"], values.load), spent],
        "memory": [
            _with_peak(told["rss"], peak["rss"], values.size),
            f"proportional {proportional}" if proportional else "",
            alone,
        ],
        "processes": [_with_peak(told["processes"], peak["processes"], str)],
        "gpu": [
            _with_peak(told["gpu_memory"], peak["gpu_memory"], values.size),
            _with_peak(told["gpu_load"], peak["gpu_load"], values.load),
            "whole device, all processes" if told["gpu_scope"] == "device" else "",
        ],
    }
    return {name: ", ".join(filter(None, parts)) for name, parts in lines.items()}


def _with_peak(now: float | None, highest: float | None, said: Callable[[Any], str]) -> str:
    if highest is None:
        return "" if now is None else said(now)
    return f"peak {said(highest)}" if now is None else f"{said(now)} (peak {said(highest)})"
