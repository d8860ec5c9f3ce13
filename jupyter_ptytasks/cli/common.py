"""What the commands have in common: the client, references to tasks and their completion, JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..client import Client, Task

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

#: Seconds that a shell waits for a word to be completed, at most.
_COMPLETION_TIME = 1.0


@dataclass(frozen=True)
class Settings:
    """What was said before the command."""

    url: str
    token: str

    def client(self, **options: Any) -> Client:
        """Give a client; the caller closes it."""
        from ..client import Client  # noqa: PLC0415  takes longer than all the rest; not for help

        return Client(self.url, self.token, **options)


def complete_ref(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Give the tasks that may be meant, by name and by id; none where anything is in the way."""
    from ..client import ClientError  # noqa: PLC0415  as above

    said = ctx.find_root().params
    try:
        with Settings(said.get("url") or "", said.get("token") or "").client(timeout=_COMPLETION_TIME) as client:
            tasks = client.list(limit=200)["tasks"]
    except ClientError:
        return []
    found: dict[str, CompletionItem] = {}
    for task in tasks:
        # Shells split what they are offered at white space.
        words = [task["name"]] * (not any(map(str.isspace, task["name"]))) + [task["id"]] * bool(incomplete)
        for word in words:
            if word.startswith(incomplete):
                found.setdefault(word, CompletionItem(word, help=task["state"]))
    return list(found.values())


one_ref = click.argument("ref", metavar="TASK", shell_complete=complete_ref)
many_refs = click.argument("refs", metavar="TASK...", nargs=-1, required=True, shell_complete=complete_ref)
json_option = click.option("--json", "as_json", is_flag=True, help="Print what the REST API says, as JSON.")


def print_json(value: object) -> None:
    """Print a value of the REST API: one line, so that several make JSON Lines."""
    click.echo(json.dumps(value, ensure_ascii=False))


def each(refs: Iterable[str], do: Callable[[str], Task], *, as_json: bool, done: str = "") -> None:
    """Do something to each task and say so; if it fails for some, the first of these errors is raised at the end."""
    from ..client import RequestFailed  # noqa: PLC0415  as above

    failures: list[RequestFailed] = []
    for ref in refs:
        try:
            task = do(ref)
        except RequestFailed as error:
            if failures:
                note(f"{ref}: {error.message}")
            failures.append(error)
            continue
        if as_json:
            print_json(task)
        else:
            click.echo(f"{task['id']} {task['name']} {done or task['state']}")
    if failures:
        raise failures[0]


def note(text: str) -> None:
    """Tell a person something that is no part of the output."""
    click.echo(f"jupyter ptytasks: {text}", err=True)


def is_terminal() -> bool:
    """Tell whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()
