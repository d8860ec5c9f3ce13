"""`run`: starts a task."""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..client import caller_env
from .attach import detach_keys, require_terminal
from .common import is_terminal, json_option, note, print_json
from .values import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..client import Task
    from ..client.types import Command, Warn
    from .common import Settings
    from .keys import DetachKeys

#: Characters that mark a shell command line.
_SHELL = re.compile(r"[\s|&;<>()$`*?]")


def _warning(text: str) -> Warn:
    """Parse a warning such as `USR1@60s`."""
    signal, at, before = text.partition("@")
    if not signal or not at:
        raise click.BadParameter(f"{text!r} is not of the form SIGNAL@TIME, such as USR1@60s")
    return {"signal": signal, "before": parse_duration(before)}


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("words", metavar="[--] [COMMAND...]", nargs=-1, type=click.UNPROCESSED)
@click.option("-n", "--name", metavar="NAME", help="Name of the task; by default made from the command.")
@click.option("--cwd", metavar="DIR", help="Working directory; by default the current one.")
@click.option("-e", "--env", "pairs", multiple=True, metavar="KEY[=VALUE]", help="Set a variable, or pass on your own.")
@click.option("-g", "--group", metavar="NAME", help="Group of the task.")
@click.option("-t", "--tag", "tags", multiple=True, metavar="NAME", help="A tag; may be repeated.")
@click.option("--timeout", type=parse_duration, metavar="TIME", help="Stop the task after this time: 90, 30m, 2h.")
@click.option("--warn", type=_warning, metavar="SIGNAL@TIME", help="Send a signal before the time limit: USR1@60s.")
@click.option("--grace", type=parse_duration, metavar="TIME", help="Grace period after SIGINT and after SIGTERM.")
@click.option(
    "--if-exists",
    type=click.Choice(["new", "return", "restart", "fail"]),
    default="new",
    help="If a live task has this name: start another (new), return it, restart it, or fail.  [default: new]",
)
@click.option("--attach", "attaches", is_flag=True, help="Attach to the task, and exit with its exit code.")
@click.option("--wait", "waits", is_flag=True, help="Wait until the task ends, and exit with its exit code.")
@detach_keys
@json_option
@click.pass_obj
def run(
    settings: Settings,
    words: tuple[str, ...],
    name: str | None,
    cwd: str | None,
    pairs: tuple[str, ...],
    group: str | None,
    tags: tuple[str, ...],
    timeout: float | None,
    warn: Warn | None,
    grace: float | None,
    if_exists: Any,
    attaches: bool,
    waits: bool,
    keys: DetachKeys,
    as_json: bool,
) -> None:
    """Start a task in the background and print its id and name.

    Several words are a program and its arguments. A single word that contains spaces or shell syntax is run by the
    shell, unless it is the path of an executable file. Without COMMAND, an interactive shell is started, and attached
    if this is a terminal.

    The task runs in the current directory, with the server's environment. It also gets your PATH, VIRTUAL_ENV, CONDA_*,
    CUDA_VISIBLE_DEVICES and similar variables, so `python` is the one you use here, plus anything given with -e. If the
    server is on another machine, only -e applies.

    \b
      jupyter ptytasks run -n train -- python train.py --epochs 20
      jupyter ptytasks run 'make 2>&1 | tee build.log'
      jupyter ptytasks run -- './my script.sh'
      jupyter ptytasks run
    """  # noqa: D301  \b is for click
    if warn and timeout is None:
        raise click.UsageError("--warn needs --timeout")
    attached = attaches or (not words and not waits and not as_json and is_terminal())
    if attached:
        require_terminal()
    with settings.client(patience=300.0) as client:
        is_local = client.server.is_local
        rows, cols = _size() if attached else (None, None)
        task = client.create(
            _command(words, cwd or "", is_local=is_local),
            name=name,
            cwd=os.path.abspath(cwd or "") if is_local else cwd,
            env=_environment(pairs, is_local=is_local),
            rows=rows,
            cols=cols,
            group=group,
            tags=tags,
            timeout=timeout,
            timeout_warning=warn,
            stop_grace=grace,
            if_exists=if_exists,
        )
        if attached:
            from .attach_session import attach_terminal  # noqa: PLC0415  not for help

            sys.exit(attach_terminal(client, task, keys))
        if not as_json:
            with _saying(task):
                click.echo(f"{task['id']} {task['name']}")
        if waits:
            from ..client import exit_status  # noqa: PLC0415

            task = client.wait(task["id"])
        if as_json:
            with _saying(task):
                print_json(task)
    sys.exit(exit_status(task) if waits else 0)


def _command(words: tuple[str, ...], cwd: str, *, is_local: bool) -> Command | None:
    if len(words) == 1 and _SHELL.search(words[0]) and not (is_local and _is_program(words[0], cwd)):
        return words[0]
    return list(words) or None


def _is_program(word: str, cwd: str) -> bool:
    """Return whether a word is the path of an executable file, relative to `cwd`.

    It must contain a slash, as in a shell: a file named `make all` does not replace that command line.
    """
    path = os.path.join(cwd, word)
    return os.sep in word and os.path.isfile(path) and os.access(path, os.X_OK)


@contextmanager
def _saying(task: Task) -> Iterator[None]:
    """Report a started task on stderr if stdout cannot be written to."""
    try:
        yield
    except OSError:
        note(f"started task {task['id']} {task['name']}")
        raise


def _environment(pairs: tuple[str, ...], *, is_local: bool) -> dict[str, str]:
    try:
        given = caller_env.parse_pairs(pairs)
    except KeyError as error:
        raise click.UsageError(f"-e {error.args[0]}: this variable is not set") from error
    return {**(caller_env.from_caller() if is_local else {}), **given}


def _size() -> tuple[int, int]:
    size = os.get_terminal_size()
    return size.lines or 24, size.columns or 80
