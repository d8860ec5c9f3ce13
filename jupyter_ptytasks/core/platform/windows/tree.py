"""The processes of a task: all processes in the job object of its ptyhost, except the ptyhost itself and its console.

A job contains all descendants of its processes from their first instruction on. When the ptyhost ends, for whatever
reason, the system terminates all others with it.
"""

from __future__ import annotations

import os
import sys
import threading

from ...signals import KILL, STOP, number_of
from . import events, win32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

#: How often to look again for processes that were started meanwhile.
_ROUNDS = 100
#: The exit code of killed processes: that of a shell whose command was killed by SIGKILL.
_KILLED = 128 + KILL
#: The exit code of a program that does not handle ^C (STATUS_CONTROL_C_EXIT).
_INTERRUPTED = 0xC000013A
_INT, _TERM, _HUP, _QUIT = (number_of(name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"))

#: Sends CTRL_BREAK_EVENT to all programs of a console: only a program in that console can do this.
_BREAK = """
import ctypes
kernel = ctypes.WinDLL("kernel32")
kernel.FreeConsole()
if kernel.AttachConsole({pid}):
    kernel.SetConsoleCtrlHandler(None, True)
    kernel.GenerateConsoleCtrlEvent(1, 0)
"""


class Tree:
    """The job of this process. `interrupt` types ^C into the terminal, `hang_up` closes it."""

    def __init__(self) -> None:
        # Programs that are started from now on get ^C, no matter how this process was started.
        win32.hear_interrupts()
        self._job = win32.enter_job()
        self._ours = {os.getpid()}
        self._suspended: set[int] = set()
        self._handle = self._pid = 0
        self._has_ended = self._was_killed = False
        self.interrupt: Callable[[], None] = lambda: None
        self.hang_up: Callable[[], None] = lambda: None

    def settle(self) -> None:
        """Treat the current processes as our own: the console. All later ones belong to the task."""
        self._ours |= win32.job_pids(self._job)

    def begin(self, pid: int) -> None:
        """Remember the command, and wake the loop when it ends."""
        # The open handle keeps the pid from being reused.
        self._pid, self._handle = pid, win32.open_process(pid)
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        win32.wait(self._handle, win32.FOREVER)
        events.wake()

    def pids(self) -> set[int]:
        """Return the processes of the task."""
        return win32.job_pids(self._job) - self._ours

    def ended(self) -> dict[str, Any] | None:
        """Return how the command ended, once; None before and after."""
        if self._has_ended or not self._handle or not win32.wait(self._handle, 0):
            return None
        self._has_ended = True
        code: int | None = win32.exit_code(self._handle)
        number = None
        if code == _INTERRUPTED:
            code, number = None, _INT
        elif code == _KILLED and self._was_killed:
            code, number = None, KILL
        _, user, system = win32.times(self._handle)
        usage = {"user": user, "system": system, "max_rss": win32.peak_memory(self._handle)}
        return {"pid": self._pid, "code": code, "signal": number, "rusage": usage}

    def send(self, number: int) -> None:
        """Do what corresponds to a signal on Windows."""
        if number == KILL:
            self.kill()
        elif number == STOP:
            self.suspend()
        else:
            # A suspended process would not get it.
            self.resume()
            if number == _INT:
                self.interrupt()
            elif number == _HUP:
                self.hang_up()
            elif number in (_TERM, _QUIT):
                self._break()

    def _break(self) -> None:
        import subprocess  # noqa: PLC0415  for this alone

        for pid in sorted(self.pids())[:1]:
            helper = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BREAK.format(pid=pid)],
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            self._ours.add(helper.pid)
            helper.returncode = 0  # nothing waits for it

    def suspend(self) -> None:
        """Suspend all processes, each once: a process that was suspended twice would have to be resumed twice."""
        self._suspended &= self.pids()
        for _ in range(_ROUNDS):
            fresh = self.pids() - self._suspended
            if not fresh:
                break
            for pid in fresh:
                win32.suspend(pid)
            self._suspended |= fresh

    def resume(self) -> None:
        """Resume the processes that were suspended here."""
        for pid in self.pids() & self._suspended:
            win32.resume(pid)
        self._suspended.clear()

    def kill(self) -> None:
        """Terminate all processes, including those that are started meanwhile."""
        self._was_killed = True
        for _ in range(_ROUNDS):
            pids = self.pids()
            if not pids:
                break
            for pid in pids:
                win32.terminate(pid, _KILLED)

    def let_leave(self) -> None:
        """Allow new processes to leave the job, now that the task has ended."""
        win32.let_leave(self._job)


_tree: Tree | None = None


def enter() -> Tree:
    """Put this process and its descendants into their own job, unless there is one already. Raises OSError."""
    global _tree  # noqa: PLW0603  a process has one
    if _tree is None:
        _tree = Tree()
    return _tree


def let_leave() -> None:
    """Allow processes that are started from now on to leave the tree of this one."""
    if _tree is not None:
        _tree.let_leave()


def leftover() -> dict[str, Any] | None:
    """Return the exit record's entry for the remaining processes of the tree: they end with this process."""
    return {"count": 0, "processes": [], "boot_id": ""}


def signal_group(group: int, number: int) -> None:
    """Do nothing: there are no process groups."""


def signal_process(pid: int, number: int) -> None:  # noqa: ARG001
    """Send a signal to the command. It reaches all programs of the console."""
    enter().send(number)


def send(number: int, child: int, foreground: int) -> None:  # noqa: ARG001
    """Send a signal to the whole tree."""
    enter().send(number)


def freeze(child: int, foreground: int) -> None:  # noqa: ARG001
    """Suspend the whole tree, even one that keeps starting processes."""
    enter().suspend()


def kill(child: int, foreground: int) -> None:  # noqa: ARG001
    """Kill the whole tree."""
    enter().kill()


def is_empty(foreground: int) -> bool:  # noqa: ARG001
    """Return whether a tree whose command has ended has no processes left."""
    return not enter().pids()


def changes() -> Iterator[tuple[int, bool | dict[str, Any]]]:
    """Iterate over changes since the last call: the pid of the command and how it ended: `{code, signal, rusage}`.
    Suspending it is not reported: only the caller knows.
    """
    ended = enter().ended()
    if ended is not None:
        yield ended.pop("pid"), ended


def end_all() -> None:
    """Kill the whole tree."""
    enter().kill()
