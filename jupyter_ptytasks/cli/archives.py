"""`export` and `import`: tasks as files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, BinaryIO

import click

from .common import json_option, one_ref, print_json

if TYPE_CHECKING:
    from .common import Settings


@click.command()
@one_ref
@click.pass_obj
def export(settings: Settings, ref: str) -> None:
    """Write a finished task to a file: what it ran, output, metrics, notes, but not its environment.

    \b
      jupyter ptytasks export train > train.tar.gz
    """
    if sys.stdout.isatty():
        raise click.UsageError("write the archive to a file: jupyter ptytasks export TASK > FILE")
    with settings.client() as client:
        for piece in client.export(ref):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()


@click.command("import")
@click.argument("archive", metavar="FILE", type=click.File("rb"))
@json_option
@click.pass_obj
def import_(settings: Settings, archive: BinaryIO, as_json: bool) -> None:
    """Create a task from a FILE written by `export` (- reads standard input), and print its id and name.

    The task has ended and is pinned. If its name is taken, it gets another one.
    """
    with settings.client() as client:
        task = client.import_task(archive)
    if as_json:
        print_json(task)
    else:
        click.echo(f"{task['id']} {task['name']}")
