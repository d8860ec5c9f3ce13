"""Texts about tasks for agents: they use few tokens, and their last line says what to do next."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ..client.format import command, in_brief, percent
from ..client.outcome import is_live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..client.types import Task, Text

#: An estimate, as in the REST API.
_BYTES_PER_TOKEN = 4
#: Tokens reserved for the description of the task.
_RESERVE = 150
#: Matches long repetitions of a character, such as bars and rulers.
_RUN = re.compile(r"([^\w\s])\1{11,}")
_LINE_MAX = 2000
_COMMAND_MAX = 80

#: The message instead of typing a password.
NEVER_TYPED = (
    "The program asks for a password. Do not send it, and do not ask for it: ask the user to type it in the task's "
    "terminal."
)


def tokens(text: str) -> int:
    """Return the estimated number of tokens of a text."""
    return -(-len(text.encode()) // _BYTES_PER_TOKEN)


def room(limit: int) -> int:
    """Return how many of `limit` tokens are available for output."""
    return max(limit - _RESERVE, limit // 2)


def squeezed(text: str) -> str:
    """Return output with long lines cut in the middle, and bars and rulers of 12 or more characters shortened."""
    return "".join(map(_squeezed_line, text.splitlines(keepends=True)))


def _squeezed_line(line: str) -> str:
    line = _without_runs(line)
    if len(line) <= _LINE_MAX:
        return line
    half = _LINE_MAX // 2
    return f"{line[:half]} … {len(line) - 2 * half} characters … {line[-half:]}"


def _without_runs(line: str) -> str:
    return _RUN.sub(r"\1\1\1…", line)


def numbered(text: Text) -> str:
    """Return the lines found by a search, each with its number, and bars and rulers shortened. Long lines stay as the
    server has cut them, around the match.
    """
    numbers = text.get("line_numbers", [])
    lines = text["output"].splitlines()
    return "".join(f"{number}: {_without_runs(line)}\n" for number, line in zip(numbers, lines, strict=False))


def ends(output: str, limit: int) -> str:
    """Return a text; if it has more than `limit` tokens, leave out its middle. The beginning gets a quarter of them."""
    if tokens(output) <= limit:
        return output
    lines = output.splitlines(keepends=True)
    head = _fitting(lines, limit // 4)
    tail = _fitting(lines[head:][::-1], limit - limit // 4)
    left_out = len(lines) - head - tail
    return "".join([*lines[:head], f"… {left_out} lines left out …\n", *lines[len(lines) - tail :]])


def end(output: str, limit: int) -> str:
    """Return the last lines of a text, in at most `limit` tokens."""
    if tokens(output) <= limit:
        return output
    lines = output.splitlines(keepends=True)
    tail = _fitting(lines[::-1], limit)
    return "".join([f"… {len(lines) - tail} lines left out …\n", *lines[len(lines) - tail :]])


def _fitting(lines: Sequence[str], limit: int) -> int:
    """Return how many of the first lines fit into `limit` tokens."""
    size = 0
    for count, line in enumerate(lines):
        size += len(line.encode())
        if size > limit * _BYTES_PER_TOKEN:
            return count
    return len(lines)


def answer(*parts: str) -> str:
    """Join the nonempty parts of an answer, each on a new line."""
    return "\n".join(part.rstrip("\n") for part in parts if part.rstrip("\n"))


def state(task: Task) -> str:
    """Return a task's state as one line: `train (mwp0c3k9d2ab): running for 12s, 45%`."""
    words = f"{task['name']} ({task['id']}): {in_brief(task)}"
    if is_live(task):
        return words + progress(task)
    return words + (f": {task['state_message']}" if task["state_message"] else "")


def progress(task: Task) -> str:
    """Return a task's progress: `, 45%, step 45/100`; empty if unknown."""
    told = task["progress"]
    if told is None:
        return ""
    done = "" if told["fraction"] is None else f", {percent(told['fraction'])}%"
    return done + (f", {told['text']}" if told["text"] else "")


def row(task: Task) -> str:
    """Return a task's line in a list."""
    line = command(task)
    shown = line if len(line) <= _COMMAND_MAX else line[: _COMMAND_MAX - 1] + "…"
    return f"{state(task)} | {shown}"


def next_step(task: Task, next_line: int | None = None) -> str:
    """Return the last line of an answer: what can be done next with the task.

    Args:
        next_line: the number of the first line that was not shown.
    """
    name = quoted(task)
    waits = task.get("waiting")
    since = "" if next_line is None else f", since={next_line}"
    if not is_live(task):
        return f"It will be retried soon: wait({name}{since})." if task["runs_again"] else "It has ended."
    if task["queue"] is not None:
        return f"It is queued ({task['queue']['text']}): wait({name}{since}), or stop({name})."
    if task["state"] == "paused":
        return f"It is paused. The user can resume it: jupyter ptytasks resume {task['name']}"
    if waits is None:
        return f"It is still running: wait({name}{since})."
    if waits["kind"] == "password":
        return (
            "It asks for a password. Do not ask for it, and do not send it: ask the user to type it in the task's "
            f"terminal (JupyterLab, or `jupyter ptytasks attach {task['id']}`), then wait({name}{since})."
        )
    if waits["kind"] == "shell":
        return f'The shell is ready: send({name}, "…").'
    if waits["kind"] == "keys":
        return f'It waits for keys: send({name}, keys=["…"]).'
    return f'It asks {json.dumps(waits["prompt"], ensure_ascii=False)}: send({name}, "…").'


def quoted(task: Task) -> str:
    """Return a task's name as an argument."""
    return json.dumps(task["name"], ensure_ascii=False)
