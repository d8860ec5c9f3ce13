"""Standard streams: any text can be written to them, and a closed pipe ends the program quietly."""

from __future__ import annotations

import io
import os
import sys

from ..core import signals

#: The status a shell reports for a program ended by SIGPIPE.
PIPE_CLOSED = 128 + signals.number_of("SIGPIPE")


def prepare() -> None:
    """Escape characters that a stream's encoding lacks, and open /dev/null for streams that are closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            # It gets the lowest free descriptor, the closed one, which no socket must get.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  never closed
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def give_up(error: OSError) -> int:
    """Report that stdout cannot be written to, unless it is a closed pipe. Return the exit code."""
    # Python would try to flush the buffer again at exit.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    if isinstance(error, BrokenPipeError):
        return PIPE_CLOSED
    sys.stderr.write(f"jupyter ptytasks: cannot write output: {error.strerror or error}\n")
    return 1
