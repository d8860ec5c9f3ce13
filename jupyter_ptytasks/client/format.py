"""How people say and read things: durations, times, commands, what became of a task."""

from __future__ import annotations

import re
import shlex
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .types import Task

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")


def seconds(text: str) -> float:
    """Give the seconds of `90`, `2h`, `1h30m`, `500ms`. Raises ValueError."""
    text = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not text or _PART.sub("", text):
        raise ValueError(f"{text!r} is no duration; one looks like 90, 2h or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def duration(seconds: float) -> str:
    """Give a duration in its two greatest units."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"


def moment(iso: str) -> datetime:
    """Give a time of the REST API."""
    return datetime.fromisoformat(iso.replace("Z", "+00:00"))


def now() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(timezone.utc)


def ago(iso: str) -> float:
    """Give the seconds since then."""
    return (now() - moment(iso)).total_seconds()


def runtime(task: Task) -> float | None:
    """Give for how long a task has run; None if it never has."""
    if task["started"] is None:
        return None
    end = moment(task["ended"]) if task["ended"] else now()
    return (end - moment(task["started"])).total_seconds()


def ending(task: Task) -> str:
    """Give how a command ended: its code, or the name of the signal; empty while it runs or where nobody knows."""
    ended = task["exit"]
    if ended is None:
        return ""
    return ended["signal"] or ("" if ended["code"] is None else str(ended["code"]))


def command(task: Task) -> str:
    """Give the command as one line."""
    given = task["command"]
    return " ".join((given if isinstance(given, str) else shlex.join(given)).split())


def visible(text: str) -> str:
    """Return a text with an escape in place of each character that a terminal would obey, or that is none."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def in_brief(task: Task) -> str:
    """Give what became of a task, in a few words."""
    ended, ran = ending(task), runtime(task)
    words = [task["state"].replace("_", " ")]
    if ended:
        words.append(f"({ended if ended.startswith('SIG') else f'exit {ended}'})")
    if ran is not None:
        words.append(f"{'after' if task['ended'] else 'for'} {duration(ran)}")
    return " ".join(words)
