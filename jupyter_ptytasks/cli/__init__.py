"""`jupyter ptytasks`: the command line. Each command's module is loaded only when it runs, to keep startup fast."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from .._version import __version__
from ..client.caller_env import as_utf8
from ..core.names import did_you_mean
from . import streams
from .common import Settings

#: The module of each command, in the order of the help.
_COMMANDS = {
    "run": "run",
    "ls": "listing",
    "sweep": "sweep",
    "retry": "sweep",
    "cancel": "sweep",
    "queue": "queue",
    "group": "queue",
    "places": "places",
    "hold": "queue",
    "release": "queue",
    "why": "why",
    "show": "listing",
    "logs": "logs",
    "grep": "grep",
    "record": "record",
    "export": "archives",
    "import": "archives",
    "metrics": "metrics",
    "screen": "shown",
    "attach": "attach",
    "wait": "talking",
    "stop": "verbs",
    "pause": "verbs",
    "resume": "verbs",
    "restart": "verbs",
    "again": "verbs",
    "diff": "about",
    "note": "about",
    "tag": "verbs",
    "input": "talking",
    "exec": "shells",
    "commands": "shells",
    "delete": "verbs",
    "prune": "prune",
    "status": "listing",
    "progress": "progress",
    "mcp": "agents",
    "agents": "agents",
}
#: Functions that are not called as their commands are.
_FUNCTIONS = {"exec": "exec_", "note": "note_", "import": "import_"}
_ALIASES = {"rm": "delete"}
_COMPLETE = "_JUPYTER_PTYTASKS_COMPLETE"


class Commands(click.Group):
    """The commands, by name; an alias works too but is not listed."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the names, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """Return a command, or None if there is none of this name."""
        name = _ALIASES.get(name, name)
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f".{_COMMANDS[name]}", __name__)
        command: click.Command = getattr(module, _FUNCTIONS.get(name, name))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the name, the command and the arguments. Raises UsageError, which names a similar command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            hint = did_you_mean(args[0], [*_COMMANDS, *_ALIASES])
            if not hint:
                raise
            raise click.UsageError(f"{error.message.rstrip('.')}{hint}", ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. An interrupt exits with 130, a closed output pipe as SIGPIPE would."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # The status a shell reports for SIGINT. Tasks are not affected.
            raise click.exceptions.Exit(130) from None
        except BrokenPipeError:
            raise click.exceptions.Exit(streams.PIPE_CLOSED) from None


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.option(
    "--url", metavar="URL", help="URL of the Jupyter server, as printed when it starts.  [env: JUPYTER_PTYTASKS_URL]"
)
@click.option("--token", metavar="TOKEN", help="Token of the server.  [env: JUPYTER_PTYTASKS_TOKEN]")
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def cli(ctx: click.Context, url: str | None, token: str | None) -> None:
    """Manage named background tasks of a Jupyter server. They outlive the browser, the kernel and the server.

    The server is found automatically: the one this terminal, task or kernel belongs to, else one that serves the
    current directory, else the most recently started one. TASK is an id or a name; if several tasks share a name, the
    newest is used.

    With --json, every command prints what the REST API returns, one JSON value per line; errors are JSON on standard
    error. NO_COLOR is respected.

    \b
    Exit codes:
      0  success; attach, wait, run --attach and run --wait exit with the task's
         exit code, or 128 + the signal number if a signal ended it
      1  error                3  no server found
      2  usage error          4  no such task, group, sweep or place
    """
    ctx.obj = Settings(url or "", token or "")


def main() -> None:
    """Run the command line, and exit."""
    streams.prepare()
    sys.argv[1:] = [as_utf8(word) for word in sys.argv[1:]]
    try:
        try:
            # Shells complete the arguments of one program, and `jupyter` is not ours.
            cli(prog_name="jupyter-ptytasks" if _COMPLETE in os.environ else "jupyter ptytasks", complete_var=_COMPLETE)
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:
            raise
        sys.exit(streams.give_up(error))
