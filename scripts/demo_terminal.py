"""The command line in a terminal of its own, for the demos."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from typing import TYPE_CHECKING

from demo_server import BIN, PATIENCE

from jupyter_ptytasks.core.model import COLS, ROWS

if TYPE_CHECKING:
    from demo_server import Place


class Terminal:
    """A command of `jupyter ptytasks` in a terminal of its own."""

    def __init__(self, place: Place, *arguments: str) -> None:
        self._seen = b""
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            # The size that the task has: a bar that is drawn for another width wraps, and a line begins behind it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
            os.chdir(place.home)
            os.execve(BIN / "jupyter", ["jupyter", "ptytasks", *arguments], place.env)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def type(self, keys: bytes) -> None:
        """Type."""
        os.write(self._fd, keys)

    def until(self, pattern: bytes) -> None:
        """Wait until the pattern is seen; what is behind it is kept."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self._seen)):
            if time.monotonic() > deadline or not self._read():
                raise AssertionError(f"waited in vain for {pattern!r}; there is {self._seen[-1000:]!r}")
        self._seen = self._seen[found.end() :]

    def end(self) -> int:
        """Wait for the end of the command, and give its exit code."""
        while self._read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self) -> bytes:
        if not select.select([self._fd], [], [], PATIENCE)[0]:
            return b""
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            return b""  # the command has ended
        self._seen += data
        return data
