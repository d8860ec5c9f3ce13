"""Standard streams that bear whatever is written to them, and end quietly where nobody reads any more."""

from __future__ import annotations

import io
import os
import sys
from signal import SIGPIPE

#: As a shell tells of a program that SIGPIPE has ended.
PIPE_CLOSED = 128 + SIGPIPE


def prepare() -> None:
    """Have the streams take any text, in whatever encoding they are; what was closed for us goes nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            # It takes the lowest descriptor there is: the one that was closed, which no socket shall get.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  for as long as we live
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def give_up(error: OSError) -> int:
    """Say that nothing can be written any more, unless it is only that nobody reads; return the exit code for it."""
    # What is still in the buffer would be tried once more when Python ends.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    if isinstance(error, BrokenPipeError):
        return PIPE_CLOSED
    sys.stderr.write(f"jupyter ptytasks: the output cannot be written: {error.strerror or error}\n")
    return 1
