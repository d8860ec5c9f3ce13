"""A pseudo-terminal of a POSIX system.

The host uses terminals only through this class; pty_windows has a class with the same methods.
"""

from __future__ import annotations

import fcntl
import os
import struct
import termios

from .line_posix import Line
from .spawn_posix import Spawned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_WINSIZE = struct.Struct("HHHH")
#: Bytes that a terminal returns per read while a program writes faster than it is read (Linux, N_TTY_BUF_SIZE - 1).
_FULL = 4095
#: The local flags in a mode (termios.tcgetattr).
_LFLAG = 3


class PosixPty:
    """The master end of a pseudo-terminal, nonblocking. The caller closes it, which hangs up the terminal. Raises
    OSError if the system has none left.
    """

    #: Seconds for which the terminal is still read after the end of the command, while other processes have it open.
    #: Those have the same time to end.
    drain = 0.25

    __slots__ = ("_device", "_line", "_master", "_slave")

    def __init__(self, rows: int, cols: int) -> None:
        self._master, self._slave = os.openpty()
        self._device = os.fstat(self._slave).st_rdev
        self._line = Line()
        os.set_blocking(self._master, False)
        self.resize(rows, cols)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._master

    def spawn(self, argv: list[bytes], env: Mapping[bytes, bytes], cwd: str, umask: int) -> Spawned:
        """Return a process that executes `argv` when it is released, as the leader of a session with this terminal.
        Call it only once. Raises OSError.
        """
        try:
            return Spawned((self._master, self._slave), argv, env, cwd, umask)
        finally:
            os.close(self._slave)
            self._slave = -1

    def read(self, limit: int) -> bytes | None:
        """Return output of the program, at most `limit` bytes; None if there is none yet, `b""` if no process has the
        terminal open (one may open it again).
        """
        parts: list[bytes] = []
        # Stop at a read that is not full, even if more may follow: there will be more to read at once after this is
        # processed, and reading each line separately would slow down the program.
        while part := self._read(limit):
            parts.append(part)
            limit -= len(part)
            if len(part) < _FULL or limit < _FULL:
                break
        return b"".join(parts) if parts else part

    def _read(self, limit: int) -> bytes | None:
        try:
            return os.read(self._master, limit)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def takes(self, data: bytes) -> bool:
        """Return whether the terminal can accept all of `data`, after the earlier input.

        In line mode it truncates a line that is longer than `line_max`. Accepted data is remembered as typed.
        """
        try:
            mode = termios.tcgetattr(self._master)
        except termios.error:
            return True  # hung up, or a system without this information
        return self._line.type(data, mode)

    @property
    def line_max(self) -> int:
        """The most bytes of a line in line mode, without its end."""
        return self._line.limit

    def look(self) -> None:
        """Clear the typed line if a program has left line mode."""
        if self._line:
            self.takes(b"")

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Type `data`; return how many bytes were accepted, 0 if the terminal is full as the program does not read."""
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # hung up: no program will read it

    def resize(self, rows: int, cols: int) -> None:
        """Set the size of the terminal; if it changes, the kernel sends SIGWINCH to the foreground group."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, _WINSIZE.pack(rows, cols, 0, 0))

    def foreground_group(self) -> int:
        """Return the foreground process group, which gets the SIGINT of Ctrl+C; 0 if there is none."""
        try:
            return max(os.tcgetpgrp(self._master), 0)
        except OSError:
            return 0

    @property
    def device(self) -> int:
        """The device number of the terminal, as the program has it open."""
        return self._device

    def mode(self) -> tuple[bool, bool] | None:
        """Return whether the terminal is in line mode, and whether it echoes; None if unknown."""
        try:
            flags = termios.tcgetattr(self._master)[_LFLAG]
        except termios.error:
            return None
        return bool(flags & termios.ICANON), bool(flags & termios.ECHO)

    @property
    def typed(self) -> bytes:
        """The typed part of the current line, if the terminal is in line mode and echoes it."""
        mode = self.mode()
        return self._line.typed if mode is not None and all(mode) else b""

    def close(self) -> None:
        """Hang up the terminal."""
        for fd in (self._master, self._slave):
            if fd >= 0:
                os.close(fd)
