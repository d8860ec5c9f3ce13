"""The terminal that a person sits at: raw while a task is attached to it, and afterwards as it was."""

from __future__ import annotations

import os
import signal
import sys
import termios
import tty
from typing import Any

from .modes import Modes


class Screen:
    """A context: inside, keys come one by one as they are, and output goes out as it is.

    Leaving it takes back what the task has set, whatever the reason.
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
        # From the background too: without this, tcsetattr would stop us.
        usual = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            self._write(self._modes.undo())
            # Answers to a program's last questions are dropped, or they would be typed into the shell.
            termios.tcsetattr(self.stdin, termios.TCSAFLUSH, self._saved)
        except (OSError, termios.error):
            pass  # it has hung up
        finally:
            signal.signal(signal.SIGTTOU, usual)

    @property
    def alternate(self) -> bool:
        """Whether a full-screen program is on."""
        return self._modes.alternate

    @property
    def size(self) -> tuple[int, int]:
        """The rows and columns there are."""
        try:
            size = os.get_terminal_size(self._stdout)
        except OSError:
            return 24, 80
        return size.lines or 24, size.columns or 80

    def draw(self, text: str) -> None:
        """Draw what the task has written. Raises OSError when the terminal has hung up."""
        self._write(text.encode("utf-8", "replace"))
        self._modes.feed(text)

    def begin(self, banner: str) -> None:
        """Make room for a replay below the banner; what was on the screen can be scrolled back to."""
        rows, _ = self.size
        self._write(self._modes.undo() + b"\x1b[%d;1H" % rows + b"\n" * rows + b"\x1b[H\x1b[J")
        self._write(_style(banner) + b"\r\n")

    def say(self, text: str) -> None:
        """Tell the person something: in a line of its own, or over the last one of a full-screen program."""
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
    """A context in which signals are read from `fd`, one byte each; so is whatever else calls `wake`."""

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
        """Wake whoever reads `fd`; from any thread."""
        try:
            os.write(self._inlet, b"\0")
        except OSError:
            pass  # it is full, and whoever reads it will wake; or nobody reads any more

    def read(self) -> set[int]:
        """Give the signals that came."""
        try:
            return set(os.read(self.fd, 4096)) - {0}
        except BlockingIOError:
            return set()
