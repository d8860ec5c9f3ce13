"""A task's output as text for Python: as it is written, by line, and the last lines with their colors."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from .colours import last_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..client import Client, Piece, Task, Text

#: Bytes searched for the last lines.
_WINDOW = 64 << 10


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
    """Iterate over completed lines without their line feeds, and an unfinished last line at the end."""
    unfinished = ""
    for text in texts:
        whole, feed, unfinished = text["output"].rpartition("\n")
        if feed:
            yield from whole.split("\n")
    if unfinished:
        yield unfinished


def tail(client: Client, task: Task, count: int, limit: int) -> str:
    """Return the last `count` lines with their colors, at most `limit` bytes, in one request."""
    # By bytes, not by line: a progress bar drawn a thousand times is one long line.
    first = max(task["output"]["end"] - _WINDOW, 0)
    piece = client.raw(task["id"], first, 2 * _WINDOW)
    return last_lines(piece.data, count, limit, columns=task["cols"], whole=piece.offset == piece.start)
