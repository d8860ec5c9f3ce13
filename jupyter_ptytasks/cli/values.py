"""How a person at the command line says and sees things."""

from __future__ import annotations

import click

from ..client.format import ago, command, duration, ending, in_brief, moment, now, runtime, seconds, visible

__all__ = [
    "STYLES",
    "ago",
    "command",
    "duration",
    "ending",
    "in_brief",
    "moment",
    "now",
    "parse_duration",
    "runtime",
    "visible",
]

#: Styles of states, as rich names them.
STYLES = {
    "held": "cyan",
    "queued": "cyan",
    "starting": "cyan",
    "running": "green",
    "paused": "yellow",
    "stopping": "yellow",
    "succeeded": "dim green",
    "failed": "red",
    "cancelled": "dim",
    "timed_out": "red",
    "lost": "magenta",
}


def parse_duration(text: str) -> float:
    """Give the seconds of `90`, `2h`, `1h30m`, `500ms`. Raises click.BadParameter."""
    try:
        return seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
