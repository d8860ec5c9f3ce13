"""host.log: the errors of a ptyhost."""

from __future__ import annotations

import os

from .platform import files

#: Bytes read from the end of the file, and the maximum length of a returned line.
_TAIL = 8 << 10
_LINE_MAX = 300
#: The beginning of faulthandler's report of a crash; a list of frames and modules follows.
_CRASH = "Fatal Python error"


def rotate(path: str) -> None:
    """Keep the log of the previous attempt, if it is not empty. Raises OSError."""
    try:
        if os.stat(path).st_size:
            files.replace(path, f"{path}.1")
    except FileNotFoundError:
        pass


def last_line(path: str) -> str:
    """Return the last meaningful line of the log at `path`, at most 300 characters; empty if there is none.

    For a traceback this is the exception, for a crash its cause.
    """
    try:
        with open(path, "rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - _TAIL, 0))
            text = file.read(_TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
    # Frames and source lines are indented.
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith((" ", "\t"))]
    crash = next((line for line in reversed(lines) if line.startswith(_CRASH)), None)
    found = crash or (lines[-1] if lines else "")
    return "".join(char if char.isprintable() else "\ufffd" for char in found[:_LINE_MAX])
