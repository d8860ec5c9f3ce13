"""A task's output as text for Python: as it comes, by lines, and its last lines with their colours."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..client import Client, Piece, Text

#: Of a terminal's language, colours and the like (SGR); and all the rest of it (ECMA-48).
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f]"
)


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
    """Give lines without their feeds as they are finished, and at the end what is left of the last one."""
    unfinished = ""
    for text in texts:
        whole, feed, unfinished = text["output"].rpartition("\n")
        if feed:
            yield from whole.split("\n")
    if unfinished:
        yield unfinished


def tail(client: Client, ref: str, count: int, limit: int) -> str:
    """Give the last `count` lines with their colours, of them at most the last `limit` bytes."""
    text = client.output(ref, mode="tail", tail_lines=count, ansi="keep")["output"]
    data = only_colours(text).encode()
    if len(data) > limit:
        cut = data[-limit:]
        whole_lines = cut.partition(b"\n")[2]
        data = whole_lines or cut
    return data.decode(errors="ignore")


def only_colours(text: str) -> str:
    """Take out of a text what moves the cursor or asks the terminal, and leave colours."""
    parts = []
    position = 0
    for colour in _COLOUR.finditer(text):
        parts += [_CONTROL.sub("", text[position : colour.start()]), colour.group()]
        position = colour.end()
    return "".join([*parts, _CONTROL.sub("", text[position:])])


def plain(text: str) -> str:
    """Take colours out, too."""
    return _CONTROL.sub("", text)
