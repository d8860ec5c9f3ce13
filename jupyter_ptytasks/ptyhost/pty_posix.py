"""A pseudo-terminal of a POSIX system, and a command started in it.

This is the whole of what the host knows of terminals; another system stands beside it with the same class: `open`,
`spawn`, `fileno`, `read`, `write`, `resize`, `foreground_group`, `close`.
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WINSIZE = struct.Struct("HHHH")


class SpawnError(Exception):
    """The command could not be started; `field` says what is to blame: `command` or `cwd`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class PosixPty:
    """The master end of a pseudo-terminal, not blocking. The caller closes it; that hangs the terminal up."""

    __slots__ = ("_master", "_slave")

    def __init__(self, rows: int, cols: int) -> None:
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, False)
        self.resize(rows, cols)

    def fileno(self) -> int:
        """Give the descriptor to poll."""
        return self._master

    def spawn(self, argv: Sequence[str], env: Mapping[str, str], cwd: str, umask: int) -> int:
        """Start `argv` as the leader of a session of its own with this terminal, and give its pid.

        The child has the three standard descriptors and no others, the default action and no block for every signal.
        May be called once. Raises SpawnError when the directory or the program is not usable.
        """
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                _become(self._slave, argv, env, cwd, umask)
            except OSError as error:
                os.write(writing, f"{error.errno}:{'cwd' if error.filename2 else 'command'}".encode())
            finally:
                os._exit(127)
        os.close(writing)
        os.close(self._slave)
        # Closed by a successful exec: the end of the pipe is the good news.
        failure = os.read(reading, 64).decode()
        os.close(reading)
        if failure:
            os.waitpid(pid, 0)
            number, _, field = failure.partition(":")
            raise SpawnError(field, _explain(int(number), field, argv[0], cwd))
        return pid

    def read(self, limit: int) -> bytes | None:
        """Give what the program wrote, at most `limit` bytes; None when there is nothing yet, `b""` when nobody has
        the terminal open any more (somebody might open it again).
        """
        try:
            return os.read(self._master, limit)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Type `data`; give how many bytes the terminal took, 0 when it is full because nobody reads."""
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # hung up: there is nobody to type for

    def resize(self, rows: int, cols: int) -> None:
        """Give the terminal a size; the kernel tells the foreground group (SIGWINCH) if it is a new one."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, _WINSIZE.pack(rows, cols, 0, 0))

    def foreground_group(self) -> int:
        """Give the process group that Ctrl-C would reach, 0 when there is none."""
        try:
            return max(os.tcgetpgrp(self._master), 0)
        except OSError:
            return 0

    def close(self) -> None:
        """Hang up."""
        os.close(self._master)


def _become(slave: int, argv: Sequence[str], env: Mapping[str, str], cwd: str, umask: int) -> None:
    """Turn this process, just forked, into the command. Returns only by raising OSError; `filename2` marks a bad
    directory.
    """
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    for number in signal.valid_signals():
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(umask)
    try:
        os.chdir(cwd)
    except OSError as error:
        raise OSError(error.errno, "", cwd, None, cwd) from error
    os.execvpe(argv[0], list(argv), dict(env))


def _explain(number: int, field: str, program: str, cwd: str) -> str:
    reason = os.strerror(number)
    if field == "cwd":
        return f"the task cannot run in {cwd}: {reason}"
    return f"{program} cannot be started: {reason}"
