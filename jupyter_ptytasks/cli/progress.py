"""`progress`: reports progress from inside a task. It needs no server."""

from __future__ import annotations

import click

from .. import _progress


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("done", type=float, required=False)
@click.argument("total", type=float, required=False)
@click.argument("text", default="")
@click.option("--clear", is_flag=True, help="Clear the reported progress.")
def progress(done: float | None, total: float | None, text: str, clear: bool) -> None:
    """Report the progress of the task this runs in.

    DONE of TOTAL steps are complete, in any unit; without TOTAL the progress is indeterminate. TEXT is shown next to
    it. Outside a task this does nothing, so a script also works on its own.
    """
    if (done is None) != clear:
        raise click.UsageError("give either DONE or --clear")
    _progress.progress(done, total, text)
