"""The job: the command that a ptyhost runs, signals to its process tree, its stop sequence, and its end."""

from __future__ import annotations

import time

from ..core import signals
from ..core.platform import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .stop_sequence import StopSequence


class Job:
    """A command that runs as the child `pid` since `started` (Unix time). `ended` is None until it is reaped, then its
    part of the exit record.

    `foreground` returns the foreground process group of the terminal, or 0. `paused`: the command is stopped (SIGSTOP),
    by whatever means. `stopping` is why it is being stopped, None if it is not: a stop continues until the tree is
    empty, which may be after the end of the command itself. `signaled` is the last signal that was sent on request,
    except to pause and resume; None if there was none. Signals never raise: processes that are gone, or that may not be
    signaled, are skipped.
    """

    __slots__ = ("_foreground", "_started_at", "_stop", "ended", "paused", "pid", "signaled", "started")

    def __init__(self, foreground: Callable[[], int]) -> None:
        self.pid = 0
        self.started = 0.0
        self._started_at = 0.0
        self._foreground = foreground
        self._stop: StopSequence | None = None
        self.paused = False
        self.signaled: str | None = None
        self.ended: dict[str, Any] | None = None

    def begin(self, pid: int, started: float) -> None:
        """Take over a command that has just been started."""
        self.pid, self.started, self._started_at = pid, started, time.monotonic()

    @property
    def begun(self) -> float:
        """When it was started, in monotonic seconds."""
        return self._started_at

    @property
    def stopping(self) -> str | None:
        """Why it is being stopped; None if it is not."""
        return self._stop.reason if self._stop is not None else None

    @property
    def due(self) -> float | None:
        """When (monotonic seconds) the next step of its stop sequence is due; None if it is not being stopped."""
        return self._stop.due if self._stop is not None else None

    @property
    def _child(self) -> int:
        return self.pid if self.ended is None else 0

    def signal(self, number: int, target: str) -> None:
        """Send a requested signal to the `tree`, its `leader` or the `foreground` group."""
        if number not in (signals.STOP, signals.CONT) and self.ended is None:
            self.signaled = signals.name_of(number)
        foreground = self._foreground()
        if target == "foreground" and foreground:
            tree.signal_group(foreground, number)
        elif target == "leader" and self.ended is None:
            tree.signal_process(self.pid, number)
        elif number == signals.STOP:
            tree.freeze(self._child, foreground)
        else:
            tree.send(number, self._child, foreground)
        if target == "tree" and number in (signals.STOP, signals.CONT) and self.ended is None:
            # Set it now, for the response to the request; the kernel reports the same later.
            self.paused = number == signals.STOP

    def stop(self, sequence: StopSequence, now: float) -> None:
        """Start stopping it, or continue with another sequence; the first reason is kept."""
        if self._stop is not None:
            sequence.reason = self._stop.reason
        self._stop = sequence
        self.paused = False
        self.advance(now)

    def advance(self, now: float) -> None:
        """Take the next step of the stop sequence if it is due, and drop the sequence when the tree is empty."""
        if self._stop is None:
            return
        foreground = self._foreground()
        if self.ended is not None and tree.is_empty(foreground):
            self._stop = None
            return
        number = self._stop.advance(now)
        if number == signals.KILL:
            tree.kill(self._child, foreground)
        elif number is not None:
            tree.send(number, self._child, foreground)

    def warn(self, number: int) -> None:
        """Send the warning signal before a time limit."""
        if self.ended is None:
            tree.send(number, self.pid, self._foreground())

    def is_alone(self) -> bool:
        """Return whether no process is left of an ended command."""
        return tree.is_empty(self._foreground())

    def reap(self) -> bool:
        """Reap ended processes; return whether the command itself has ended, or was stopped or continued."""
        changed = False
        for pid, change in tree.changes():
            if pid != self.pid or self.ended is not None:
                continue
            changed = True
            if isinstance(change, bool):
                self.paused = change
                continue
            self.paused = False
            number = change["signal"]
            self.ended = {
                "code": change["code"],
                "signal": signals.name_of(number) if number is not None else None,
                "reason": self.stopping or "exited",
                "started": self.started,
                # Not the wall clock, which may have been set back since.
                "ended": self.started + time.monotonic() - self._started_at,
                "rusage": change["rusage"],
            }
        return changed
