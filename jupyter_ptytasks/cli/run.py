"""`run`: starts a task."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .attach import detach_keys, require_terminal
from .common import is_terminal, json_option, note, print_json, tell_namesakes
from .task_options import check, command_of, fields, runs_here, task_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..client import Task
    from .common import Settings
    from .keys import DetachKeys


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("words", metavar="[--] [COMMAND...]", nargs=-1, type=click.UNPROCESSED)
@task_options
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
    /,
    words: tuple[str, ...],
    if_exists: Any,
    attaches: bool,
    waits: bool,
    keys: DetachKeys,
    as_json: bool,
    **options: Any,
) -> None:
    """Start a task in the background and print its id and name.

    Several words are a program and its arguments. A single word that contains spaces or shell syntax is run by the
    shell, unless it is the path of an executable file. Without COMMAND, an interactive shell is started, and attached
    if this is a terminal.

    The task runs in the current directory, with the server's environment. It also gets your PATH, VIRTUAL_ENV, CONDA_*,
    CUDA_VISIBLE_DEVICES and similar variables, so `python` is the one you use here, plus anything given with -e. If the
    server is on another machine, only -e applies. With --place, the directory and the environment are those of the
    other machine.

    \b
      jupyter ptytasks run -n train -- python train.py --epochs 20
      jupyter ptytasks run 'make 2>&1 | tee build.log'
      jupyter ptytasks run -- './my script.sh'
      jupyter ptytasks run --place slurm --gpus 1 --mem 16G --time 2h -- python train.py
      jupyter ptytasks run
    """
    check(options)
    attached = attaches or (not words and not waits and not as_json and is_terminal())
    if attached:
        require_terminal()
    with settings.client(patience=300.0) as client:
        is_local = runs_here(client, options)
        rows, cols = _size() if attached else (None, None)
        task = client.create(
            command_of(words, options["cwd"], is_local=is_local),
            rows=rows,
            cols=cols,
            if_exists=if_exists,
            **fields(options, is_local=is_local),
        )
        if attached:
            from .attach_session import attach_terminal  # noqa: PLC0415  not for help

            sys.exit(attach_terminal(client, task, keys))
        if not as_json:
            with _saying(task):
                click.echo(f"{task['id']} {task['name']}")
        if if_exists == "new":
            tell_namesakes(client, task)
        if waits:
            from ..client import exit_status  # noqa: PLC0415

            task = client.wait(task["id"])
        if as_json:
            with _saying(task):
                print_json(task)
    sys.exit(exit_status(task) if waits else 0)


@contextmanager
def _saying(task: Task) -> Iterator[None]:
    """Report a started task on stderr if stdout cannot be written to."""
    try:
        yield
    except OSError:
        note(f"started task {task['id']} {task['name']}")
        raise


def _size() -> tuple[int, int]:
    size = os.get_terminal_size()
    return size.lines or 24, size.columns or 80
