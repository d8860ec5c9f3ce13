"""The user's terminal: raw while a task is attached to it, restored afterwards."""

from __future__ import annotations

import os
import signal
import sys
import termios
import tty
from typing import Any

from .modes import Modes


class Screen:
    """Context manager that puts the terminal into raw mode.

    On exit it resets all modes that the task has set.
    """

    def __init__(self) -> None:
        self.stdin = sys.stdin.fileno()
        self._stdout = sys.stdout.fileno()
        self._modes = Modes()

    def __enter__(self) -> Screen:
        sys.stdout.flush()
        self._saved = termios.tcgetattr(self.stdin)
        tty.setraw(self.stdin, termios.TCSADRAIN)
        return self

    def __exit__(self, *_: object) -> None:
        # In the background, tcsetattr would stop us otherwise.
        usual = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            self._write(self._modes.undo())
            # Drops terminal replies to the program, which the shell would read as typed.
            termios.tcsetattr(self.stdin, termios.TCSAFLUSH, self._saved)
        except (OSError, termios.error):
            pass  # the terminal is gone
        finally:
            signal.signal(signal.SIGTTOU, usual)

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is in use."""
        return self._modes.alternate

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        try:
            size = os.get_terminal_size(self._stdout)
        except OSError:
            return 24, 80
        return size.lines or 24, size.columns or 80

    def draw(self, text: str) -> None:
        """Write output of the task. Raises OSError if the terminal is gone."""
        self._write(text.encode("utf-8", "replace"))
        self._modes.feed(text)

    def begin(self, banner: str) -> None:
        """Scroll the screen away, so that it stays in the scrollback, and print a banner above the replay."""
        rows, _ = self.size
        self._write(self._modes.undo() + b"\x1b[%d;1H" % rows + b"\n" * rows + b"\x1b[H\x1b[J")
        self._write(_style(banner) + b"\r\n")

    def say(self, text: str) -> None:
        """Show a message: on its own line, or over the last line of a full-screen program."""
        if self.alternate:
            self._write(b"\x1b7\x1b[999;1H\x1b[2K" + _style(text) + b"\x1b8")
        else:
            self._write(b"\r\n" + _style(text) + b"\r\n")

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._stdout, data) :]


def _style(text: str) -> bytes:
    return f"\x1b[m\x1b[2m[{text}]\x1b[m".encode()


class Wakeups:
    """Context manager in which signals, and calls of `wake`, make `fd` readable."""

    def __init__(self, *signals: signal.Signals) -> None:
        self._signals = signals
        self._usual: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Wakeups:
        self.fd, self._inlet = os.pipe()
        for fd in (self.fd, self._inlet):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self._inlet, warn_on_full_buffer=False)
        for number in self._signals:
            self._usual[number] = signal.signal(number, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._usual.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        inlet, self._inlet = self._inlet, -1
        os.close(inlet)
        os.close(self.fd)

    def wake(self) -> None:
        """Make `fd` readable; from any thread."""
        try:
            os.write(self._inlet, b"\0")
        except OSError:
            pass  # full, so it is readable already; or closed

    def read(self) -> set[int]:
        """Return the signals received since the last call."""
        try:
            return set(os.read(self.fd, 4096)) - {0}
        except BlockingIOError:
            return set()
