"""The job: the command that a ptyhost runs, the signals to its tree, the ladder it is stopped by, and its end."""

from __future__ import annotations

import os
import signal
import time

from . import tree
from .ladder import Ladder, signal_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Job:
    """A command that runs as `pid`, our child. `ended` is None until it is reaped, then the exit record's part of it.

    `foreground` gives the process group that has the terminal, or 0. `started` is in Unix time. `paused`: its tree was
    stopped by SIGSTOP. `stopping` says why it is stopped, None while it is not: a stop goes on until nobody is left,
    which may be after the command itself has ended.
    """

    __slots__ = ("_foreground", "_ladder", "_started_at", "ended", "paused", "pid", "started")

    def __init__(self, pid: int, foreground: Callable[[], int]) -> None:
        self.pid = pid
        self.started = time.time()
        self._started_at = time.monotonic()
        self._foreground = foreground
        self._ladder: Ladder | None = None
        self.paused = False
        self.ended: dict[str, Any] | None = None

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
            os.killpg(foreground, number)
        elif target == "leader" and self.ended is None:
            os.kill(self.pid, number)
        elif number == signal.SIGSTOP:
            tree.freeze(self._child, foreground)
        else:
            tree.send(number, self._child, foreground)
        if target == "tree" and number in (signal.SIGSTOP, signal.SIGCONT):
            self.paused = number == signal.SIGSTOP

    def stop(self, about: dict[str, Any]) -> None:
        """Begin to stop it, or go on with other steps; why it is stopped stays what it was first.

        `about` is as Ladder.from_json takes it, and raises what that raises.
        """
        now = time.monotonic()
        ladder = Ladder.from_json(about, now)
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

    def warn(self, name: str) -> None:
        """Send the signal that comes before a time limit."""
        if self.ended is None:
            tree.send(signal_number(name), self.pid, self._foreground())

    def reap(self) -> bool:
        """Take in who has ended: the command (then True), and what it left behind for us."""
        ended = False
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return ended
            if pid == 0:
                return ended
            if pid == self.pid and self.ended is None:
                ended = True
                code = os.waitstatus_to_exitcode(status)
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
    """Give `SIGKILL` for 9, `SIG40` for a number without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"
