"""A fake of pywinpty's PTY over a local pseudo-terminal, with the observed behavior of the real one.

The columns come first; text is `str`; a read waits, and the end is `""` with `iseof()`, or an error in versions before
3.0; there is no exit code while the program runs. What is written as ^C interrupts the program.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import shlex
import struct
import subprocess
import sys
import termios

#: A program gets the terminal as its own, and becomes the command.
_TAKE = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


class WinptyError(Exception):
    """What the real one raises for everything."""


class PTY:
    """A console."""

    #: Whether the end of the output is an error, as it was before version 3.0.
    ends_with_error = False

    def __init__(self, cols: int, rows: int, backend: int | None = None) -> None:
        assert backend == 0  # WinPTY, the other one, is of no use
        self._master, self._slave = os.openpty()
        self._is_at_end = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.process: subprocess.Popen[bytes] | None = None
        self.set_size(cols, rows)

    def spawn(self, appname: str, cmdline: str | None = None, cwd: str | None = None, env: str | None = None) -> bool:
        """Start a program; its arguments are a line that begins with a space, its environment a block."""
        assert cmdline is None or cmdline == "" or cmdline.startswith(" ")
        assert env is not None
        assert env.endswith("\0")
        if not os.path.exists(appname):
            raise WinptyError("File not found.")
        variables = dict(pair.split("=", 1) for pair in env.split("\0") if pair)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE, appname, *shlex.split(cmdline or "")],
            cwd=cwd,
            env=variables,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
        )
        os.close(self._slave)
        self._slave = -1
        return True

    @property
    def pid(self) -> int | None:
        """The process of the program."""
        return None if self.process is None else self.process.pid

    def read(self, blocking: bool = False) -> str:
        """Return what has come; at the end nothing."""
        assert blocking  # without it, the real one never says that this is the end
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            data = b""
        if data:
            return self._decoder.decode(data)
        self._is_at_end = True
        if self.ends_with_error:
            raise WinptyError("Standard out reached EOF")
        return ""

    def iseof(self) -> bool:
        """Return whether a read has come to the end."""
        return self._is_at_end

    def write(self, text: str) -> int:
        """Type."""
        try:
            return os.write(self._master, text.encode())
        except OSError as error:
            raise WinptyError("Broken pipe.") from error

    def set_size(self, cols: int, rows: int) -> None:
        """Set the size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def get_exitstatus(self) -> int | None:
        """Return the exit code; None while the program runs."""
        return None if self.process is None else self.process.poll()

    def cancel_io(self) -> bool:
        """End what waits."""
        return True

    def close(self) -> None:
        """Let go of the terminal, which the real one does when it is collected."""
        os.close(self._master)
        if self._slave >= 0:
            os.close(self._slave)
