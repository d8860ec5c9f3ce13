"""Parsing and formatting of values on the command line."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ..client import turns
from ..client.format import (
    ago,
    command,
    duration,
    ending,
    in_brief,
    load,
    moment,
    now,
    percent,
    question,
    reason,
    runtime,
    seconds,
    size,
    spared,
    visible,
    why,
)

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "STYLES",
    "ago",
    "command",
    "duration",
    "ending",
    "in_brief",
    "load",
    "moment",
    "now",
    "parse_duration",
    "percent",
    "question",
    "reason",
    "runtime",
    "size",
    "spared",
    "visible",
    "why",
]

#: The style of each state, in the syntax of rich.
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
    """Parse a duration such as `90`, `2h`, `1h30m` or `500ms` to seconds. Raises click.BadParameter."""
    try:
        return seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def before(seconds: float) -> str:
    """Return the time `seconds` ago, in ISO 8601."""
    return (now() - timedelta(seconds=seconds)).isoformat()


def parse_moment(text: str) -> datetime:
    """Parse a time such as `22:00`; see client.turns.moment. Raises click.BadParameter."""
    try:
        return turns.moment(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
