"""`screen`: what a task's terminal shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .common import json_option, one_ref, print_json

if TYPE_CHECKING:
    from .common import Settings


@click.command()
@one_ref
@click.option("--ansi", is_flag=True, help="With colors.")
@json_option
@click.pass_obj
def screen(settings: Settings, ref: str, ansi: bool, as_json: bool) -> None:
    """Show the current or final screen of a task's terminal, even of a full-screen program.

    The server needs the extra `screen`. With --json, also prints the cursor and the title.
    """
    if ansi and as_json:
        raise click.UsageError("--ansi and --json exclude each other")
    with settings.client() as client:
        if as_json:
            print_json(client.screen(ref))
        else:
            click.echo(client.screen_text(ref, ansi=ansi), nl=False, color=ansi or None)
