"""The command that tells, inside of a task, how far it is; it needs no server."""

from __future__ import annotations

import click

from .. import _progress


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("done", type=float, required=False)
@click.argument("total", type=float, required=False)
@click.argument("text", default="")
@click.option("--clear", is_flag=True, help="Take back what was told.")
def progress(done: float | None, total: float | None, text: str, clear: bool) -> None:
    """Tell how far the task is that this runs in.

    DONE of TOTAL are done, in whatever unit; without TOTAL, only that something moves. TEXT is for people. Outside of a
    task nothing happens, so that a script can be run by itself, too.
    """
    if (done is None) != clear:
        raise click.UsageError("It takes DONE, or --clear.")
    _progress.progress(done, total, text)
