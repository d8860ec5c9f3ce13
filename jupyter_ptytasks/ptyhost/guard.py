"""The guard: nothing that goes wrong in one step of a ptyhost ends it. What went wrong is in host.log."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Bytes that host.log takes at most; when it is full its first half is dropped.
_LOG_MAX = 64 << 10
#: Bytes of one entry, and of one piece of it: a message may hold all that somebody has sent.
_ENTRY_MAX = 8 << 10
_PIECE_MAX = 2 << 10
#: Entries in so many seconds; the others are only counted. What fails in every turn of the loop fails often.
_ENTRIES = 20
_PERIOD = 10.0
#: Seconds of rest after each of those others: what fails at once whenever it is tried shall not take a processor.
_REST = 0.01


class Guard:
    """Runs the steps of a ptyhost, and writes what fails to the log at `path`, which is open at descriptor 2.

    It also stands in for `sys.stderr`, so that whatever Python itself has to say is kept, and bounded, too.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._entry = 0
        self._period = 0.0
        self._entries = self._untold = 0

    def attempt(self, doing: str, step: Callable[..., object], *args: Any) -> bool:
        """Run `step`; return whether it went well. `doing` says what failed, where it did not."""
        try:
            step(*args)
        except Exception:  # noqa: BLE001  this is the place where none gets past
            self.note(doing)
            return False
        return True

    def note(self, doing: str) -> None:
        """Write the exception that is being handled to the log. Never raises one."""
        try:
            now = time.monotonic()
            if now - self._period > _PERIOD:
                self._period, self._entries = now, 0
            self._entries += 1
            if self._entries > _ENTRIES:
                self._untold += 1
                time.sleep(_REST)
                return
            untold = f" ({self._untold} more errors are not shown)" if self._untold else ""
            self._untold = self._entry = 0
            self.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {doing}{untold}:\n")
            # Python's own, written in C: the module `traceback` would cost every task its memory.
            sys.__excepthook__(*sys.exc_info())
        except Exception:  # noqa: BLE001, S110  there is nobody left to tell
            pass

    # -- sys.stderr -------------------------------------------------------------------------------------------------

    def write(self, text: str) -> int:
        """Append to the log, what finds room in it."""
        data = text[:_PIECE_MAX].encode("utf-8", "backslashreplace")[:_PIECE_MAX]
        if self._entry + len(data) > _ENTRY_MAX:
            return len(text)
        self._entry += len(data)
        try:
            if os.fstat(2).st_size + len(data) > _LOG_MAX:
                self._halve()
            os.write(2, data)
        except OSError:
            pass  # a full disk: the task is what counts
        return len(text)

    def flush(self) -> None:
        """Nothing waits to be written."""
        self._entry = 0

    def _halve(self) -> None:
        kept = b""
        try:
            with open(self._path, "rb") as file:
                file.seek(-_LOG_MAX // 2, os.SEEK_END)
                kept = file.read().partition(b"\n")[2]
        except OSError:
            pass  # its directory has been moved
        # It is open for appending: what is written next comes at its end, wherever that is.
        os.ftruncate(2, 0)
        os.write(2, kept)
