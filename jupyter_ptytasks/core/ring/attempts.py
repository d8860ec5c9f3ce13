"""The line that stands between two attempts of a task in its ring."""

from __future__ import annotations


def heading(attempt: int) -> bytes:
    """Give the line that the output of this attempt, the second or a later one, begins behind."""
    return f"\x1b[2m── attempt {attempt} ──\x1b[m\r\n".encode()


def since(attempt: int, output: bytes) -> bytes:
    """Give what of `output` this attempt wrote: all of it, where its heading is not in it any more."""
    if attempt == 1:
        return output
    return output.rpartition(heading(attempt))[2]
