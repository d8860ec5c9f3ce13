"""The job: the command that a ptyhost runs, the signals to its tree, the ladder it is stopped by, and its end."""

from __future__ import annotations

import os
import signal
import time

from . import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .ladder import Ladder


class Job:
    """A command that runs as `pid`, our child, since `started` (Unix time). `ended` is None until it is reaped, then
    the exit record's part of it.

    `foreground` gives the process group that has the terminal, or 0. `paused`: the command is stopped (SIGSTOP),
    whoever did that. `stopping` says why it is stopped for good, None while it is not: a stop goes on until nobody is
    left, which may be after the command itself has ended. Signals never raise: who is not there, or not ours to signal,
    does not get them.
    """

    __slots__ = ("_foreground", "_ladder", "_started_at", "ended", "paused", "pid", "started")

    def __init__(self, foreground: Callable[[], int]) -> None:
        self.pid = 0
        self.started = 0.0
        self._started_at = 0.0
        self._foreground = foreground
        self._ladder: Ladder | None = None
        self.paused = False
        self.ended: dict[str, Any] | None = None

    def begin(self, pid: int, started: float) -> None:
        """Take over a command that has just been started."""
        self.pid, self.started, self._started_at = pid, started, time.monotonic()

    @property
    def stopping(self) -> str | None:
        """Why it is being stopped."""
        return self._ladder.reason if self._ladder is not None else None

    @property
    def due(self) -> float | None:
        """When (monotonic seconds) the next step of its ladder is due."""
        return self._ladder.due if self._ladder is not None else None

    @property
    def _child(self) -> int:
        return self.pid if self.ended is None else 0

    def signal(self, number: int, target: str) -> None:
        """Send a signal to the `tree`, its `leader` or the `foreground` group."""
        foreground = self._foreground()
        if target == "foreground" and foreground:
            tree.signal_group(foreground, number)
        elif target == "leader" and self.ended is None:
            tree.signal_process(self.pid, number)
        elif number == signal.SIGSTOP:
            tree.freeze(self._child, foreground)
        else:
            tree.send(number, self._child, foreground)
        if target == "tree" and number in (signal.SIGSTOP, signal.SIGCONT) and self.ended is None:
            # At once: who asked for it is told now. What the kernel says of it comes later and says the same.
            self.paused = number == signal.SIGSTOP

    def stop(self, ladder: Ladder, now: float) -> None:
        """Begin to stop it, or go on with other steps; why it is stopped stays what it was first."""
        if self._ladder is not None:
            ladder.reason = self._ladder.reason
        self._ladder = ladder
        self.paused = False
        self.climb(now)

    def climb(self, now: float) -> None:
        """Take the next step of the ladder when it is due, and step off it when nobody is left."""
        if self._ladder is None:
            return
        foreground = self._foreground()
        if self.ended is not None and tree.is_empty(foreground):
            self._ladder = None
            return
        number = self._ladder.step(now)
        if number == signal.SIGKILL:
            tree.kill(self._child, foreground)
        elif number is not None:
            tree.send(number, self._child, foreground)

    def warn(self, number: int) -> None:
        """Send the signal that comes before a time limit."""
        if self.ended is None:
            tree.send(number, self.pid, self._foreground())

    def is_alone(self) -> bool:
        """Return whether nothing is left of a command that has ended."""
        return tree.is_empty(self._foreground())

    def reap(self) -> bool:
        """Take in who has ended, stopped or gone on: the command (then True), and what it left behind for us."""
        changed = False
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            except ChildProcessError:
                return changed
            if pid == 0:
                return changed
            if pid != self.pid or self.ended is not None:
                continue
            changed = True
            if os.WIFSTOPPED(status) or os.WIFCONTINUED(status):
                self.paused = os.WIFSTOPPED(status)
                continue
            code = os.waitstatus_to_exitcode(status)
            self.paused = False
            self.ended = {
                "code": code if code >= 0 else None,
                "signal": signal_name(-code) if code < 0 else None,
                "reason": self.stopping or "exited",
                "started": self.started,
                # Not the wall clock: it may have been set back since.
                "ended": self.started + time.monotonic() - self._started_at,
                "rusage": {"user": usage.ru_utime, "system": usage.ru_stime, "max_rss": usage.ru_maxrss * 1024},
            }


def signal_name(number: int) -> str:
    """Return `SIGKILL` for 9, `SIG40` for a number without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"
