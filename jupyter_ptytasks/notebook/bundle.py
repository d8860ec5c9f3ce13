"""What a notebook shows of a task, and keeps: for the Lab extension JSON, for everybody else HTML and text.

The HTML stands by itself, and is still readable where styles are stripped from it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ..client import format as formats
from .colours import plain

if TYPE_CHECKING:
    from ..client import Task

MIME = "application/vnd.jupyter.ptytask+json"
VERSION = 1
#: The last lines that are kept, and bytes of them: a notebook is no place for a log.
LINES = 10
BYTES = 4096

#: Colours that are readable on white and on black, by state; as words say the same, nothing depends on them.
_COLOURS = {
    "running": "#2e8b57",
    "succeeded": "#2e8b57",
    "failed": "#d1242f",
    "timed_out": "#d1242f",
    "lost": "#9a5bd0",
    "paused": "#b7791f",
    "stopping": "#b7791f",
}
_GREY = "#808080"


def bundle(task: Task, tail: str, note: str = "") -> dict[str, Any]:
    """Give the MIME bundle of a task with its last lines; `note` says what is to be said about its truth."""
    kept = "".join(tail.splitlines(keepends=True)[-LINES:])
    return {
        MIME: {"version": VERSION, "task": task, "tail": kept},
        "text/html": _html(task, plain(tail), note),
        "text/plain": _text(task, plain(tail), note),
    }


def _text(task: Task, tail: str, note: str) -> str:
    head = f"task {task['name']} ({task['id']}): {formats.in_brief(task)}"
    parts = [head, _progress(task), f"$ {formats.command(task)}", tail.rstrip(), f"({note})" if note else ""]
    return "\n".join(filter(None, parts))


def _html(task: Task, tail: str, note: str) -> str:
    colour = _COLOURS.get(task["state"], _GREY)
    ran = formats.runtime(task)
    cells = {
        "task": f"<b>{escape(task['name'])}</b>",
        "state": f'<span style="color: {colour}">{escape(task["state"].replace("_", " "))}</span>',
        "exit": escape(formats.ending(task)),
        "ran": "" if ran is None else formats.duration(ran),
        "progress": escape(_progress(task)),
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
    reason = "" if formats.ending(task) else task["state_message"]
    parts += [f'<div style="color: {_GREY}">{escape(text)}</div>' for text in (reason, note) if text]
    if tail.strip():
        style = f"margin: 4px 0; padding: 6px 8px; border-left: 3px solid {colour}; overflow-x: auto; line-height: 1.3"
        parts.append(f'<pre style="{style}">{escape(tail.rstrip())}</pre>')
    return f"<div>{''.join(parts)}</div>"


def _progress(task: Task) -> str:
    progress = task["progress"]
    if not progress:
        return ""
    fraction = progress.get("fraction")
    part = "" if fraction is None else f"{fraction:.0%}"
    return " · ".join(filter(None, (part, str(progress.get("text") or ""))))


def _shortened(line: str, most: int = 300) -> str:
    return line if len(line) <= most else line[: most - 1] + "…"
