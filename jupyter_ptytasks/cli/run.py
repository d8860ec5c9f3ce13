"""The command that starts a task."""

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

#: What only a shell understands.
_SHELL = re.compile(r"[\s|&;<>()$`*?]")


def _warning(text: str) -> Warn:
    """Give what `USR1@60s` says."""
    signal, at, before = text.partition("@")
    if not signal or not at:
        raise click.BadParameter(f"{text!r} is not like USR1@60s")
    return {"signal": signal, "before": parse_duration(before)}


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("words", metavar="[--] [COMMAND...]", nargs=-1, type=click.UNPROCESSED)
@click.option("-n", "--name", metavar="NAME", help="What it is called; by default as its command.")
@click.option("--cwd", metavar="DIR", help="Where it runs; by default here.")
@click.option("-e", "--env", "pairs", multiple=True, metavar="KEY[=VALUE]", help="Set a variable, or pass on ours.")
@click.option("-g", "--group", metavar="NAME", help="The group that it belongs to.")
@click.option("-t", "--tag", "tags", multiple=True, metavar="NAME", help="A tag; may be repeated.")
@click.option("--timeout", type=parse_duration, metavar="TIME", help="Stop it after so long: 90, 30m, 2h.")
@click.option("--warn", type=_warning, metavar="SIGNAL@TIME", help="Send a signal so long before: USR1@60s.")
@click.option(
    "--grace", type=parse_duration, metavar="TIME", help="Time after SIGINT and after SIGTERM, when it is stopped."
)
@click.option(
    "--if-exists",
    type=click.Choice(["new", "return", "restart", "fail"]),
    default="new",
    help="Where a task of this name lives: start another (new), give that one, restart it, or fail.",
)
@click.option("--attach", "attaches", is_flag=True, help="Put it on this terminal, and exit with its code.")
@click.option("--wait", "waits", is_flag=True, help="Wait for its end, and exit with its code.")
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
    """Start a task in the background, and print its id and name.

    Several words are a program and its arguments. A single word is a program, too, if it is the path of an executable
    file; otherwise, if it has spaces or anything else that a shell understands, it is a line for the shell. Without a
    command an interactive shell is started, and attached where there is a terminal.

    The task runs in this directory and in the server's environment; of ours it gets PATH, VIRTUAL_ENV, CONDA_* and what
    else says which programs, libraries and devices are meant, so that its python is the one of here, and what -e says.
    (Not so where the server is on another machine.)

    \b
      jupyter ptytasks run -n train -- python train.py --epochs 20
      jupyter ptytasks run 'make 2>&1 | tee build.log'
      jupyter ptytasks run -- './my script.sh'
      jupyter ptytasks run
    """  # noqa: D301  \b is for click
    if warn and timeout is None:
        raise click.UsageError("--warn takes a --timeout")
    sits = attaches or (not words and not waits and not as_json and is_terminal())
    if sits:
        require_terminal()
    with settings.client(patience=300.0) as client:
        is_local = client.server.is_local
        rows, cols = _size() if sits else (None, None)
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
        if sits:
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
    """Tell whether a word is the path of an executable file, as seen from the directory `cwd`.

    A path has a slash, as in a shell: what is called `make all` here does not take the place of that line.
    """
    path = os.path.join(cwd, word)
    return os.sep in word and os.path.isfile(path) and os.access(path, os.X_OK)


@contextmanager
def _saying(task: Task) -> Iterator[None]:
    """Say elsewhere that a task has been started, where standard output does not take it."""
    try:
        yield
    except OSError:
        note(f"the task {task['id']} {task['name']} has been started")
        raise


def _environment(pairs: tuple[str, ...], *, is_local: bool) -> dict[str, str]:
    try:
        given = caller_env.parse_pairs(pairs)
    except KeyError as error:
        raise click.UsageError(f"-e {error.args[0]}: there is no such variable here") from error
    return {**(caller_env.from_caller() if is_local else {}), **given}


def _size() -> tuple[int, int]:
    size = os.get_terminal_size()
    return size.lines or 24, size.columns or 80
