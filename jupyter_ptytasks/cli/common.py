"""What the commands share: the client, task arguments and their completion, JSON output, messages."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..client import Client, ClientError, Task

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

#: The longest a completion may take, in seconds.
_COMPLETION_TIME = 1.0


@dataclass(frozen=True)
class Settings:
    """The options given before the command."""

    url: str
    token: str

    @contextmanager
    def client(self, **options: Any) -> Iterator[Client]:
        """Open a client. Its errors become a message on stderr and an exit code."""
        from ..client import Client, ClientError  # noqa: PLC0415  takes longer than all the rest; not for help

        try:
            with Client(self.url, self.token, **options) as client:
                yield client
        except ClientError as error:
            raise click.exceptions.Exit(tell(error)) from None


def complete_ref(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the completions of a task's name or id; none if the server cannot be asked."""
    from ..client import Client, ClientError  # noqa: PLC0415  as above

    options = ctx.find_root().params
    try:
        with Client(options.get("url") or "", options.get("token") or "", timeout=_COMPLETION_TIME) as client:
            tasks = client.list(limit=200)["tasks"]
    except ClientError:
        return []
    found: dict[str, CompletionItem] = {}
    for task in tasks:
        # Shells split completions at whitespace.
        words = [task["name"]] * (not any(map(str.isspace, task["name"]))) + [task["id"]] * bool(incomplete)
        for word in words:
            if word.startswith(incomplete):
                found.setdefault(word, CompletionItem(word, help=task["state"]))
    return list(found.values())


one_ref = click.argument("ref", metavar="TASK", shell_complete=complete_ref)
many_refs = click.argument("refs", metavar="TASK...", nargs=-1, required=True, shell_complete=complete_ref)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the REST API's JSON.")


def print_json(value: object) -> None:
    """Print a value as JSON on one line, so that several are JSON Lines."""
    click.echo(_to_json(value, sys.stdout))


def _to_json(value: object, stream: TextIO) -> str:
    """Return JSON for a stream; all characters are escaped if its encoding lacks one of them."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode(stream.encoding)
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def each(refs: Iterable[str], do: Callable[[str], Task], *, as_json: bool, done: str = "") -> None:
    """Call `do` for each task and report it. If some fail, exit with the code of the first failure."""
    from ..client import RequestFailed  # noqa: PLC0415  as above

    failures: list[int] = []
    for ref in refs:
        try:
            task = do(ref)
        except RequestFailed as error:
            failures.append(tell(error, f"{ref}: "))
            continue
        if as_json:
            print_json(task)
        else:
            click.echo(f"{task['id']} {task['name']} {done or task['state']}")
    if failures:
        raise click.exceptions.Exit(failures[0])


def tell(error: ClientError, about: str = "") -> int:
    """Print an error to stderr, as JSON with --json. Return the exit code for it."""
    from ..client import ServerNotFound, TaskNotFound  # noqa: PLC0415  as above

    if click.get_current_context().params.get("as_json"):
        click.echo(_to_json(error.to_json(), sys.stderr), err=True)
    else:
        note(f"{about}{error.message}\n{error.hint}".rstrip())
    return {ServerNotFound: 3, TaskNotFound: 4}.get(type(error), 1)


def note(text: str) -> None:
    """Print a message to stderr."""
    click.echo(f"jupyter ptytasks: {text}", err=True)


def is_terminal() -> bool:
    """Return whether stdin and stdout are both terminals."""
    return sys.stdin.isatty() and sys.stdout.isatty()
