"""The common options of `run`, `sweep` and `again`, and their conversion to requests."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click

from ..client import caller_env, resources, turns
from .common import complete_group, complete_ref
from .values import parse_duration, parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..client import Client
    from ..client.literals import Command, Warn

#: Characters that mark a shell command line.
_SHELL = re.compile(r"[\s|&;<>()$`*?]")


def _warning(text: str) -> Warn:
    """Parse a warning such as `USR1@60s`."""
    signal, at, before = text.partition("@")
    if not signal or not at:
        raise click.BadParameter(f"{text!r} is not of the form SIGNAL@TIME, such as USR1@60s")
    return {"signal": signal, "before": parse_duration(before)}


_PLACE = click.option("--place", metavar="PLACE", help="Where to run it, such as ssh:gpu1; `places` lists them.")
_GPUS = click.option(
    "--gpus",
    type=resources.gpus,
    metavar="N",
    help="GPUs: a number, or a share: 2, 0.5; with --place also a100:2.",
)
_METRIC_PATTERN = click.option(
    "--metric-pattern",
    metavar="REGEX",
    help="Read metrics by this expression, whose named groups they are: 'val (?P<val_loss>\\S+)'.",
)

_OPTIONS = (
    click.option("-n", "--name", metavar="NAME", help="Name of the task; by default made from the command."),
    click.option("--cwd", metavar="DIR", help="Working directory; by default the current one."),
    click.option("-e", "--env", multiple=True, metavar="KEY[=VALUE]", help="Set a variable, or pass on your own."),
    click.option(
        "-g",
        "--group",
        "--queue",
        metavar="NAME",
        shell_complete=complete_group,
        help="Group of the task.",
    ),
    click.option("-t", "--tag", "tags", multiple=True, metavar="NAME", help="A tag; may be repeated."),
    click.option("--timeout", type=parse_duration, metavar="TIME", help="Stop the task after this time: 90, 30m, 2h."),
    click.option("--warn", type=_warning, metavar="SIGNAL@TIME", help="Send a signal before the time limit: USR1@60s."),
    click.option("--grace", type=parse_duration, metavar="TIME", help="Grace period after SIGINT and after SIGTERM."),
    _PLACE,
    click.option("--hold", is_flag=True, help="Hold it until `release`."),
    click.option(
        "--after",
        multiple=True,
        metavar="TASK[:WHEN]",
        shell_complete=complete_ref,
        help="Wait for a task: ok (default), any or failed.",
    ),
    click.option(
        "--at", type=parse_moment, metavar="TIME", help="Start no earlier than this time: 22:00, 2026-07-01T22:00."
    ),
    click.option(
        "--delay", type=parse_duration, metavar="TIME", help="Start no earlier than this time from now: 30m, 2h."
    ),
    click.option(
        "--priority", type=int, metavar="N", help="Priority in the group; tasks with a higher one start first."
    ),
    click.option("--slots", type=int, metavar="N", help="Use this many slots of the group."),
    _GPUS,
    _METRIC_PATTERN,
    click.option("--retry", type=int, metavar="N", help="Retry it up to this many times if it fails."),
    click.option(
        "--retry-delay",
        type=parse_duration,
        metavar="TIME",
        help="Delay before the first retry, doubled each time.  [default: 30s]",
    ),
)


def task_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, in order, followed by those for resources."""
    return _with_resources(command, _OPTIONS)


def change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add those options that mean the same for a copy of a task: where it runs, and how its metrics are read."""
    return _with_resources(command, (_PLACE, _GPUS, _METRIC_PATTERN))


def _with_resources(
    command: Callable[..., Any], options: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...]
) -> Callable[..., Any]:
    for name, (_, metavar, about) in reversed([*resources.OPTIONS.items()]):
        told = f"{about[0].upper()}{about[1:]}. Needs --place."
        command = click.option(f"--{name}", metavar=metavar, help=told)(command)
    for option in reversed(options):
        command = option(command)
    return command


def check(options: dict[str, Any]) -> None:
    """Raise click.UsageError for conflicting options."""
    if options["warn"] and options["timeout"] is None:
        raise click.UsageError("--warn needs --timeout")
    if options["retry_delay"] is not None and options["retry"] is None:
        raise click.UsageError("--retry-delay needs --retry")
    if options["at"] is not None and options["delay"] is not None:
        raise click.UsageError("--at and --delay exclude each other")


def runs_here(client: Client, options: dict[str, Any]) -> bool:
    """Return whether tasks with these options run on this machine, in its directories."""
    return client.server.is_local and resources.is_here(options["place"])


def fields(options: dict[str, Any], *, is_local: bool) -> dict[str, Any]:
    """Return the options as arguments of `Client.create`, without those that were not given."""
    moment: datetime | None = options["at"]
    if options["delay"] is not None:
        moment = datetime.now(timezone.utc) + timedelta(seconds=options["delay"])
    cwd = options["cwd"]
    found = {
        "cwd": os.path.abspath(cwd or "") if is_local else cwd,
        "env": {**(caller_env.from_caller() if is_local else {}), **variables(options["env"])},
        "tags": list(options["tags"]),
        "timeout_warning": options["warn"],
        "stop_grace": options["grace"],
        "hold": options["hold"],
        "metrics": {"pattern": options["metric_pattern"]} if options["metric_pattern"] else None,
        "after": [turns.after(one) for one in options["after"]],
        "not_before": None if moment is None else moment.isoformat(),
        "retry": turns.retry(options["retry"], options["retry_delay"]),
        **{name: options[name] for name in ("name", "group", "timeout", "priority", "slots")},
        **where(options, options["place"]),
    }
    return {name: value for name, value in found.items() if value is not None}


def where(options: dict[str, Any], place: str | None) -> dict[str, Any]:
    """Return the options as `place`, `resources` and `gpus` of a task at `place`, without those that were not given.

    Raises click.UsageError for resources that there are none of.
    """
    try:
        asked = resources.from_options(options)
        found = resources.placed(place, asked, options["gpus"])
    except ValueError as error:
        raise click.UsageError(f"--gpus: {error}") from error
    if asked and resources.is_here(place):
        raise click.UsageError(f"--{next(name for name in resources.OPTIONS if options[name])} needs --place")
    return found


def command_of(words: tuple[str, ...], cwd: str | None, *, is_local: bool) -> Command | None:
    """Return the command for the given words: a single word that looks like a shell command line is one, unless it is
    the path of a program.
    """
    if len(words) == 1 and _SHELL.search(words[0]) and not (is_local and _is_program(words[0], cwd or "")):
        return words[0]
    return list(words) or None


def _is_program(word: str, cwd: str) -> bool:
    """Return whether a word is the path of an executable file, relative to `cwd`.

    It must contain a slash, as in a shell: a file named `make all` does not replace that command line.
    """
    path = os.path.join(cwd, word)
    return os.sep in word and os.path.isfile(path) and os.access(path, os.X_OK)


def variables(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return the variables of `-e`, each given with its value or taken from the caller."""
    try:
        return caller_env.parse_pairs(pairs)
    except KeyError as error:
        raise click.UsageError(f"-e {error.args[0]}: this variable is not set") from error
