"""Parsing and formatting of values on the command line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import click

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
    runtime,
    seconds,
    size,
    visible,
)

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
    "runtime",
    "size",
    "visible",
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


def parse_moment(text: str) -> float:
    """Return the Unix time of `22:00` (the next one), or of a date and time in ISO 8601, local unless it has an offset.

    Raises click.BadParameter.
    """
    now = datetime.now().astimezone()
    try:
        if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", text):
            hour, minute = map(int, text.split(":"))
            moment = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
            return (moment if moment > now else moment + timedelta(days=1)).timestamp()
        return datetime.fromisoformat(text.upper().replace("Z", "+00:00")).astimezone().timestamp()
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a time; use 22:00 or 2026-07-01T22:00") from error
