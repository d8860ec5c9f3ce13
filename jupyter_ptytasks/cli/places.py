"""`places`: where tasks can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import values
from .common import json_option, print_json

if TYPE_CHECKING:
    from .common import Settings


@click.command()
@json_option
@click.pass_obj
def places(settings: Settings, as_json: bool) -> None:
    """List the places for `run --place`: the server's machine, and hosts in ~/.ssh/config.

    Any other host that `ssh` reaches without a prompt is a place, too: ssh:HOST.
    """
    with settings.client() as client:
        found = client.places()
    if as_json:
        print_json({"places": found})
        return
    width = max(len(place["name"]) for place in found)
    for place in found:
        known = "reachable" if place["reachable"] else place["problem"] or ""
        click.echo(f"{place['name']:{width}}  {values.visible(known)}".rstrip())
