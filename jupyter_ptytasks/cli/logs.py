"""`logs`: shows a task's output."""

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
@click.option("-f", "--follow", is_flag=True, help="Keep printing new output until the task ends.")
@click.option("-n", "--lines", "count", type=click.IntRange(0, 100_000), metavar="N", help="Only the last N lines.")
@click.option("--grep", metavar="REGEX", help="Only lines that match.")
@click.option("--since", type=click.IntRange(0), metavar="LINE", help="Only from this line on; the first is 0.")
@click.option("--ansi/--no-ansi", default=None, help="Keep colors and other escape sequences, or strip them.")
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

    Prints plain text: each line as the terminal finally shows it. With --follow on a terminal, the raw output with
    its colors is copied instead, unless --grep, --since or NO_COLOR is used. With --json, prints the responses of GET
    /tasks/TASK/output, one per line; pass the last next_line to --since to continue from there.
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
    """Copy bytes to stdout, and restore the modes of a terminal at the end."""
    is_first = True
    modes = Modes()
    try:
        for piece in pieces:
            # Output that was discarded before we started does not count as missing.
            if piece.lost and not is_first:
                note(f"skipped {piece.lost} bytes: output came faster than it could be shown")
            is_first = False
            sys.stdout.buffer.write(piece.data)
            sys.stdout.buffer.flush()
            modes.feed(piece.data.decode("latin-1"))
    finally:
        if sys.stdout.isatty():
            sys.stdout.buffer.write(modes.undo())
            sys.stdout.buffer.flush()


def _print(texts: Iterator[Text], *, begins_whole: bool) -> None:
    """Print lines as they arrive; the last one may be unfinished."""
    is_first = is_ended = True
    for text in texts:
        if text["lines_omitted"] and text.get("line_numbers") is None and (begins_whole or not is_first):
            note(f"skipped {text['lines_omitted']} lines that were already discarded")
        click.echo(text["output"], nl=False)
        is_first = False
        is_ended = text["output"].endswith("\n") or (is_ended and not text["output"])
    if not is_ended:
        click.echo()
