"""Where the source of a cell is kept that runs as a script: it outlives the kernel, and litters nobody's directory.

A file for each different source, in the user's data directory: `python -c` would take 128 KiB at most, show no lines in
tracebacks, and could not be told from others in a list of processes. The same source is the same file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time

#: Seconds for which a source is kept after its last start. (Tasks that have ended are kept for 30 days.)
_KEPT = 90 * 86400.0


def keep(name: str, source: str) -> str:
    """Give the path of a file with this `source`, called after the task `name`."""
    from jupyter_core.paths import jupyter_data_dir  # noqa: PLC0415  not for those who keep none

    folder = os.path.join(jupyter_data_dir(), "ptytasks", "cells")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    _forget_old(folder)
    stem = re.sub(r"[^\w.-]+", "-", name).strip(".-")[:40] or "cell"
    path = os.path.join(folder, f"{stem}-{hashlib.sha256(source.encode()).hexdigest()[:12]}.py")
    if os.path.exists(path):
        os.utime(path)
        return path
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".part", encoding="utf-8", delete=False) as file:
        file.write(source)
    os.replace(file.name, path)
    return path


def _forget_old(folder: str) -> None:
    for entry in os.scandir(folder):
        with contextlib.suppress(FileNotFoundError):  # another kernel was quicker
            if entry.stat().st_mtime < time.time() - _KEPT:
                os.unlink(entry.path)
