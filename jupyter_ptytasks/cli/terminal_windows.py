"""The terminal that `attach` runs in, on Windows: a console with escape sequences, read by a thread."""

from __future__ import annotations

import codecs
import os
import queue
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..core.platform.windows import win32

if TYPE_CHECKING:
    from collections.abc import Iterator

#: There is no signal for a size change: the size is polled.
RESIZED = -1
#: Signals that end `attach`, such as Ctrl+Break. Ctrl+C is an ordinary key while the console is raw.
ENDING = (signal.SIGINT, getattr(signal, "SIGBREAK", signal.SIGTERM))
#: What `attach` exits with when the console is closed.
HANGUP_STATUS = 129

#: Modes of a console's input (SetConsoleMode): Ctrl+C as an event, lines, echo; keys as escape sequences.
_COOKED, _VT_INPUT = 0x1 | 0x2 | 0x4, 0x200
#: Modes of its output: process control characters and escape sequences; no automatic carriage return.
_VT_OUTPUT = 0x1 | 0x4 | 0x8
#: Characters read at a time.
_UNITS = 1 << 12
#: Polling interval for the size and for signals, which do not interrupt waiting on Windows, in seconds.
_LOOK_EVERY = 0.25


class RawMode:
    """Raw mode of this process's console, until `restore`. Raises OSError if it does not support escape sequences."""

    def __init__(self, fd: int) -> None:  # noqa: ARG002  a process has one console
        self._saved = {which: win32.console_mode(which) for which in (win32.INPUT, win32.OUTPUT)}
        try:
            win32.set_console_mode(win32.OUTPUT, self._saved[win32.OUTPUT] | _VT_OUTPUT)
            win32.set_console_mode(win32.INPUT, (self._saved[win32.INPUT] & ~_COOKED) | _VT_INPUT)
        except OSError:
            self.restore()
            raise

    def restore(self) -> None:
        """Restore the previous mode. Raises OSError if the console is gone."""
        # Replies to a program's last queries are dropped, otherwise they would be typed into the shell.
        win32.flush_console()
        for which, mode in self._saved.items():
            win32.set_console_mode(which, mode)


@contextmanager
def from_background() -> Iterator[None]:
    """Do nothing: there are no background jobs."""
    yield


class Wakeups:
    """A context in which `wait` returns for keys, signals, a size change, and when another thread calls `wake`."""

    def __init__(self) -> None:
        #: Input, signals, and None for `wake`.
        self._events: queue.SimpleQueue[bytes | int | None] = queue.SimpleQueue()
        self._usual: dict[int, Any] = {}
        self._size = _size()
        # Started at the first `wait`: before that, the console is not raw. It ends with the process.
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Wakeups:
        for number in ENDING:
            self._usual[number] = signal.signal(number, lambda number, _: self._events.put(number))
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._usual.items():
            signal.signal(number, handler)

    def wake(self) -> None:
        """Make `wait` return; from any thread."""
        self._events.put(None)

    def wait(self, stdin: int, timeout: float | None) -> tuple[bytes | None, set[int]]:  # noqa: ARG002
        """Wait at most `timeout` seconds; return the input (None: nothing, `b""`: the console is gone), and received
        signals.
        """
        if self._reader.ident is None:
            self._reader.start()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            size = _size()
            if size != self._size:
                self._size = size
                return None, {RESIZED}
            left = _LOOK_EVERY if deadline is None else max(deadline - time.monotonic(), 0.0)
            try:
                event = self._events.get(timeout=min(left, _LOOK_EVERY))
            except queue.Empty:
                if left <= _LOOK_EVERY and deadline is not None:
                    return None, set()
                continue
            if isinstance(event, bytes):
                return event, set()
            return None, set() if event is None else {event}

    def _read(self) -> None:
        # A character may be two code units, which arrive separately.
        decoder = codecs.getincrementaldecoder("utf-16-le")("replace")
        while units := win32.read_console(_UNITS):
            if text := decoder.decode(units):
                self._events.put(text.encode())
        self._events.put(b"")


def _size() -> os.terminal_size | None:
    try:
        return os.get_terminal_size()
    except OSError:
        return None
