"""The console that `attach` runs in on Windows, with fake system calls: modes, keys, and the size."""

from __future__ import annotations

import os
import queue
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.cli import terminal_windows
from jupyter_ptytasks.cli.terminal_windows import RESIZED, RawMode, Wakeups

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0


class Console:
    """What stands in for `win32`: a console that people type into with `keys`."""

    INPUT, OUTPUT = 1, 2

    def __init__(self) -> None:
        self.modes = {self.INPUT: 0x1F7, self.OUTPUT: 0x3}
        self.refuses = 0
        self.flushed = 0
        self.keys: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.size = os.terminal_size((80, 24))

    def console_mode(self, which: int) -> int:
        return self.modes[which]

    def set_console_mode(self, which: int, mode: int) -> None:
        if mode & self.refuses:
            raise OSError("the parameter is incorrect")
        self.modes[which] = mode

    def flush_console(self) -> None:
        self.flushed += 1

    def read_console(self, units: int) -> bytes:
        return self.keys.get(timeout=PATIENCE)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """The console of this process."""
    one = Console()
    monkeypatch.setattr(terminal_windows, "win32", one)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: one.size)
    yield one
    one.keys.put(b"")


def test_it_is_raw_and_then_as_it_was(console: Console) -> None:
    mode = RawMode(0)
    # Neither ^C as an event nor lines nor echo; escape sequences both ways; what else was set still is.
    assert console.modes == {console.INPUT: 0x3F0, console.OUTPUT: 0xF}
    mode.restore()
    assert console.modes == {console.INPUT: 0x1F7, console.OUTPUT: 0x3}
    assert console.flushed == 1


def test_a_console_without_escape_sequences_is_left_as_it_was(console: Console) -> None:
    console.refuses = 0x200
    with pytest.raises(OSError, match="incorrect"):
        RawMode(0)
    assert console.modes == {console.INPUT: 0x1F7, console.OUTPUT: 0x3}


def test_typed_text_arrives_as_utf8(console: Console) -> None:
    with Wakeups() as wakeups:
        for units in ("ü\x03".encode("utf-16-le"), b"\x3c\xd8", b"\x89\xdf"):
            console.keys.put(units)
        assert wakeups.wait(0, None) == ("ü\x03".encode(), set())
        assert wakeups.wait(0, PATIENCE) == ("🎉".encode(), set())
        console.keys.put(b"")
        assert wakeups.wait(0, None) == (b"", set())


def test_nothing_is_read_before_it_is_waited_for(console: Console) -> None:
    console.keys.put("x".encode("utf-16-le"))
    with Wakeups() as wakeups:
        assert console.keys.qsize() == 1
        assert wakeups.wait(0, PATIENCE) == (b"x", set())


def test_it_wakes_for_others_signals_sizes_and_after_its_time(console: Console) -> None:
    usual = signal.getsignal(signal.SIGINT)
    with Wakeups() as wakeups:
        assert wakeups.wait(0, 0.0) == (None, set())
        assert wakeups.wait(0, 0.3) == (None, set())
        threading.Thread(target=wakeups.wake).start()
        assert wakeups.wait(0, None) == (None, set())
        signal.raise_signal(signal.SIGINT)
        assert wakeups.wait(0, None) == (None, {signal.SIGINT})
        console.size = os.terminal_size((100, 30))
        assert wakeups.wait(0, None) == (None, {RESIZED})
        assert wakeups.wait(0, 0.0) == (None, set())
    assert signal.getsignal(signal.SIGINT) == usual
