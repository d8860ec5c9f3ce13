"""The loop of a ptyhost: it reads the terminal into the ring, serves its connections, stops the task, and records its
end.

There is one thread at a time and one poll. The loop never waits for a reader, and only the end of the task ends it:
every step runs under the guard.
"""

from __future__ import annotations

import os
import time

from ..core import wire
from ..core.platform import events, priority
from .ending import Ending
from .flood import PERIOD, Flood
from .job import Job
from .service import CAPABILITIES, Service
from .stop_sequence import StopSequence
from .terminal import Terminal
from .time_limit import TimeLimit
from .timers import Timers
from .watching import Watching

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sys
    from typing import Any

    from ..core.ring.writer import RingWriter
    from .guard import Guard
    from .record import Record

    if sys.platform == "win32":
        from .pty_windows import WindowsPty as Pty
    else:
        from .pty_posix import PosixPty as Pty

#: Seconds between two checks that the endpoint is still there: cleaners of temporary directories remove it.
_RENEW = 30.0
_FOREVER = float("inf")


class Host:
    """Hosts one command. It is created before the command is started, so that everything that can fail does so here
    (OSError; ValueError, TypeError or KeyError for an invalid spec).

    `run` returns when the end is recorded and sent. `notes` are stored for servers, which get them in every STATUS.
    """

    def __init__(
        self,
        *,
        spec: dict[str, Any],
        pty: Pty,
        ring: RingWriter,
        record: Record,
        socket_path: str,
        guard: Guard,
    ) -> None:
        self._id, self._attempt = spec["id"], spec["attempt"]
        self._steps, self._limit = spec["ladder"], TimeLimit(spec.get("timeout"))
        self._shutdown_grace = float(spec.get("shutdown_grace", _FOREVER))
        self._make_sequence("")
        self.notes: dict[str, Any] = {}
        self._guard = guard
        self._timers = Timers()
        self.job = Job(pty.foreground_group)
        self.terminal = Terminal(pty, ring, self.job, self._timers)
        self.watching = Watching(self.job, self.terminal, self._timers, self.send_status)
        self._ending = Ending(record, guard)
        self._flood = Flood(priority.lower_session)
        #: Whether the drain time after the end of the command is over, and whether the loop is to end.
        self._settled = self._over = False
        self._wakeups = events.Wakeups()
        # A signal handler may run between any two steps: it only sets a timer, and its wake-up makes the loop check it.
        events.on_renewal(lambda: self._timers.set(self._renew, 0.0))
        greeting = wire.hello(id=self._id, pid=os.getpid(), attempt=self._attempt, capabilities=CAPABILITIES)
        self._service = Service(self, socket_path, greeting, guard)

    def begin(self, pid: int, started: float) -> None:
        """Take over the command that runs as `pid` since `started` (Unix time). From now on, a shutdown stops it."""
        self.job.begin(pid, started)
        self.terminal.last_output = started
        events.on_shutdown(lambda: self._timers.set(self._stop_for_shutdown, 0.0))

    def close(self) -> None:
        """Stop listening. Raises OSError."""
        self._service.close()

    # -- the loop ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Host the command until its end is recorded."""
        now = time.monotonic()
        self._timers.set_default(self._renew, now + _RENEW)  # a renewal may already be due
        self._limit.begin(now, self._timers, self.job.warn, self._time_out)
        self._timers.set(self._reap, 0.0)
        self.watching.note_output(now)
        while not self._over:
            self._guard.attempt("in the loop", self._turn)
            if self._flood.is_on:
                self._guard.attempt("giving way", priority.work_aside, self._serve_flood)
        self._finish()

    def _serve_flood(self) -> None:
        while self._flood.is_on and not self._over:
            self._guard.attempt("in the loop", self._turn)

    def _is_over(self) -> bool:
        """Return whether the command has ended, its output is read, and a stop is complete or leftovers may stay."""
        job = self.job
        ended = job.ended is not None and job.stopping is None and not self.terminal.is_open
        return ended and (self._settled or job.is_alone())

    def _turn(self) -> None:
        attempt, terminal = self._guard.attempt, self.terminal.pty.fileno()
        for fd, event in self._interest().poll(self._timeout()):
            if fd == terminal:
                attempt("serving the terminal", self._serve_terminal, event)
            elif fd == self._wakeups.fileno():
                self._wakeups.drain()
                self._timers.set(self._reap, 0.0)
            else:
                self._service.ready(fd, event)
        now = time.monotonic()
        self._timers.run(now, self._guard)
        attempt("stopping the task", self.job.advance, now)
        attempt("serving the connections", self._service.work, now)
        self._over = self._is_over()

    def _interest(self) -> events.Poll:
        poll = events.Poll()
        poll.register(self._wakeups, events.READ)
        if self.terminal.is_open:
            poll.register(self.terminal.pty.fileno(), events.READ | (events.WRITE if self._service.has_input else 0))
        self._service.register(poll, time.monotonic())
        return poll

    def _timeout(self) -> float:
        """Return the milliseconds until the next timer."""
        now = time.monotonic()
        dues = [now + _RENEW, *self._timers.dues(), *self._service.dues(now, self.terminal.ring.end)]
        if self.job.due is not None:
            dues.append(self.job.due)
        # Rounded up: a wake-up slightly too early would only repeat itself.
        return max((min(dues) - now) * 1000 + 0.5, 0.0)

    def _serve_terminal(self, event: int) -> None:
        if event & events.WRITE:
            self._service.type()
        if event & ~events.WRITE:
            self._drain()

    def _drain(self) -> None:
        """Read output of the program, and note its arrival."""
        count = self.terminal.drain()
        if not count:
            return
        now = time.monotonic()
        self.watching.note_output(now)
        if self._service.is_watched and self._flood.note(count, now):
            self._timers.set(self._look_at_flood, now + PERIOD)
        self.terminal.pty.look()
        self.terminal.answer(is_alone=self._service.viewers.leader is None)

    def _look_at_flood(self) -> None:
        if self._flood.look():
            self._timers.set(self._look_at_flood, time.monotonic() + PERIOD)

    def _renew(self) -> None:
        self._timers.set(self._renew, time.monotonic() + _RENEW)
        self._service.renew()

    # -- status -----------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Return the content of a STATUS."""
        leader = self._service.viewers.leader
        return {
            "attempt": self._attempt,
            "pid": self.job.pid,
            "started": self.job.started,
            "paused": self.job.paused,
            "stopping": self.job.stopping,
            "viewers": self._service.viewers.count,
            "leader": leader.viewer_id if leader is not None else None,
            **self.terminal.output,
            "notes": self.notes,
            "waiting": self.watching.value,
        }

    def send_status(self) -> None:
        """Send a STATUS to all servers."""
        self._service.send_status()

    def resize(self, rows: int, cols: int) -> None:
        """Set the size of the terminal."""
        if self.terminal.resize(rows, cols):
            self.send_status()

    # -- end --------------------------------------------------------------------------------------------------------

    def _make_sequence(self, reason: str, most: float = _FOREVER) -> StopSequence:
        """Return the task's stop sequence; its grace periods are shortened to take at most `most` seconds in total."""
        value = {"ladder": self._steps, "reason": reason}
        return StopSequence.from_json(value, time.monotonic(), most)

    def _time_out(self) -> None:
        if self.job.ended is None and self.job.stopping is None:
            self.job.stop(self._make_sequence("timed_out"), time.monotonic())
            self.send_status()

    def _stop_for_shutdown(self) -> None:
        """Stop the task because this process received SIGTERM: from a shutdown, a batch system, or a user."""
        self._ending.was_told = True
        if self.job.ended is None:
            self.job.stop(self._make_sequence("host_terminated", self._shutdown_grace), time.monotonic())
            self.send_status()

    def _reap(self) -> None:
        had_ended = self.job.ended is not None
        if not self.job.reap():
            return
        if self.job.ended is None:
            self.send_status()  # it was stopped or continued
        elif not had_ended:
            # The terminal may have been opened and written to since it was last found closed.
            self.terminal.is_open = True
            self._timers.set(self._stop_draining, time.monotonic() + self.terminal.pty.drain)

    def _stop_draining(self) -> None:
        self._settled, self.terminal.is_open = True, False
        self._drain()

    def _finish(self) -> None:
        """Record the end, send it, and stop listening."""
        attempt = self._guard.attempt
        attempt("closing the ring", self.terminal.ring.close)
        about = {"version": 1, "id": self._id, "attempt": self._attempt, **self.terminal.output, "notes": self.notes}
        ended = self._ending.write(self.job, about)
        attempt("sending the end", self._service.send_end, ended)
        attempt("leaving", self.close)
