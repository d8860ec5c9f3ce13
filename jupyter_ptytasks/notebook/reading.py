"""A task's output as text for Python: as it comes, by lines, and its last lines with their colours."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from .colours import bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..client import Client, Piece, Task, Text


def decoded(pieces: Iterable[Piece]) -> Iterator[str]:
    """Give the text of pieces of the output; the end of a line is a line feed, everything else is as it was written."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    held = ""
    is_first = True
    for piece in pieces:
        # What went before one came is not what one misses.
        if piece.lost and not is_first:
            decoder.reset()
            yield f"{held}\n[{piece.lost} bytes came faster than they were read]\n"
            held = ""
        is_first = False
        text = held + decoder.decode(piece.data)
        # A carriage return may belong to a line feed that is yet to come.
        held = "\r" if text.endswith("\r") else ""
        if text := text.removesuffix("\r").replace("\r\n", "\n"):
            yield text
    if rest := held + decoder.decode(b"", final=True):
        yield rest


def finished(texts: Iterable[Text]) -> Iterator[str]:
    """Iterate over lines without their feeds."""
    for text in texts:
        if text["output"]:
            yield from text["output"].removesuffix("\n").split("\n")


def tail(client: Client, task: Task, count: int, limit: int) -> str:
    """Return the last `count` lines with their colors, of them at most the last `limit` bytes: one request."""
    return bounded(client.output(task["id"], mode="tail", tail_lines=count, ansi="keep")["output"], limit)
