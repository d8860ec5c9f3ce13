"""Helpers that the commands share: the client, task arguments and their completion, JSON output, messages."""

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
    from ..client.literals import StateName
    from ..client.types import Sweep

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

#: The states of a task that has not ended.
_LIVE: tuple[StateName, ...] = ("held", "queued", "starting", "running", "paused", "stopping")
#: Time limit for a completion, in seconds.
_COMPLETION_TIME = 1.0
#: Maximum number of tasks that are considered for a completion.
_COMPLETED = 200


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
    """Return the completions of a task's name or id; none if the server does not respond."""
    return _completions(ctx, incomplete, lambda client: _of_tasks(client.list(limit=_COMPLETED)["tasks"]))


def complete_waiting(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the same for pending tasks."""

    def ask(client: Client) -> list[tuple[str, str, str]]:
        return _of_tasks(client.list(state=("held", "queued"), limit=_COMPLETED)["tasks"])

    return _completions(ctx, incomplete, ask)


def complete_sweep(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the same for sweeps."""
    return _completions(
        ctx, incomplete, lambda client: [(one["name"], one["id"], f"{one['size']} tasks") for one in client.sweeps()]
    )


def complete_group(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the same for groups, which only have names."""
    return _completions(
        ctx, incomplete, lambda client: [(one["name"], "", f"{one['pending']} waiting") for one in client.groups()]
    )


def _of_tasks(tasks: Iterable[Task]) -> list[tuple[str, str, str]]:
    return [(task["name"], task["id"], task["state"]) for task in tasks]


def _completions(
    ctx: click.Context, incomplete: str, ask: Callable[[Client], list[tuple[str, str, str]]]
) -> list[CompletionItem]:
    """Return the completions from the names and ids that `ask` returns with a help text; none if it fails."""
    from ..client import Client, ClientError  # noqa: PLC0415  as above

    options = ctx.find_root().params
    try:
        with Client(options.get("url") or "", options.get("token") or "", timeout=_COMPLETION_TIME) as client:
            known = ask(client)
    except ClientError:
        return []
    found: dict[str, CompletionItem] = {}
    for name, ident, about in known:
        # Shells split completions at whitespace.
        words = [name] * (not any(map(str.isspace, name))) + [ident] * bool(ident and incomplete)
        for word in words:
            if word.startswith(incomplete):
                found.setdefault(word, CompletionItem(word, help=about))
    return list(found.values())


def complete_ref_or_sweep(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the completions of a sweep after `--sweep`, else of a task."""
    return (complete_sweep if ctx.params.get("sweeps") else complete_ref)(ctx, param, incomplete)


one_ref = click.argument("ref", metavar="TASK", shell_complete=complete_ref)
many_refs = click.argument("refs", metavar="TASK...", nargs=-1, required=True, shell_complete=complete_ref)
in_group = click.option(
    "-g", "--group", metavar="NAME", shell_complete=complete_group, help="Only tasks of this group."
)
with_tag = click.option("-t", "--tag", metavar="NAME", help="Only tasks with this tag.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the REST API's JSON.")


def in_states(names: Iterable[str]) -> Callable[[Decorated], Decorated]:
    """Return an option `states` for tasks in any of these states."""
    states = click.Choice(list(names))
    return click.option(
        "--state", "states", multiple=True, type=states, help="Only tasks in this state; may be repeated."
    )


def tell_namesakes(client: Client, task: Task) -> None:
    """Warn if another live task has the name of a task that was just started: the name now means the new one."""
    from ..client import ClientError  # noqa: PLC0415  as above

    try:
        page = client.list(name=task["name"], state=_LIVE, limit=2)
    except ClientError:
        return  # the task was started, which is more important
    others = [one["id"] for one in page["tasks"] if one["id"] != task["id"]]
    if others:
        note(f"another live task has the name {task['name']!r}: {others[0]}; the name now means {task['id']}")


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


def each(refs: Iterable[str], do: Callable[[str], Task | Sweep], *, as_json: bool, done: str = "") -> None:
    """Call `do` for each task or sweep, and report it as `done`, by default the state of the task. If some fail, exit
    with the code of the first failure.
    """
    from ..client import RequestFailed  # noqa: PLC0415  as above

    failures: list[int] = []
    for ref in refs:
        try:
            found: Any = do(ref)
        except RequestFailed as error:
            failures.append(tell(error, f"{ref}: "))
            continue
        if as_json:
            print_json(found)
        else:
            click.echo(f"{found['id']} {found['name']} {done or found['state']}")
    if failures:
        raise click.exceptions.Exit(failures[0])


def tell(error: ClientError, about: str = "") -> int:
    """Print an error to stderr, as JSON with --json. Return the exit code for it."""
    from ..client import NotFound, ServerNotFound  # noqa: PLC0415  as above

    if click.get_current_context().params.get("as_json"):
        click.echo(_to_json(error.to_json(), sys.stderr), err=True)
    else:
        note(f"{about}{error.message}\n{error.hint}".rstrip())
    return 3 if isinstance(error, ServerNotFound) else 4 if isinstance(error, NotFound) else 1


def note(text: str) -> None:
    """Print a message to stderr."""
    click.echo(f"jupyter ptytasks: {text}", err=True)


def is_terminal() -> bool:
    """Return whether stdin and stdout are both terminals."""
    return sys.stdin.isatty() and sys.stdout.isatty()
