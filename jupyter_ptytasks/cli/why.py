"""`why`: why a task is not running, or why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..client import format as formats
from . import values
from .common import json_option, one_ref, print_json

if TYPE_CHECKING:
    from .common import Settings


@click.command()
@one_ref
@json_option
@click.pass_obj
def why(settings: Settings, ref: str, as_json: bool) -> None:
    """Show why a task is not running, or why it failed, with the lines of its output that show it.

    Line numbers are those of the whole output.
    """
    with settings.client() as client:
        told = client.why(ref)
        if as_json:
            print_json(told)
            return
        task = client.get(told["id"])
    click.echo(values.visible(formats.why(task)))
    width = len(str(told["lines"][-1]["line"])) if told["lines"] else 0
    for one in told["lines"]:
        click.echo(f"{one['line']:{width}} | {values.visible(one['text'])}")
