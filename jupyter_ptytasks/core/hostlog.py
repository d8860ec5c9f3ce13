"""host.log: the errors of a ptyhost."""

from __future__ import annotations

import os

from .platform import files

#: Bytes read from the end of the file, and the most characters of a line that are returned.
_TAIL = 8 << 10
_LINE_MAX = 300
#: How faulthandler's report of a crash begins; a list of frames and modules follows it.
_CRASH = "Fatal Python error"


def rotate(path: str) -> None:
    """Keep the log of the attempt before, if there is anything in it. Raises OSError."""
    try:
        if os.stat(path).st_size:
            files.replace(path, f"{path}.1")
    except FileNotFoundError:
        pass


def last_line(path: str) -> str:
    """Return the last line of the log at `path` that says what happened, at most 300 characters; empty if none does.

    For a traceback that is the exception, for a crash its cause.
    """
    try:
        with open(path, "rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - _TAIL, 0))
            text = file.read(_TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
    # Lines of frames and of source are indented.
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith((" ", "\t"))]
    crash = next((line for line in reversed(lines) if line.startswith(_CRASH)), None)
    found = crash or (lines[-1] if lines else "")
    return "".join(char if char.isprintable() else "\ufffd" for char in found[:_LINE_MAX])
