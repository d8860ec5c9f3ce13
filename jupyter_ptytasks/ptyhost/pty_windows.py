"""A Windows pseudoconsole (ConPTY), through pywinpty: threads wait for it, and the loop uses a socket.

Output and input are only buffered by the sockets: if they are full, the console waits, and so does typing.
"""

from __future__ import annotations

import codecs
import errno
import socket
import threading
from typing import TYPE_CHECKING

from ..core.platform.windows import tree
from .program_windows import prepare

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: pywinpty's backend for ConPTY. The other one, WinPTY, injects input into programs.
_CONPTY = 0
#: The most bytes of input that are passed on at a time.
_INPUT = 1 << 12


class Spawned:
    """The process `pid` of the command. It already runs, but not longer than this process."""

    def __init__(self, pid: int, processes: tree.Tree) -> None:
        self.pid = pid
        self._tree = processes

    def release(self) -> None:
        """Do nothing: pywinpty cannot start a process suspended."""

    def abandon(self) -> None:
        """Kill the process, unless it is gone."""
        self._tree.kill()


class WindowsPty:
    """A pseudoconsole, and this process's job object for all processes in it. The caller closes it. Raises OSError."""

    #: Seconds for which the terminal is still read after the end of the command. It closes when everything is read.
    drain = 10.0

    def __init__(self, rows: int, cols: int) -> None:
        try:
            import winpty  # noqa: PLC0415  no other system has it
        except ImportError as error:
            raise OSError(errno.ENOSYS, f"tasks need pywinpty, which cannot be imported: {error}") from error
        self._error = winpty.WinptyError
        self._tree = tree.enter()
        try:
            #: None after `_hang_up`; the console closes when no thread uses it any more.
            self._pty: Any = winpty.PTY(cols, rows, backend=_CONPTY)
        except self._error as error:
            raise OSError(errno.EIO, f"cannot create a pseudoconsole: {error}") from error
        self._tree.settle()
        self._tree.interrupt = self._interrupt
        self._tree.hang_up = self._hang_up
        self._loop_end, self._thread_end = socket.socketpair()
        self._loop_end.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._loop_end.fileno()

    def spawn(self, argv: list[bytes], env: Mapping[bytes, bytes], cwd: str, umask: int) -> Spawned:  # noqa: ARG002
        """Start `argv`, which runs immediately. Raises SpawnFailed."""
        start = prepare(argv, env, cwd)
        try:
            self._pty.spawn(start.program, cmdline=start.arguments, cwd=cwd, env=start.environment)
        except self._error as error:
            raise start.failure(error) from None
        pid = int(self._pty.pid)
        self._tree.begin(pid)
        for target in (self._read_on, self._type_on):
            threading.Thread(target=target, daemon=True).start()
        return Spawned(pid, self._tree)

    # -- threads ------------------------------------------------------------------------------------------------------

    def _read_on(self) -> None:
        """Pass on the output until its end."""
        try:
            while (pty := self._pty) is not None:
                text = pty.read(blocking=True)
                if text:
                    self._thread_end.sendall(text.encode("utf-8", "replace"))
                elif pty.iseof():
                    break
        except (self._error, OSError):
            pass  # pywinpty may also report the end this way
        pty = None
        try:
            self._thread_end.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the loop has closed it

    def _type_on(self) -> None:
        """Pass on the input, as characters, until it ends."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        try:
            while data := self._thread_end.recv(_INPUT):
                text = decoder.decode(data)
                pty = self._pty
                if text and pty is not None:
                    pty.write(text)
                del pty
        except (self._error, OSError):
            pass  # the console is closed: no program will read it

    def _interrupt(self) -> None:
        """Type ^C, which the console turns into an event for all its programs, whether they read or not."""
        self.write(b"\x03")

    def _hang_up(self) -> None:
        """Close the console: its programs are notified, and end."""
        pty, self._pty = self._pty, None
        if pty is None:
            return
        try:
            pty.cancel_io()
        except self._error:
            pass  # nothing waits

    # -- the loop's side ----------------------------------------------------------------------------------------------

    def read(self, limit: int) -> bytes | None:
        """Return output of the program, at most `limit` bytes; None if there is none yet, `b""` at its end."""
        try:
            return self._loop_end.recv(limit)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def takes(self, data: bytes) -> bool:  # noqa: ARG002
        """Return True: a console takes lines of any length."""
        return True

    @property
    def line_max(self) -> int:
        """No line is too long: 0."""
        return 0

    def look(self) -> None:
        """Do nothing: the typed line is not known."""

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Type `data`; return how many bytes were accepted, 0 if the buffer is full."""
        try:
            return self._loop_end.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # no program will read it

    def resize(self, rows: int, cols: int) -> None:
        """Set the size of the console."""
        if self._pty is None:
            return
        try:
            self._pty.set_size(cols, rows)
        except self._error:
            pass  # its programs are gone

    def foreground_group(self) -> int:
        """Return 0: there are no process groups."""
        return 0

    @property
    def device(self) -> int:
        """0: a console has no device number."""
        return 0

    def mode(self) -> tuple[bool, bool] | None:
        """Return None: the mode of a console cannot be seen from here."""
        return None

    @property
    def typed(self) -> bytes:
        """Empty: the typed part of the current line is not known."""
        return b""

    def close(self) -> None:
        """Close the terminal."""
        self._hang_up()
        self._loop_end.close()
        self._thread_end.close()
