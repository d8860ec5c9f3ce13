"""Completion for the magics: verbs, options and task names."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

from ..client import Client, ClientError, is_live
from .options import CELL, VERBS

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import InteractiveShell

#: The longest a completion may take, in seconds.
_TIME = 1.0
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
    # The first word is a name; an existing one reattaches to or restarts its task.
    return [] if before else _names()


def _of_line(before: list[str], word: str) -> list[str]:
    if not before:
        return list(VERBS)
    verb = VERBS.get(before[0])
    if verb is None:
        return []
    if word.startswith("-"):
        return verb.options()
    return [] if before[0] == "ls" else _names(live=before[0] in ("stop", "pause", "resume", "input"))


def _names(*, live: bool = False) -> list[str]:
    """Return the names of tasks, newest first; none if the server does not respond in time."""
    try:
        with Client(timeout=_TIME) as client:
            found = client.list(limit=200)["tasks"]
    except ClientError:
        return []
    return list(dict.fromkeys(task["name"] for task in found if is_live(task) or not live))
