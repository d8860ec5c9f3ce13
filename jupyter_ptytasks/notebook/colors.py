"""Lines with colors, as the server returns them: each begins without a color, and has no other escape sequences."""

from __future__ import annotations

import re

_SGR = re.compile(r"\x1b\[[0-9;]*m")


def bounded(text: str, limit: int) -> str:
    """Return the last lines of `text` that take at most `limit` bytes, each ended by a line feed."""
    lines = text.removesuffix("\n").split("\n") if text else []
    while len(lines) > 1 and sum(len(line.encode()) + 1 for line in lines) > limit:
        del lines[0]
    shown = "".join(f"{line}\n" for line in lines)
    if len(shown.encode()) <= limit:
        return shown
    # One line that is too long: its end without colors, since those may have begun before.
    return plain(shown).encode()[-limit:].decode(errors="ignore")


def plain(text: str) -> str:
    """Return `text` without its colors."""
    return _SGR.sub("", text)
