"""The command that shows a task's output."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from .common import json_option, note, one_ref, print_json
from .modes import Modes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..client import Client, Piece, Text
    from .common import Settings


@click.command()
@one_ref
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until the task has ended.")
@click.option("-n", "--lines", "count", type=click.IntRange(0, 100_000), metavar="N", help="Only the last N lines.")
@click.option("--grep", metavar="REGEX", help="Only lines that match.")
@click.option("--since", type=click.IntRange(0), metavar="LINE", help="Only from this line on; the first is 0.")
@click.option("--ansi/--no-ansi", default=None, help="With all that a terminal obeys, or plain.")
@json_option
@click.pass_obj
def logs(
    settings: Settings,
    ref: str,
    follow: bool,
    count: int | None,
    grep: str | None,
    since: int | None,
    ansi: bool | None,
    as_json: bool,
) -> None:
    """Show a task's output.

    It is plain text, of each line what stands there in the end; only a terminal that follows it gets the colours, byte
    by byte, unless lines are picked out (--grep, --since) or NO_COLOR is set. --json gives the answers of
    /tasks/TASK/output, one a line; the next_line of the last one is what --since takes to go on from there.
    """
    picks = grep is not None or since is not None
    if ansi is None:
        ansi = follow and not picks and not as_json and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    with settings.client(patience=300.0) as client:
        if ansi and not picks and not as_json:
            _copy(_pieces(client, ref, count, follow=follow))
            return
        texts = client.lines(
            ref, since=since or 0, tail=count, grep=grep, ansi="keep" if ansi else "strip", follow=follow
        )
        if as_json:
            for text in texts:
                print_json(text)
        else:
            _print(texts, begins_whole=count is None)


def _pieces(client: Client, ref: str, count: int | None, *, follow: bool) -> Iterator[Piece]:
    ref = client.get(ref)["id"]
    offset = 0 if count is None else client.tail_offset(ref, count)
    if follow:
        yield from client.follow(ref, offset)
        return
    end = client.raw(ref, offset, 0).end
    while offset < end:
        piece = client.raw(ref, offset, min(end - offset, 1 << 20))
        if not piece.data:
            return
        yield piece
        offset = piece.next


def _copy(pieces: Iterator[Piece]) -> None:
    """Copy bytes to standard output, and leave a terminal as it was."""
    is_first = True
    modes = Modes()
    try:
        for piece in pieces:
            # What went before one came is not what one misses.
            if piece.lost and not is_first:
                note(f"{piece.lost} bytes are gone: they came faster than they could be shown")
            is_first = False
            sys.stdout.buffer.write(piece.data)
            sys.stdout.buffer.flush()
            modes.feed(piece.data.decode("latin-1"))
    finally:
        if sys.stdout.isatty():
            sys.stdout.buffer.write(modes.undo())
            sys.stdout.buffer.flush()


def _print(texts: Iterator[Text], *, begins_whole: bool) -> None:
    """Print lines as they come; the last one may lack its end."""
    is_first = is_ended = True
    for text in texts:
        if text["lines_omitted"] and text.get("line_numbers") is None and (begins_whole or not is_first):
            note(f"{text['lines_omitted']} lines are gone")
        click.echo(text["output"], nl=False)
        is_first = False
        is_ended = text["output"].endswith("\n") or (is_ended and not text["output"])
    if not is_ended:
        click.echo()
