"""Parsing and formatting of values for people: durations, times, commands, how a task ended."""

from __future__ import annotations

import math
import re
import shlex
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .types import Group, Task

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_SIZES = ("KiB", "MiB", "GiB", "TiB")
#: Messages that say no more than the exit code or signal; the second is from older servers.
_ENDED = re.compile(r"exited with code -?\d+|killed by SIG\w+|")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|[smhdw])\s*")


def seconds(text: str) -> float:
    """Parse a duration such as `90`, `2h`, `1h30m`, `1h 30m` or `500ms` to seconds. Raises ValueError.

    JupyterLab accepts the same: tests/contract/format.json.
    """
    text = text.strip().lower()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    if not text or _PART.sub("", text):
        raise ValueError(f"{text!r} is not a valid duration; use something like 90, 2h or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def duration(seconds: float) -> str:
    """Return a duration in its two largest units: `3m 07s`. Empty if it is not a finite number."""
    if not math.isfinite(seconds):
        return ""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02}m"
    return f"{whole // 86400}d {whole % 86400 // 3600:02}h"


def percent(fraction: float) -> int:
    """Return a fraction in whole percents, rounded down: 100 only if it is complete."""
    # 0.29 * 100 is 28.999999999999996.
    return 100 if fraction >= 1.0 else min(99, max(0, int(fraction * 100 + 1e-9)))


def size(count: float) -> str:
    """Return a number of bytes for people to read: `512 B`, `1.2 GiB`, `340 MiB`."""
    if count < 1024:
        return f"{_rounded(count)} B"
    value, unit = count / 1024, 0
    # 1023.5 would be rounded to 1024, which is 1.0 of the next unit.
    while value >= 1023.5 and unit < len(_SIZES) - 1:
        value, unit = value / 1024, unit + 1
    return f"{_rounded(value * 10) / 10:.1f} {_SIZES[unit]}" if value < 9.95 else f"{_rounded(value)} {_SIZES[unit]}"


def spared(counts: Mapping[str, object]) -> str:
    """Return the tasks spared by a cleanup: `2 running, 1 pinned`; empty if there are none."""
    said = {"needed": "needed by waiting tasks", "unmeasured": "without the metric"}
    return ", ".join(f"{count} {said.get(why, why)}" for why, count in counts.items() if count)


def load(percents: float) -> str:
    """Return a load, in percents of one core or device: `187%`."""
    return f"{_rounded(percents)}%"


def _rounded(value: float) -> int:
    """Return the nearest integer; a half is rounded up, as JavaScript does, not to the even one."""
    return math.floor(value + 0.5)


def moment(iso: str) -> datetime:
    """Parse a time of the REST API."""
    return datetime.fromisoformat(iso.replace("Z", "+00:00"))


def now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(timezone.utc)


def ago(iso: str) -> float:
    """Return the seconds since a time of the REST API."""
    return (now() - moment(iso)).total_seconds()


def runtime(task: Task) -> float | None:
    """Return the seconds that a task has run; None if it never ran."""
    if task["started"] is None:
        return None
    end = moment(task["ended"]) if task["ended"] else now()
    return (end - moment(task["started"])).total_seconds()


def ending(task: Task) -> str:
    """Return the exit code or signal name of a command; empty while it runs or if unknown."""
    ended = task["exit"]
    if ended is None:
        return ""
    return ended["signal"] or ("" if ended["code"] is None else str(ended["code"]))


def reason(task: Task) -> str:
    """Return the message of an ended task; empty if it only repeats the exit code or signal."""
    message = task["state_message"]
    return "" if _ENDED.fullmatch(message) else message


def question(task: Task) -> str:
    """Return what a task is waiting for, such as `line: Proceed? [y/N]`; empty if it is not waiting for input, or is a
    shell at its prompt.
    """
    # Older servers do not send this.
    asked = task.get("waiting")
    if asked is None or asked["kind"] == "shell":
        return ""
    prompt = visible(asked["prompt"].strip())
    return f"{asked['kind']}: {prompt}" if prompt else asked["kind"]


def command(task: Task) -> str:
    """Return the command on one line."""
    given = task["command"]
    return " ".join((given if isinstance(given, str) else shlex.join(given)).split())


def visible(text: str) -> str:
    """Return a text with control characters and other unprintable characters escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def why(task: Task) -> str:
    """Return why a task is not running, or how it ended."""
    waits = task["queue"]
    # Older servers do not send places and jobs.
    if waits is None or task.get("place", "local") != "local":
        job = task.get("job") if task["state"] in ("held", "queued") else None
        message = task["state_message"] or (job and job["reason"]) or ""
        starts = f", ~{_clock(job['starts'])}" if job and job["starts"] else ""
        return f"{task['state'].replace('_', ' ')}{': ' if message else ''}{message}{starts}"
    place = f" ({waits['position'] - 1} before it)" if waits["position"] > 1 else ""
    starts = f" ({waits['starts']})" if waits["starts"] else ""
    return f"{waits['text']}{place}{starts}"


def _clock(iso: str) -> str:
    """Return a time within a day as clock time, any other with its date."""
    local = moment(iso).astimezone()
    is_soon = abs((local - now()).total_seconds()) < 86400
    return local.strftime("%H:%M" if is_soon else "%Y-%m-%d %H:%M")


def turn(task: Task) -> tuple[str, int, str, str]:
    """Return the sort key of pending tasks: by group, and in the order of their turns."""
    return task["group"], -task["priority"], task["rank"], task["id"]


def group(one: Group) -> str:
    """Return a group in one line: its slots and GPUs, running and pending tasks, and whether it is paused."""
    slots = "no limit" if one["slots"] is None else f"{one['used']} of {one['slots']} slots used"
    gpus = one["gpus"]
    if gpus is not None:
        slots += f", {gpus} GPUs" if gpus == "all" else f", GPUs {', '.join(gpus)}"
    paused = f", paused{': ' if one['reason'] else ''}{one['reason']}" if one["paused"] else ""
    return f"{one['name']}: {slots}, {one['active']} running, {one['pending']} waiting{paused}"


def in_brief(task: Task) -> str:
    """Summarize a task's state in a few words."""
    ended, ran = ending(task), runtime(task)
    words = [task["state"].replace("_", " ")]
    if ended:
        words.append(f"({ended if ended.startswith('SIG') else f'exit {ended}'})")
    if ran is not None:
        words.append(f"{'after' if task['ended'] else 'for'} {duration(ran)}")
    asked = question(task)
    return " ".join(words) + (f", waits for {asked}" if asked else "")
