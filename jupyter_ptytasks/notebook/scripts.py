"""Saves the source of cells that run as scripts, in files that outlive the kernel.

They are in the user's data directory, one per distinct source. `python -c` would be limited to 128 KiB, have tracebacks
without source lines, and look the same for all tasks in a list of processes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time

#: Seconds a file is kept after its last use. (Finished tasks are kept for 30 days.)
_KEPT = 90 * 86400.0


def keep(name: str, source: str) -> str:
    """Save `source` in a file named after the task, and return its path."""
    from jupyter_core.paths import jupyter_data_dir  # noqa: PLC0415  only when needed

    folder = os.path.join(jupyter_data_dir(), "ptytasks", "cells")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    _delete_old(folder)
    stem = re.sub(r"[^\w.-]+", "-", name).strip(".-")[:40] or "cell"
    path = os.path.join(folder, f"{stem}-{hashlib.sha256(source.encode()).hexdigest()[:12]}.py")
    if os.path.exists(path):
        os.utime(path)
        return path
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".part", encoding="utf-8", delete=False) as file:
        file.write(source)
    os.replace(file.name, path)
    return path


def _delete_old(folder: str) -> None:
    for entry in os.scandir(folder):
        with contextlib.suppress(FileNotFoundError):  # deleted by another kernel
            if entry.stat().st_mtime < time.time() - _KEPT:
                os.unlink(entry.path)
