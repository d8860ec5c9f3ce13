"""The line that separates two attempts of a task in its ring."""

from __future__ import annotations


def heading(attempt: int) -> bytes:
    """Return the line that precedes the output of an attempt, the second or a later one."""
    return f"\x1b[2m── attempt {attempt} ──\x1b[m\r\n".encode()


def since(attempt: int, output: bytes) -> bytes:
    """Return the part of `output` that an attempt wrote: all of it, if it no longer contains the heading."""
    if attempt == 1:
        return output
    return output.rpartition(heading(attempt))[2]
