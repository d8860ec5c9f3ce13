"""The guard: an error in one step of a ptyhost does not end it, and is written to host.log."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: The maximum size of host.log in bytes; when it is full, its first half is dropped.
_LOG_MAX = 64 << 10
#: The most bytes of one entry, and of one write: a message may contain everything that a connection has sent.
_ENTRY_MAX = 8 << 10
_PIECE_MAX = 2 << 10
#: The most entries per period (seconds); further ones are only counted. An error may occur in every turn of the loop.
_ENTRIES = 20
_PERIOD = 10.0
#: Seconds to sleep after each further one: an error that repeats immediately must not keep a CPU busy.
_REST = 0.01


class Guard:
    """Runs the steps of a ptyhost, and writes their errors to the log at `path`, which is open as descriptor 2.

    It also replaces `sys.stderr`, so that messages of Python itself are kept, and bounded, too.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._entry = 0
        self._period = 0.0
        self._entries = self._skipped = 0

    def attempt(self, doing: str, step: Callable[..., object], *args: Any) -> bool:
        """Run `step`; return whether it succeeded. `doing` describes it in the log."""
        try:
            step(*args)
        except Exception:  # noqa: BLE001  no error may end the ptyhost
            self.note(doing)
            return False
        return True

    def note(self, doing: str) -> None:
        """Write the exception that is being handled to the log. Never raises."""
        try:
            now = time.monotonic()
            if now - self._period > _PERIOD:
                self._period, self._entries = now, 0
            self._entries += 1
            if self._entries > _ENTRIES:
                self._skipped += 1
                time.sleep(_REST)
                return
            skipped = f" ({self._skipped} more errors are not shown)" if self._skipped else ""
            self._skipped = self._entry = 0
            self.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {doing}{skipped}:\n")
            # Implemented in C: the module `traceback` would cost memory in every task.
            sys.__excepthook__(*sys.exc_info())
        except Exception:  # noqa: BLE001, S110  there is nothing left to try
            pass

    # -- sys.stderr -------------------------------------------------------------------------------------------------

    def write(self, text: str) -> int:
        """Append to the log, within the limits."""
        data = text[:_PIECE_MAX].encode("utf-8", "backslashreplace")[:_PIECE_MAX]
        if self._entry + len(data) > _ENTRY_MAX:
            return len(text)
        self._entry += len(data)
        try:
            if os.fstat(2).st_size + len(data) > _LOG_MAX:
                self._halve()
            os.write(2, data)
        except OSError:
            pass  # a full disk: the task is more important
        return len(text)

    def flush(self) -> None:
        """End an entry; nothing is buffered."""
        self._entry = 0

    def _halve(self) -> None:
        kept = b""
        try:
            with open(self._path, "rb") as file:
                file.seek(-_LOG_MAX // 2, os.SEEK_END)
                kept = file.read().partition(b"\n")[2]
        except OSError:
            pass  # its directory was moved
        # POSIX opens the log for appending, so writes always go to its end; on Windows the position must be reset.
        os.ftruncate(2, 0)
        os.lseek(2, 0, os.SEEK_SET)
        os.write(2, kept)
