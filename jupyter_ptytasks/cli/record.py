"""`record`: writes a recording of a task's output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal, cast

import click

from .common import one_ref

if TYPE_CHECKING:
    from .common import Settings


@click.command()
@one_ref
@click.option(
    "--version", type=click.Choice(["3", "2"]), default="3", help="Version of the format; older players know only 2."
)
@click.option(
    "--idle",
    type=click.FloatRange(min=0),
    default=2.0,
    metavar="SECONDS",
    show_default=True,
    help="Shorten pauses to this; 0 keeps them.",
)
@click.pass_obj
def record(settings: Settings, ref: str, version: str, idle: float) -> None:
    """Write a recording (asciicast) of the output of a task that is kept.

    It can be made at any time, even after the task has ended, and played with `asciinema play`:

    \b
      jupyter ptytasks record train > train.cast
    """
    with settings.client(patience=300.0) as client:
        for piece in client.record(ref, version=cast("Literal[2, 3]", int(version)), idle=idle):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
