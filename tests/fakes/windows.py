"""The calls of `platform.windows.win32` for the processes of a fake console: a job is the descendants of its programs.

A process that is suspended twice needs two resumes, and exit codes have 32 bits without a sign, as on Windows.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import psutil

from tests.fakes.winpty import PTY

if TYPE_CHECKING:
    from collections.abc import Callable


class Windows:
    """What stands in for `win32`. `console` is the one that the job belongs to."""

    FOREVER = 0xFFFFFFFF

    def __init__(self) -> None:
        self.console: PTY | None = None
        self.suspended: Counter[int] = Counter()
        self.may_leave = False

    def make_console(self, cols: int, rows: int, backend: int | None = None) -> PTY:
        self.console = PTY(cols, rows, backend)
        return self.console

    @property
    def _process(self) -> subprocess.Popen[bytes]:
        assert self.console is not None
        assert self.console.process is not None
        return self.console.process

    def hear_interrupts(self) -> None:
        pass

    def enter_job(self) -> int:
        return 1

    def let_leave(self, job: int) -> None:
        assert job == 1
        self.may_leave = True

    def job_pids(self, job: int) -> set[int]:
        assert job == 1
        if self.console is None or self.console.process is None:
            return {os.getpid()}
        found = {os.getpid()}
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self._process.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found.add(process.pid)
            except (OSError, psutil.Error):
                continue  # it has just ended
        return found

    def open_process(self, pid: int) -> int:
        assert pid == self._process.pid
        return 7

    def wait(self, handle: int, milliseconds: int) -> bool:
        assert handle == 7
        try:
            self._process.wait(None if milliseconds == self.FOREVER else milliseconds / 1000)
        except subprocess.TimeoutExpired:
            return False
        return True

    def exit_code(self, handle: int) -> int:
        code = self._process.returncode
        return {-signal.SIGINT: 0xC000013A, -signal.SIGKILL: 137}.get(code, code)

    def times(self, handle: int) -> tuple[int, float, float]:
        return 1, 0.5, 0.25

    def peak_memory(self, handle: int) -> int:
        return 1 << 20

    def terminate(self, pid: int, code: int) -> None:
        assert code == 137
        _signal(pid, signal.SIGKILL)

    def suspend(self, pid: int) -> None:
        self.suspended[pid] += 1
        _signal(pid, signal.SIGSTOP)

    def resume(self, pid: int) -> None:
        self.suspended[pid] -= 1
        if self.suspended[pid] <= 0:
            _signal(pid, signal.SIGCONT)

    def on_closing(self, action: Callable[[], None]) -> None:
        self.closing = action


def _signal(pid: int, number: int) -> None:
    """Do what the real calls do: nothing, if the process has ended meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
