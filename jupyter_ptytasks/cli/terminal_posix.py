"""The terminal that `attach` runs in, on a POSIX system: raw mode, input, and signals."""

from __future__ import annotations

import os
import select
import signal
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The size of the terminal has changed.
RESIZED = signal.SIGWINCH
#: Signals that end `attach`, even if SIGINT was ignored by the parent, as shells do for background jobs.
ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
#: What `attach` exits with when the terminal hangs up.
HANGUP_STATUS = 128 + signal.SIGHUP
#: Bytes read at a time.
_KEYS = 1 << 16


class RawMode:
    """Raw mode of the terminal at descriptor `fd`, until `restore`."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._saved = termios.tcgetattr(fd)
        tty.setraw(fd, termios.TCSADRAIN)

    def restore(self) -> None:
        """Restore the previous mode. Raises OSError if the terminal has hung up."""
        try:
            # Replies to a program's last queries are dropped, otherwise they would be typed into the shell.
            termios.tcsetattr(self._fd, termios.TCSAFLUSH, self._saved)
        except termios.error as error:
            raise OSError(*error.args) from error


@contextmanager
def from_background() -> Iterator[None]:
    """Allow changes to the terminal in the block, even from the background, where they would stop this process."""
    usual = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTTOU, usual)


class Wakeups:
    """A context in which `wait` returns for keys, for signals, and when another thread calls `wake`."""

    def __init__(self) -> None:
        self._usual: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Wakeups:
        self._outlet, self._inlet = os.pipe()
        for fd in (self._outlet, self._inlet):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self._inlet, warn_on_full_buffer=False)
        for number in (RESIZED, *ENDING):
            self._usual[number] = signal.signal(number, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._usual.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        inlet, self._inlet = self._inlet, -1
        os.close(inlet)
        os.close(self._outlet)

    def wake(self) -> None:
        """Make `wait` return; from any thread."""
        try:
            os.write(self._inlet, b"\0")
        except OSError:
            pass  # the pipe is full, and `wait` will return; or it is closed

    def wait(self, stdin: int, timeout: float | None) -> tuple[bytes | None, set[int]]:
        """Wait at most `timeout` seconds; return the input (None: nothing, `b""`: the terminal is gone), and received
        signals. Raises OSError if the terminal can no longer be read.
        """
        ready, _, _ = select.select([stdin, self._outlet], [], [], timeout)
        signals = self._read() if self._outlet in ready else set()
        # After an ending signal, input is left for the next reader of the terminal.
        return os.read(stdin, _KEYS) if stdin in ready and signals.isdisjoint(ENDING) else None, signals

    def _read(self) -> set[int]:
        try:
            return set(os.read(self._outlet, 4096)) - {0}
        except BlockingIOError:
            return set()
