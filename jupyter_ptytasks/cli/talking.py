"""The commands for interacting with a task: wait and input."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from .common import json_option, many_refs, one_ref, print_json
from .values import in_brief, parse_duration, reason, visible

if TYPE_CHECKING:
    from ..client import Client, Task
    from ..client.types import Waited
    from .common import Settings

_UNTIL = ("exit", "waiting", "quiet", "progress", "output")


def _parse_until(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:  # noqa: ARG001
    words = tuple(value.split(",")) if value else ()
    for word in words:
        if word not in _UNTIL:
            raise click.BadParameter(f"{word!r} is not one of {', '.join(_UNTIL)}")
    return words


@click.command()
@many_refs
@click.option("--timeout", type=parse_duration, metavar="TIME", help="Stop waiting after this time, and exit with 124.")
@click.option(
    "--until", callback=_parse_until, metavar="WHAT", help="Also: waiting (for input), quiet, progress, output."
)
@click.option("--match", metavar="REGEX", help="Also until a line matches, finished or not.")
@click.option("--since", type=click.IntRange(0), metavar="LINE", help="With --match: look at lines from this one on.")
@click.option("--quiet", type=parse_duration, metavar="TIME", help="With --until quiet: time without output.  [3s]")
@json_option
@click.pass_obj
def wait(
    settings: Settings,
    /,
    refs: tuple[str, ...],
    timeout: float | None,
    until: tuple[Any, ...],
    match: str | None,
    as_json: bool,
    **about: Any,
) -> None:
    """Wait until tasks have ended, and exit with their exit code.

    For several tasks, this is the first code that is not 0. A signal is 128 + its number. A task that was stopped or
    lost counts as 1 if its command reported no error. Waiting continues across a restart of the server.

    With --until or --match, wait for one task until the condition is met, and exit with 0. If the task ends first, exit
    with its exit code, or with 1 unless --until includes exit.
    """
    with settings.client(patience=300.0) as client:
        if until or match is not None:
            if len(refs) != 1:
                raise click.UsageError("--until and --match wait for one task")
            waited = client.wait_for(refs[0], until, match=match, timeout=timeout, **about)
            sys.exit(_report(waited, as_json=as_json, exit_is_fine="exit" in until))
        # Look up all names first: a typo must not be noticed after hours.
        tasks = [client.get(ref) for ref in refs]
        deadline = None if timeout is None else time.monotonic() + timeout
        codes = [_wait(client, task, deadline, as_json=as_json) for task in tasks]
    sys.exit(next((code for code in codes if code), 0))


def _wait(client: Client, task: Task, deadline: float | None, *, as_json: bool) -> int:
    from ..client.outcome import TIMED_OUT, exit_status, is_live  # noqa: PLC0415  not for help

    task = client.wait(task["id"], None if deadline is None else max(deadline - time.monotonic(), 0.0))
    if as_json:
        print_json(task)
    else:
        why = "" if is_live(task) else visible(reason(task))
        click.echo(f"{task['id']} {task['name']} {in_brief(task)}{': ' if why else ''}{why}")
    return TIMED_OUT if is_live(task) else exit_status(task)


def _report(waited: Waited, *, as_json: bool, exit_is_fine: bool) -> int:
    """Print the result of a wait, and return the exit code."""
    from ..client.outcome import TIMED_OUT, exit_status  # noqa: PLC0415  not for help

    task, line = waited["task"], waited["line"]
    if as_json:
        print_json(waited)
    elif line is not None:
        click.echo(line["text"])
    elif waited["reason"] == "waiting" and task["waiting"] is not None:
        click.echo(task["waiting"]["prompt"])
    else:
        click.echo(f"{task['id']} {task['name']} {in_brief(task)}")
    if waited["reason"] == "exit":
        return exit_status(task) or int(not exit_is_fine)
    return TIMED_OUT if waited["reason"] == "timeout" else 0


@click.command("input")
@one_ref
@click.argument("text", required=False)
@click.option(
    "-k", "--key", "keys", multiple=True, metavar="NAME", help="Press a key: C-c, Up, Enter. May be repeated."
)
@click.option(
    "--newline/--no-newline",
    default=None,
    help="Whether to press Enter after it.  [default: yes, unless TEXT has control characters]",
)
@click.option("--if-waiting", is_flag=True, help="Type only if the program is waiting for input.")
@click.option("--secret", is_flag=True, help="The input is a password; without TEXT, prompt for it.")
@json_option
@click.pass_obj
def input(  # noqa: A001  the verb's name
    settings: Settings,
    ref: str,
    text: str | None,
    keys: tuple[str, ...],
    newline: bool | None,
    if_waiting: bool,
    secret: bool,
    as_json: bool,
) -> None:
    """Type TEXT into a task and press Enter. With `-`, type standard input unchanged."""
    if text is None and secret and not keys:
        text = click.prompt("Password", hide_input=True, err=True)
    if (text is None) == (not keys):
        raise click.UsageError("either TEXT or --key")
    if text == "-":
        text, newline = sys.stdin.read(), bool(newline)
    with settings.client() as client:
        client.send_input(
            ref, text or "", keys=keys or None, newline=newline, only_if_waiting=if_waiting, secret=secret
        )
        if as_json:
            print_json(client.get(ref))
