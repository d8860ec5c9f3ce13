"""A task's output as text for Python: as it is written, by line, and the last lines with their colors."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from .colors import bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..client import Client, Piece, Task, Text


def decoded(pieces: Iterable[Piece]) -> Iterator[str]:
    """Decode pieces of output. Line ends become line feeds; everything else is unchanged."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    held = ""
    is_first = True
    for piece in pieces:
        # Output that was discarded before we started is not missing.
        if piece.lost and not is_first:
            decoder.reset()
            yield f"{held}\n[skipped {piece.lost} bytes: output came faster than it was read]\n"
            held = ""
        is_first = False
        text = held + decoder.decode(piece.data)
        # A line feed may follow this carriage return.
        held = "\r" if text.endswith("\r") else ""
        if text := text.removesuffix("\r").replace("\r\n", "\n"):
            yield text
    if rest := held + decoder.decode(b"", final=True):
        yield rest


def finished(texts: Iterable[Text]) -> Iterator[str]:
    """Iterate over lines without their line feeds."""
    for text in texts:
        if text["output"]:
            yield from text["output"].removesuffix("\n").split("\n")


def tail(client: Client, task: Task, count: int, limit: int) -> str:
    """Return the last `count` lines with their colors, at most `limit` bytes, in one request."""
    return bounded(client.output(task["id"], mode="tail", tail_lines=count, ansi="keep")["output"], limit)
