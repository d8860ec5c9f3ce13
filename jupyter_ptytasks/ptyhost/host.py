"""The loop of a ptyhost: it drains the terminal into the ring, serves its connections, stops the task, and notes its
end.

One thread, one poll, nothing that waits for a reader, and nothing that ends it but the end of the task: every step is
taken under the guard.
"""

from __future__ import annotations

import os
import select
import signal
import time

from ..core import wire
from ..core.terminal.answers import answer
from . import tree
from .job import Job
from .ladder import Ladder, signal_number
from .service import CAPABILITIES, Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..core.ring.writer import RingWriter
    from .guard import Guard
    from .pty_posix import PosixPty
    from .record import Record

#: How long (seconds) after the command has ended the terminal is read on, when somebody else still has it open, and
#: how long the command's other processes have to end.
_DRAIN = 0.25
#: How often we look whether a terminal that nobody had open has been opened again (`exec >/dev/null; ...; exec
#: >/dev/tty`).
_REOPENED = 0.2
#: Bytes read at one go; a read of a terminal gives some 4 KiB at most. One read a turn: while that is dealt with the
#: kernel makes the next ready, so that the program need not wait for us.
_READ = 1 << 13
#: A program that is to repaint gets the right size back when it has drawn something since the change, and not before
#: the first number (seconds); one that draws nothing, after the second. On a busy machine it may be a while until it
#: runs, and what it then sees must be the other size.
_REPAINT = 0.05
_REPAINT_MAX = 1.0
#: How often we look whether our socket's name is still there: cleaners of temporary directories take it away.
_REBIND = 30.0
#: Seconds until what was due, and failed, is tried again.
_RETRY = 1.0
_FOREVER = float("inf")


class Host:
    """Supervisor one command. Made before the command is started: whatever can fail, fails here (OSError; ValueError,
    TypeError or KeyError for a spec that makes no sense).

    `run` returns when all is written down and everybody was told. `notes` are what servers wish to be told again.
    """

    def __init__(
        self,
        *,
        spec: dict[str, Any],
        pty: PosixPty,
        ring: RingWriter,
        record: Record,
        socket_path: str,
        guard: Guard,
    ) -> None:
        self._id, self._attempt = spec["id"], spec["attempt"]
        self._ladder, self._limit = spec["ladder"], _Limit(spec.get("timeout"))
        self._make_ladder("")
        self.job = Job(pty.foreground_group)
        self.pty = pty
        self.notes: dict[str, Any] = {}
        self._ring = ring
        self._record = record
        self._guard = guard
        self._last_output = 0.0
        self._terminal_open = True
        #: Whether the time is over that the terminal and the processes of a command have when it has ended.
        self._settled = self._over = False
        #: The end of the output when a repaint was asked for last, and when we stop to wait for more.
        self._repainting = (0, 0.0)
        self._timers: dict[Callable[[], None], float] = {}
        self._wakeup, waker = os.pipe()
        for fd in (self._wakeup, waker):
            os.set_blocking(fd, False)
        self._handle_signals(waker)
        greeting = wire.hello(id=self._id, pid=os.getpid(), attempt=self._attempt, capabilities=CAPABILITIES)
        self._service = Service(self, socket_path, greeting, guard)

    def _handle_signals(self, waker: int) -> None:
        """A handler may come between any two steps: it only says what is due, and the wake-up makes the loop look."""
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # As tmux and abduco do: whoever finds our name removed can ask for it back at once.
        signal.signal(signal.SIGUSR1, lambda *_: self._timers.update({self._rebind: 0.0}))
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)

    def begin(self, pid: int, started: float) -> None:
        """Take over the command that runs as `pid` since `started` (Unix time): from now on SIGTERM stops it."""
        self.job.begin(pid, started)
        self._last_output = started
        signal.signal(signal.SIGTERM, lambda *_: self._timers.update({self._stop_for_shutdown: 0.0}))

    def close(self) -> None:
        """Give up what a command was waited for with. Raises OSError."""
        self._service.close()

    # -- the loop ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Host the command until its end is recorded."""
        now = time.monotonic()
        self._timers.setdefault(self._rebind, now + _REBIND)  # a signal may have asked for it already
        if self._limit.seconds is not None:
            self._timers[self._time_out] = now + self._limit.seconds
            if self._limit.signal is not None:
                self._timers[self._warn] = now + max(self._limit.seconds - self._limit.before, 0.0)
        self._timers[self._reap] = 0.0
        while not self._over:
            self._guard.attempt("in the loop", self._turn)
        self._finish()

    def _is_over(self) -> bool:
        """The command has ended, its output is drained, a stop has reached everybody, and who is left stays."""
        job = self.job
        ended = job.ended is not None and job.stopping is None and not self._terminal_open
        return ended and (self._settled or job.is_alone())

    def _turn(self) -> None:
        attempt = self._guard.attempt
        for fd, event in self._interest().poll(self._timeout()):
            if fd == self.pty.fileno():
                attempt("serving the terminal", self._serve_terminal, event)
            elif fd == self._wakeup:
                self._drain_wakeup()
                self._timers[self._reap] = 0.0
            else:
                self._service.ready(fd, event)
        now = time.monotonic()
        for action in [action for action, due in list(self._timers.items()) if due <= now]:
            del self._timers[action]
            if not attempt("doing what was due", action):
                self._timers.setdefault(action, now + _RETRY)
        attempt("stopping the task", self.job.climb, now)
        attempt("serving the connections", self._service.work, now)
        self._over = self._is_over()

    def _interest(self) -> select.poll:
        poll = select.poll()
        poll.register(self._wakeup, select.POLLIN)
        if self._terminal_open:
            poll.register(self.pty.fileno(), select.POLLIN | (select.POLLOUT if self._service.has_input else 0))
        self._service.register(poll, time.monotonic())
        return poll

    def _timeout(self) -> float:
        """Return the milliseconds until something is due."""
        now = time.monotonic()
        dues = [now + _REBIND, *self._timers.values(), *self._service.dues(now, self._ring.end)]
        if self.job.due is not None:
            dues.append(self.job.due)
        # Rounded up: woken a little too early we would only turn in circles.
        return max((min(dues) - now) * 1000 + 0.5, 0.0)

    # -- the terminal -----------------------------------------------------------------------------------------------

    def _serve_terminal(self, event: int) -> None:
        if event & select.POLLOUT:
            self._service.type()
        if event & ~select.POLLOUT:
            self._drain()

    def _drain(self) -> None:
        """Move what the program wrote into the ring."""
        output = self.pty.read(_READ)
        if not output:
            if output is not None:
                self._hung_up()
            return
        self._last_output = time.time()
        self._ring.write(output)
        self.pty.look()
        asked = self._ring.modes.take_asked()
        if asked and self._service.leader is None:
            self.pty.write(b"".join(map(answer, asked)))

    def _hung_up(self) -> None:
        """Nobody has the terminal open. A live command may open it again, so look from time to time."""
        self._terminal_open = False
        if self.job.ended is None:
            self._timers[self._look_again] = time.monotonic() + _REOPENED

    def _look_again(self) -> None:
        if self.job.ended is None:
            self._terminal_open = True

    def resize(self, rows: int, cols: int) -> None:
        """Give the terminal a size."""
        if (rows, cols) != (self._ring.rows, self._ring.cols):
            self.pty.resize(rows, cols)
            self._ring.resize(rows, cols)
            self._service.tell_status()

    def repaint(self) -> None:
        """Make a full-screen program draw everything: it does so for a new size, and for nothing else that is sure."""
        rows, cols = self._ring.rows, self._ring.cols
        self.pty.resize(rows - 1 if rows > 1 else 2, cols)
        now = time.monotonic()
        self._repainting = (self._ring.end, now + _REPAINT_MAX)
        self._timers[self._repainted] = now + _REPAINT

    def _repainted(self) -> None:
        before, deadline = self._repainting
        now = time.monotonic()
        if self._ring.end == before and now < deadline:
            self._timers[self._repainted] = now + _REPAINT
        else:
            self.pty.resize(self._ring.rows, self._ring.cols)

    # -- what is told of it -----------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Return what a STATUS says."""
        leader = self._service.leader
        return {
            "attempt": self._attempt,
            "pid": self.job.pid,
            "started": self.job.started,
            "rows": self._ring.rows,
            "cols": self._ring.cols,
            "paused": self.job.paused,
            "stopping": self.job.stopping,
            "viewers": self._service.viewers,
            "leader": leader.viewer_id if leader is not None else None,
            "last_output": self._last_output,
            "output": self._output(),
            "notes": self.notes,
        }

    def _output(self) -> dict[str, int]:
        return {"start": self._ring.start, "end": self._ring.end, "lines": self._ring.lines, "lost": self._ring.lost}

    @property
    def position(self) -> tuple[int, int, int, int]:
        """What a HEAD says: end, start, lines, lost."""
        return self._ring.end, self._ring.start, self._ring.lines, self._ring.lost

    def _rebind(self) -> None:
        self._timers[self._rebind] = time.monotonic() + _REBIND
        self._service.rebind()

    # -- its end ----------------------------------------------------------------------------------------------------

    def _make_ladder(self, reason: str) -> Ladder:
        return Ladder.from_json({"ladder": self._ladder, "reason": reason}, time.monotonic())

    def _stop(self, reason: str) -> None:
        self.job.stop(self._make_ladder(reason), time.monotonic())
        self._service.tell_status()

    def _time_out(self) -> None:
        if self.job.ended is None and self.job.stopping is None:
            self._stop("timed_out")

    def _warn(self) -> None:
        assert self._limit.signal is not None
        self.job.warn(self._limit.signal)

    def _stop_for_shutdown(self) -> None:
        """SIGTERM to ourselves: the machine goes down, or somebody knows of no better way to stop the task."""
        if self.job.ended is None:
            self._stop("host_terminated")

    def _drain_wakeup(self) -> None:
        try:
            while os.read(self._wakeup, 512):
                pass
        except BlockingIOError:
            pass

    def _reap(self) -> None:
        had_ended = self.job.ended is not None
        if not self.job.reap():
            return
        if self.job.ended is None:
            self._service.tell_status()  # it was stopped, or goes on
        elif not had_ended:
            # Found closed before, it may have been opened and written to since we looked.
            self._terminal_open = True
            self._timers[self._stop_draining] = time.monotonic() + _DRAIN

    def _stop_draining(self) -> None:
        self._settled, self._terminal_open = True, False
        self._drain()

    def _finish(self) -> None:
        """Write the end down, then tell it, then go."""
        assert self.job.ended is not None
        attempt = self._guard.attempt
        attempt("closing the ring", self._ring.close)
        ended = {"version": 1, "id": self._id, "attempt": self._attempt, **self.job.ended}
        ended.update(rows=self._ring.rows, cols=self._ring.cols, last_output=self._last_output, output=self._output())
        ended.update(notes=self.notes, leftover=None)
        attempt("looking for what is left", lambda: ended.update(leftover=tree.leftover()))
        if not attempt("recording the end", self._record.write, ended):
            ended["unrecorded"] = "host.log says why"
        attempt("telling the end", self._service.tell_end, ended)
        attempt("leaving", self.close)


class _Limit:
    """A spec's time limit: `seconds`, and a `signal` (its number) so many seconds `before`; None where there is none.
    Raises ValueError, TypeError or KeyError for what is none.
    """

    def __init__(self, value: Any) -> None:
        self.seconds: float | None = None
        self.signal: int | None = None
        self.before = 0.0
        if value:
            self.seconds = float(value["seconds"])
            warning = value.get("warning")
            if warning:
                self.signal, self.before = signal_number(warning["signal"]), float(warning["before"])
            if not self.seconds + self.before < _FOREVER:
                raise ValueError("a time limit that is no number")
