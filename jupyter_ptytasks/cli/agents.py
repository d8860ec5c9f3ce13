"""`mcp`: serves an AI agent that speaks the Model Context Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .common import note

if TYPE_CHECKING:
    from .common import Settings


@click.command()
@click.pass_obj
def mcp(settings: Settings) -> None:
    """Serve an AI agent over standard input and output (Model Context Protocol).

    Agents start this themselves; `jupyter ptytasks agents` prints what to put into their configuration.
    """
    try:
        from ..mcp import stdio  # noqa: PLC0415  an optional package, which takes long
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio"):
            raise
        note("this needs the package mcp\nInstall it with `pip install 'jupyter_ptytasks[mcp]'`.")
        raise click.exceptions.Exit(1) from None
    stdio.serve(settings.url, settings.token)
