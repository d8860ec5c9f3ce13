"""Completion for the magics: verbs, options, and the names of tasks, sweeps and groups."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

from ..client import Client, ClientError, is_live
from .options import CELL, VERBS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import InteractiveShell

#: The longest a completion may take, in seconds.
_TIME = 1.0
#: Maximum number of tasks that are considered for a completion.
_MOST = 200
_GROUP_OPTIONS = ("-g", "--group", "--queue")
_LIVE_VERBS = ("stop", "pause", "resume", "input")
_QUEUE_VERBS = ("move", "hold", "release", "why")
_SWEEP_VERBS = ("sweep", "retry", "cancel")
#: A magic and its arguments up to the cursor, at the start of a line or after an assignment.
_MAGIC = re.compile(r"\s*(?:\w+\s*=\s*)?(%%?task)\s(.*)", re.DOTALL)
#: The word at the cursor, which may have an open quote.
_WORD = re.compile(r"(?:'[^']*|\"[^\"]*|[^\s'\"]*)\Z")


def install(shell: InteractiveShell) -> None:
    """Add our completions to IPython. After our magics they are the only ones."""
    shell.Completer.custom_matchers.append(complete)


@context_matcher()  # type: ignore[untyped-decorator,unused-ignore]
def complete(context: CompletionContext) -> dict[str, Any]:
    """Return the completions of the word at the cursor."""
    magic = _MAGIC.fullmatch(context.text_until_cursor)
    if magic is None:
        return {"completions": []}
    found = _WORD.search(magic[2])
    assert found is not None  # an empty one, at least
    word, before = found[0], magic[2][: found.start()].split()
    meant = _of_cell(before, word) if magic[1] == "%%task" else _of_line(before, word)
    start = word.lstrip("'\"")
    completions = [SimpleCompletion(shlex.quote(text)) for text in meant if text.startswith(start)]
    return {"completions": completions, "matched_fragment": word, "suppress": True}


def _of_cell(before: list[str], word: str) -> list[str]:
    if word.startswith("-"):
        return CELL.options()
    if before and before[-1] in _GROUP_OPTIONS:
        return _names(_groups)
    # The first word is a name; an existing one reattaches to or restarts its task.
    return _names(_tasks) if not before or before[-1] == "--after" else []


def _of_line(before: list[str], word: str) -> list[str]:
    if not before:
        return list(VERBS)
    verb = VERBS.get(before[0])
    if verb is None:
        return []
    if word.startswith("-"):
        return verb.options()
    if before[-1] in _GROUP_OPTIONS or before[0] == "group":
        return _names(_groups)
    if before[0] in _SWEEP_VERBS or "--sweep" in before:
        return _names(_sweeps)
    if before[0] in _QUEUE_VERBS:
        return _names(_waiting)
    if before[0] in ("ls", "queue"):
        return []
    return _names(_live if before[0] in _LIVE_VERBS else _tasks)


def _names(ask: Callable[[Client], Iterable[str]]) -> list[str]:
    """Return the names that `ask` returns, each once; none if the server does not respond in time."""
    try:
        with Client(timeout=_TIME) as client:
            return list(dict.fromkeys(ask(client)))
    except ClientError:
        return []


def _tasks(client: Client) -> list[str]:
    return [task["name"] for task in client.list(limit=_MOST)["tasks"]]


def _live(client: Client) -> list[str]:
    return [task["name"] for task in client.list(limit=_MOST)["tasks"] if is_live(task)]


def _waiting(client: Client) -> list[str]:
    return [task["name"] for task in client.list(state=("held", "queued"), limit=_MOST)["tasks"]]


def _sweeps(client: Client) -> list[str]:
    return [sweep["name"] for sweep in client.sweeps()]


def _groups(client: Client) -> list[str]:
    return [group["name"] for group in client.groups()]
