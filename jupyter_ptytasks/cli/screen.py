"""The user's terminal: raw while a task is attached to it, then restored."""

from __future__ import annotations

import os
import sys

from .modes import Modes

if sys.platform == "win32":
    from .terminal_windows import ENDING, HANGUP_STATUS, RESIZED, RawMode, Wakeups, from_background
else:
    from .terminal_posix import ENDING, HANGUP_STATUS, RESIZED, RawMode, Wakeups, from_background

__all__ = ["ENDING", "HANGUP_STATUS", "RESIZED", "Screen", "Wakeups"]


class Screen:
    """Context manager that puts the terminal into raw mode.

    On exit it resets all modes that the task has set.
    """

    def __init__(self) -> None:
        self.stdin = sys.stdin.fileno()
        # Unbuffered; and on Windows by the console's Unicode API, regardless of its code page.
        self._stdout = open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)  # noqa: SIM115
        self._modes = Modes()

    def __enter__(self) -> Screen:
        sys.stdout.flush()
        self._mode = RawMode(self.stdin)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with from_background():
                self._write(self._modes.undo())
                self._mode.restore()
        except OSError:
            pass  # it has hung up

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is in use."""
        return self._modes.alternate

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        try:
            size = os.get_terminal_size(self._stdout.fileno())
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
            data = data[self._stdout.write(data) :]


def _style(text: str) -> bytes:
    return f"\x1b[m\x1b[2m[{text}]\x1b[m".encode()
