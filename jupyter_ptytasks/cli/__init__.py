"""`jupyter ptytasks`: the command line. A command's module is loaded when it is wanted: all start fast."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from .._version import __version__
from ..client.caller_env import as_utf8
from . import streams
from .common import Settings

#: Each command's module; the order is that of the help.
_COMMANDS = {
    "run": "run",
    "ls": "listing",
    "show": "listing",
    "logs": "logs",
    "attach": "attach",
    "wait": "verbs",
    "stop": "verbs",
    "pause": "verbs",
    "resume": "verbs",
    "restart": "verbs",
    "input": "verbs",
    "rm": "verbs",
    "prune": "prune",
    "status": "listing",
    "progress": "progress",
}
_COMPLETE = "_JUPYTER_PTYTASKS_COMPLETE"


class Commands(click.Group):
    """The commands, by name."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Give their names."""
        return list(_COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """Give one."""
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f".{_COMMANDS[name]}", __name__), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run one, until it ends or somebody interrupts it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # As a shell has it. Whatever was looked at or waited for goes on.
            raise click.exceptions.Exit(130) from None
        except BrokenPipeError:
            raise click.exceptions.Exit(streams.PIPE_CLOSED) from None


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.option("--url", metavar="URL", help="The server's address, as it prints it.  [env: JUPYTER_PTYTASKS_URL]")
@click.option("--token", metavar="TOKEN", help="The server's token.  [env: JUPYTER_PTYTASKS_TOKEN]")
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def cli(ctx: click.Context, url: str | None, token: str | None) -> None:
    """Named background tasks of a Jupyter server: they outlive the browser, the kernel and the server.

    The server is found by itself: the one that this terminal, task or kernel belongs to, else the one that serves this
    directory, else the newest that runs. A task is meant by its id or its name; of several with a name, the newest.

    With --json all answers are those of the REST API, one JSON value a line; so are errors, on standard error.
    NO_COLOR is respected.

    \b
    Exit codes:
      0  it went well; attach, wait, run --attach and run --wait exit as the task
         did: with its code, or 128 + the number of the signal that ended it
      1  it went wrong        3  there is no server
      2  it was said wrong    4  there is no such task
    """  # noqa: D301  \b is for click: it keeps the lines that follow as they are
    ctx.obj = Settings(url or "", token or "")


def main() -> None:
    """Run the command line, and exit."""
    streams.prepare()
    sys.argv[1:] = [as_utf8(word) for word in sys.argv[1:]]
    try:
        try:
            # A shell can complete one word only, and that is the program's.
            cli(prog_name="jupyter-ptytasks" if _COMPLETE in os.environ else "jupyter ptytasks", complete_var=_COMPLETE)
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:
            raise
        sys.exit(streams.give_up(error))
