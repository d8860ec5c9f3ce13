"""The MIME bundle that displays a task in a notebook: JSON for the Lab extension, HTML and text for other viewers.

The HTML needs no style sheet, and is readable where inline styles are stripped from it. HTML and text do not change
once they are written: for a running task they say as of when, instead of a run time.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ..client import curves, is_live
from ..client import format as formats
from .colors import plain

if TYPE_CHECKING:
    from datetime import datetime

    from ..client import Task

MIME = "application/vnd.jupyter.ptytask+json"
VERSION = 1
#: How many lines and bytes of output are saved in the notebook.
LINES = 10
BYTES = 4096

#: Colors by state, readable on white and black. The text says the same, so nothing depends on them.
_COLORS = {
    "running": "#2e8b57",
    "succeeded": "#2e8b57",
    "failed": "#d1242f",
    "timed_out": "#d1242f",
    "lost": "#9a5bd0",
    "paused": "#b7791f",
    "stopping": "#b7791f",
}
_GRAY = "#808080"


def bundle(task: Task, tail: str, as_of: datetime, note: str = "") -> dict[str, Any]:
    """Return the MIME bundle of a task with its last lines.

    `as_of` is when the server described it like that; `note` is shown below.
    """
    kept = "".join(tail.splitlines(keepends=True)[-LINES:])
    return {
        MIME: {"version": VERSION, "task": task, "tail": kept, "as_of": as_of.isoformat(timespec="milliseconds")},
        "text/html": _html(task, plain(tail), _moment(as_of), note),
        "text/plain": _text(task, plain(tail), _moment(as_of), note),
    }


def _moment(time: datetime) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _text(task: Task, tail: str, as_of: str, note: str) -> str:
    state = f"{task['state'].replace('_', ' ')} as of {as_of}" if is_live(task) else formats.in_brief(task)
    head = f"task {task['name']} ({task['id']}): {state}"
    if not is_live(task) and formats.reason(task):
        head += f": {formats.reason(task)}"
    asked = formats.question(task) if is_live(task) else ""
    parts = [
        head,
        f"waits for {asked}" if asked else "",
        _progress(task),
        _metric(task),
        f"$ {formats.command(task)}",
        tail.rstrip(),
        f"({note})" if note else "",
    ]
    return "\n".join(filter(None, parts))


def _html(task: Task, tail: str, as_of: str, note: str) -> str:
    color = _COLORS.get(task["state"], _GRAY)
    ran = formats.runtime(task)
    cells = {
        "task": f"<b>{escape(task['name'])}</b>",
        "state": f'<span style="color: {color}">{escape(task["state"].replace("_", " "))}</span>',
        "exit": escape(formats.ending(task)),
        "waits for": f"<b>{escape(formats.question(task))}</b>" * bool(formats.question(task)),
        "as of": as_of if is_live(task) else "",
        "ran": "" if ran is None or is_live(task) else formats.duration(ran),
        "progress": escape(_progress(task)),
        "metric": escape(_metric(task)),
        "id": f"<code>{escape(task['id'])}</code>",
    }
    shown = {name: cell for name, cell in cells.items() if cell}
    left = 'style="text-align: left"'
    head = "".join(f"<th {left}>{name}</th>" for name in shown)
    row = "".join(f"<td {left}>{cell}</td>" for cell in shown.values())
    parts = [
        f'<table style="margin: 0"><thead><tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody></table>',
        f'<div style="margin: 4px 0"><code>$ {escape(_shortened(formats.command(task)))}</code></div>',
    ]
    reason = "" if is_live(task) else formats.reason(task)
    parts += [f'<div style="color: {_GRAY}">{escape(text)}</div>' for text in (reason, note) if text]
    if tail.strip():
        style = f"margin: 4px 0; padding: 6px 8px; border-left: 3px solid {color}; overflow-x: auto; line-height: 1.3"
        parts.append(f'<pre style="{style}">{escape(tail.rstrip())}</pre>')
    return f"<div>{''.join(parts)}</div>"


def _progress(task: Task) -> str:
    progress = task["progress"]
    if not progress:
        return ""
    fraction = progress.get("fraction")
    part = "" if fraction is None else f"{formats.percent(fraction)}%"
    return " · ".join(filter(None, (part, str(progress.get("text") or ""))))


def _metric(task: Task) -> str:
    """Return the most important metric with its curve; empty if the task has none."""
    # Older servers do not send this.
    for name, told in task.get("metrics", {}).items():
        return f"{name} {curves.number(told['value'])} {curves.sparkline(told['trend'])}".rstrip()
    return ""


def _shortened(line: str, most: int = 300) -> str:
    return line if len(line) <= most else line[: most - 1] + "…"
