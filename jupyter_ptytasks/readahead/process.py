"""Reads rings one after the other, with the lowest priority, as long as the server that requested this is running."""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress

from ..core.platform import priority
from ..storage.locks import Locks
from .walk import read_ahead

#: Seconds to wait for the process of another server: it reads the same rings.
_PATIENCE = 3600.0


def main(data_dir: str, runtime_dir: str) -> None:
    """Read the rings that the first line of standard input names."""
    priority.lower_process()
    line = sys.stdin.readline()
    threading.Thread(target=_leave_with_input, daemon=True).start()
    with Locks(data_dir, [runtime_dir]).hold("readahead.lock", _PATIENCE):
        for directory, rows, cols in json.loads(line):
            with suppress(OSError):  # it was deleted meanwhile, or the disk is full
                read_ahead(directory, (rows, cols))


def _leave_with_input() -> None:
    sys.stdin.read()
    os._exit(0)
