"""Flushes a ring so that other machines see it: once a second, in a thread, because the file system may be slow.

A network file system may keep written data for half a minute before it sends it to the server (nfs(5), "async").
"""

from __future__ import annotations

import threading

from ..core.files import flush
from ..core.ring.format import index_path, list_bases, log_path

#: Seconds between two flushes.
_EVERY = 1.0


class Flusher:
    """Flushes the newest segment of the ring in `directory` after `tell`. Earlier segments were flushed when they were
    closed. It ends with the process.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._news = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def tell(self) -> None:
        """Note that there is new output. Never blocks."""
        self._news.set()

    def _run(self) -> None:
        pause = threading.Event()
        while self._news.wait():
            self._news.clear()
            for base in list_bases(self._directory)[-1:]:
                for path in (log_path, index_path):
                    try:
                        flush([path(self._directory, base)])
                    except OSError:
                        pass  # others see it later, when the kernel writes it back
            pause.wait(_EVERY)
