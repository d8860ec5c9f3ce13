"""`commands` and `exec`: the command history of a shell, and running a command in it."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from ..client import format as formats
from .common import json_option, note, one_ref, print_json
from .values import parse_duration, visible

if TYPE_CHECKING:
    from ..client.types import ShellCommand
    from .common import Settings

#: Seconds that the server waits for the end of a command.
_LONGEST = 55.0


@click.command()
@one_ref
@click.option("-n", "--limit", type=click.IntRange(1, 1000), metavar="N", help="The last N commands.  [default: 100]")
@json_option
@click.pass_obj
def commands(settings: Settings, ref: str, limit: int | None, as_json: bool) -> None:
    """List the last commands of a shell: exit code, duration, line of the output, and the command.

    `logs TASK --since LINE` shows the output from that line on.
    """
    with settings.client() as client:
        told = client.commands(ref, limit)
    if as_json:
        print_json(told)
    elif not told["marks"]:
        note(f"{ref} is not a shell that marks its commands")
    else:
        for one in told["commands"]:
            click.echo(_line(one))


def _line(one: ShellCommand) -> str:
    code = "…" if one["running"] else "?" if one["exit"] is None else str(one["exit"])
    took = "" if one["duration"] is None else formats.duration(one["duration"])
    command = visible(one["command"] or "")
    return f"{code:>3}  {took:>8}  {one['output']['line']:>6}  {command}".rstrip()


@click.command("exec", context_settings={"allow_interspersed_args": False})
@one_ref
@click.option("--timeout", type=parse_duration, metavar="TIME", help="Maximum time to wait, at most 55s.  [55s]")
@json_option
@click.argument("words", metavar="[--] COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def exec_(settings: Settings, ref: str, timeout: float | None, as_json: bool, words: tuple[str, ...]) -> None:
    """Run a command at the prompt of a shell, print its output, and exit with its exit code.

    A single word is a command line, several words are its arguments. If the command is still running after the timeout,
    exit with 124; it keeps running.
    """
    words = words[1:] if words[0] == "--" else words
    if not words:
        raise click.UsageError("a COMMAND is needed")
    command = words[0] if len(words) == 1 else shlex.join(words)
    with settings.client() as client:
        told = client.exec(ref, command, None if timeout is None else min(timeout, _LONGEST))
    if as_json:
        print_json(told)
    elif told["output"]:
        click.echo(told["output"], nl=not told["output"].endswith("\n"))
    if told["reason"] == "timeout":
        note("the command is still running")
        sys.exit(124)
    sys.exit(told["exit"] if told["exit"] is not None else 1)
