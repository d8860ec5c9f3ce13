"""How far a task is and what it uses, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import values as human

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..client import Progress, Task


def progress(task: Task) -> str:
    """Give how far a task is, and how long it will take: `42% 3m05s left`; empty where it does not tell."""
    told = task["progress"]
    if told is None:
        return ""
    words = [_done(told)] if told["state"] == "normal" else [_done(told), told["state"]]
    if told["eta"] is not None and task["ended"] is None:
        words.append(f"{human.duration(told['eta'] - human.ago(told['updated']))} left")
    return " ".join(filter(None, words))


def _done(told: Progress) -> str:
    if told["fraction"] is not None:
        # Rounded down: 100% is what is done.
        return f"{int(told['fraction'] * 100 + 1e-9)}%"
    return "" if told["done"] is None else f"{told['done']:,.10g} {told['unit']}".strip()


def progress_in_full(task: Task) -> str:
    """Give also what the program says of it, and how we know."""
    told = task["progress"]
    if told is None:
        return ""
    return " · ".join(filter(None, (progress(task), told["text"]))) + f" (from {told['source']})"


def usage(task: Task) -> dict[str, str]:
    """Give what a task uses, or has used, by heading; the highest values in parentheses."""
    told = task["usage"]
    if told is None:
        return {}
    peak = told["peak"]
    spent = f"{human.duration(told['cpu_time'])} in all" if told["cpu_time"] is not None else ""
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
