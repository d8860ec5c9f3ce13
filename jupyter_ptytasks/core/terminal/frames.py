"""Frames: runs of text that overwrite each other from column 0, as progress bars are drawn, judged by the batch."""

from __future__ import annotations

import re

from .width import NARROW_FRAMES

_PEN_OR_ERASE = re.compile(rb"\x1b\[[0-9;:]*[mK]")
_ERASE = re.compile(rb"\x1b\[0?K")
_RESET_AT_END = re.compile(rb"\x1b\[0?m[^\x1b\r]*(?=\r)")


def needed(batch: bytes, cols: int, *, plain: bool, may_erase: bool) -> list[int] | None:
    """Which frames of `batch` (by CR; text, SGR and EL only) are not covered by later ones; None if that is in doubt.

    The last one always is. `plain` says that the pen is fresh before the first, `may_erase` that it is no loss where a
    frame that erased is left out.
    """
    frames = batch.split(b"\r")
    erases = b"\x1b[K" in batch or b"\x1b[0K" in batch
    if erases:
        # Each covers all of the row.
        if not may_erase or not all(map(_ERASE.search, filter(None, frames))):
            return None
    elif b"\x1b" in batch:
        # Each leaves the pen fresh, so that frames of equal width cover each other.
        coloured = [frame for frame in frames if b"\x1b" in frame]
        if not plain or len(coloured) != len(_RESET_AT_END.findall(batch + b"\r")):
            return None
    text = (_PEN_OR_ERASE.sub(b"", batch) if b"\x1b" in batch else batch).decode("utf-8", "replace")
    if not (text.isascii() or NARROW_FRAMES.fullmatch(text)):
        return None
    widths = [*map(len, text.split("\r"))]
    widest = max(widths)
    if widest > cols:
        return None
    found = []
    covered = -1
    for index in range(len(frames) - 1, -1, -1):
        if widths[index] > covered or (erases and frames[index]):
            found.append(index)
            covered = widths[index]
            if covered == widest or (erases and frames[index]):
                break
    return found[::-1]
