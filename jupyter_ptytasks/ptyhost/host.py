"""The loop of a ptyhost and its timers: it reads the terminal into the ring, serves its connections, stops the task,
and records its end.

One thread at a time, one poll, no waiting for a reader, and nothing that ends it but the end of the task: every step
runs under the guard.
"""

from __future__ import annotations

import os
import time

from ..core import kernel_log, signals, wire
from ..core.memory_events import MemoryEvents
from ..core.platform import events, foreground, priority, tree
from ..core.terminal.answers import answer
from .flood import PERIOD, Flood
from .job import Job
from .service import CAPABILITIES, Service
from .stop_sequence import StopSequence
from .waiting import AGAIN, SILENCE, Watch, shown_prompt

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sys
    from collections.abc import Callable
    from typing import Any

    from ..core.ring.writer import RingWriter
    from .flusher import Flusher
    from .guard import Guard
    from .record import Record

    if sys.platform == "win32":
        from .pty_windows import WindowsPty as Pty
    else:
        from .pty_posix import PosixPty as Pty

#: Seconds between two looks at a terminal that no process has open: it may be opened again (`exec >/dev/null; ...;
#: exec >/dev/tty`).
_REOPENED = 0.2
#: Bytes that are read in one turn: what is done once for them costs more than to read them. More would be taken for a
#: flood by what follows the modes, and be looked at twice.
_BATCH = 1 << 15
#: For a repaint the terminal gets another size, and the right one back when the program has drawn something, but not
#: before the first number (seconds); if it draws nothing, after the second. On a busy machine the program may run late,
#: and must then still see the other size.
_REPAINT = 0.05
_REPAINT_MAX = 1.0
#: Seconds between two checks that the endpoint is still there: cleaners of temporary directories remove it.
_RENEW = 30.0
#: Seconds until a timer whose action failed runs it again.
_RETRY = 1.0
_FOREVER = float("inf")
#: The exit code of a shell whose last command was killed by SIGKILL.
_KILLED_BELOW = 128 + 9


class Host:
    """Hosts one command. Created before the command is started, so that everything that can fail does so here (OSError;
    ValueError, TypeError or KeyError for an invalid spec).

    `run` returns when the end is recorded and sent. `notes` are kept for servers, which get them in every STATUS.
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
        self._steps, self._limit = spec["ladder"], _Limit(spec.get("timeout"))
        self._shutdown_grace = float(spec.get("shutdown_grace", _FOREVER))
        self._make_sequence("")
        #: Whether this process was told to end: then the end of the command may not be its own doing.
        self._was_told = False
        self.job = Job(pty.foreground_group)
        self.pty = pty
        self.notes: dict[str, Any] = {}
        self._ring = ring
        self._flusher: Flusher | None = None
        self._record = record
        self._guard = guard
        self._memory = MemoryEvents()
        self._last_output = 0.0
        self._flood = Flood(priority.lower_session)
        self._terminal_open = True
        self._watch = Watch(
            lambda: foreground.look(pty.foreground_group(), pty.device), pty.mode, lambda: shown_prompt(pty, ring)
        )
        #: Whether the time is over that the terminal and the other processes have after the end of the command.
        self._settled = self._over = False
        #: The end of the output at the last request to repaint, and until when to wait for more.
        self._repainting = (0, 0.0)
        self._timers: dict[Callable[[], None], float] = {}
        self._wakeups = events.Wakeups()
        # An action may be called between any two steps: it only sets a timer, and the wake-up makes the loop look.
        events.on_renewal(lambda: self._timers.update({self._renew: 0.0}))
        greeting = wire.hello(id=self._id, pid=os.getpid(), attempt=self._attempt, capabilities=CAPABILITIES)
        self._service = Service(self, socket_path, greeting, guard)

    def begin(self, pid: int, started: float) -> None:
        """Take over the command that runs as `pid` since `started` (Unix time): from now on a shutdown stops it."""
        self.job.begin(pid, started)
        self._last_output = started
        events.on_shutdown(lambda: self._timers.update({self._stop_for_shutdown: 0.0}))

    def flush(self, directory: str) -> None:
        """Have what is added to the ring, which is in `directory`, be seen on other machines."""
        from .flusher import Flusher  # noqa: PLC0415  for jobs on some file systems only

        self._flusher = Flusher(directory)

    def close(self) -> None:
        """Stop listening. Raises OSError."""
        self._service.close()

    # -- the loop ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Host the command until its end is recorded."""
        now = time.monotonic()
        self._timers.setdefault(self._renew, now + _RENEW)  # it may have been asked for already
        if self._limit.seconds is not None:
            self._timers[self._time_out] = now + self._limit.seconds
            if self._limit.signal is not None:
                self._timers[self._warn] = now + max(self._limit.seconds - self._limit.before, 0.0)
        self._timers[self._reap] = 0.0
        self._note_output(now)
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
        ended = job.ended is not None and job.stopping is None and not self._terminal_open
        return ended and (self._settled or job.is_alone())

    def _turn(self) -> None:
        attempt = self._guard.attempt
        for fd, event in self._interest().poll(self._timeout()):
            if fd == self.pty.fileno():
                attempt("serving the terminal", self._serve_terminal, event)
            elif fd == self._wakeups.fileno():
                self._wakeups.drain()
                self._timers[self._reap] = 0.0
            else:
                self._service.ready(fd, event)
        now = time.monotonic()
        for action in [action for action, due in list(self._timers.items()) if due <= now]:
            del self._timers[action]
            if not attempt("running a timer", action):
                self._timers.setdefault(action, now + _RETRY)
        attempt("stopping the task", self.job.advance, now)
        attempt("serving the connections", self._service.work, now)
        self._over = self._is_over()

    def _interest(self) -> events.Poll:
        poll = events.Poll()
        poll.register(self._wakeups, events.READ)
        if self._terminal_open:
            poll.register(self.pty.fileno(), events.READ | (events.WRITE if self._service.has_input else 0))
        self._service.register(poll, time.monotonic())
        return poll

    def _timeout(self) -> float:
        """Return the milliseconds until the next timer."""
        now = time.monotonic()
        dues = [now + _RENEW, *self._timers.values(), *self._service.dues(now, self._ring.end)]
        if self.job.due is not None:
            dues.append(self.job.due)
        # Rounded up: a wake-up slightly too early would only repeat itself.
        return max((min(dues) - now) * 1000 + 0.5, 0.0)

    # -- the terminal -----------------------------------------------------------------------------------------------

    def _serve_terminal(self, event: int) -> None:
        if event & events.WRITE:
            self._service.type()
        if event & ~events.WRITE:
            self._drain()

    def _drain(self) -> None:
        """Move the output of the program into the ring."""
        output = self.pty.read(_BATCH)
        if not output:
            if output is not None:
                self._hung_up()
            return
        self._last_output = time.time()
        self._ring.write(output)
        if self._flusher is not None:
            self._flusher.tell()
        now = time.monotonic()
        self._note_output(now)
        if self._service.is_watched and self._flood.note(len(output), now):
            self._timers[self._look_at_flood] = now + PERIOD
        self.pty.look()
        asked = self._ring.modes.take_asked()
        if asked and self._service.viewers.leader is None:
            self.pty.write(b"".join(map(answer, asked)))

    def _look_at_flood(self) -> None:
        if self._flood.look():
            self._timers[self._look_at_flood] = time.monotonic() + PERIOD

    def _hung_up(self) -> None:
        """Note that no process has the terminal open. A running command may open it again, so look now and then."""
        self._terminal_open = False
        if self.job.ended is None:
            self._timers[self._look_again] = time.monotonic() + _REOPENED

    def _look_again(self) -> None:
        if self.job.ended is None:
            self._terminal_open = True

    # -- whether the program waits for input --------------------------------------------------------------------------

    def _note_output(self, now: float) -> None:
        self._timers[self._look_for_waiting] = now + SILENCE
        if self._watch.note_output(now):
            self._service.send_status()

    def _look_for_waiting(self) -> None:
        now = time.monotonic()
        if self.job.ended is not None:
            return
        if self.job.paused or not self._terminal_open:
            changed, pause = self._watch.clear(), AGAIN
        else:
            changed, pause = self._watch.look(now, time.thread_time, time.time())
        self._timers[self._look_for_waiting] = now + pause
        if changed:
            self._service.send_status()

    def note_typed(self, data: bytes | bytearray) -> None:
        """Note that `data` was typed: the program may go on."""
        now = time.monotonic()
        self._timers[self._look_for_waiting] = now + SILENCE
        if self._watch.note_input(bytes(data), now):
            self._service.send_status()

    def is_waiting(self) -> bool:
        """Return whether the program is known to wait for input, and still does."""
        return self._waiting() is not None and self._watch.confirm()

    def _waiting(self) -> dict[str, Any] | None:
        job = self.job
        return None if job.ended is not None or job.paused or not self._terminal_open else self._watch.value

    # -- its size -----------------------------------------------------------------------------------------------------

    def resize(self, rows: int, cols: int) -> None:
        """Set the size of the terminal."""
        if (rows, cols) != (self._ring.rows, self._ring.cols):
            self.pty.resize(rows, cols)
            self._ring.resize(rows, cols)
            self._service.send_status()

    def repaint(self) -> None:
        """Make a full-screen program draw everything: the only reliable way is a change of the size."""
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

    # -- its status -------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Return the content of a STATUS."""
        leader = self._service.viewers.leader
        return {
            "attempt": self._attempt,
            "pid": self.job.pid,
            "started": self.job.started,
            "rows": self._ring.rows,
            "cols": self._ring.cols,
            "paused": self.job.paused,
            "stopping": self.job.stopping,
            "viewers": self._service.viewers.count,
            "leader": leader.viewer_id if leader is not None else None,
            "last_output": self._last_output,
            "output": self._output(),
            "notes": self.notes,
            "waiting": self._waiting(),
        }

    def _output(self) -> dict[str, int]:
        return {"start": self._ring.start, "end": self._ring.end, "lines": self._ring.lines, "lost": self._ring.lost}

    @property
    def position(self) -> tuple[int, int, int, int]:
        """The content of a HEAD: end, start, lines, lost."""
        return self._ring.end, self._ring.start, self._ring.lines, self._ring.lost

    def _renew(self) -> None:
        self._timers[self._renew] = time.monotonic() + _RENEW
        self._service.renew()

    # -- its end ----------------------------------------------------------------------------------------------------

    def _make_sequence(self, reason: str, most: float = _FOREVER) -> StopSequence:
        """Return the task's stop sequence, whose grace periods are made shorter to take `most` seconds together."""
        value = {"ladder": self._steps, "reason": reason}
        return StopSequence.from_json(value, time.monotonic(), most)

    def _stop(self, reason: str) -> None:
        self.job.stop(self._make_sequence(reason), time.monotonic())
        self._service.send_status()

    def _time_out(self) -> None:
        if self.job.ended is None and self.job.stopping is None:
            self._stop("timed_out")

    def _warn(self) -> None:
        assert self._limit.signal is not None
        self.job.warn(self._limit.signal)

    def _stop_for_shutdown(self) -> None:
        """Stop the task because this process was told to end: by a shutdown, a batch system, or by hand."""
        self._was_told = True
        if self.job.ended is None:
            self.job.stop(self._make_sequence("host_terminated", self._shutdown_grace), time.monotonic())
            self._service.send_status()

    def _reap(self) -> None:
        had_ended = self.job.ended is not None
        if not self.job.reap():
            return
        if self.job.ended is None:
            self._service.send_status()  # it was stopped or continued
        elif not had_ended:
            # It may have been opened and written to since it was last found closed.
            self._terminal_open = True
            self._timers[self._stop_draining] = time.monotonic() + self.pty.drain

    def _stop_draining(self) -> None:
        self._settled, self._terminal_open = True, False
        self._drain()

    def _finish(self) -> None:
        """Record the end, send it, and leave."""
        assert self.job.ended is not None
        attempt = self._guard.attempt
        attempt("closing the ring", self._ring.close)
        ended = {"version": 1, "id": self._id, "attempt": self._attempt, **self.job.ended}
        ended.update(rows=self._ring.rows, cols=self._ring.cols, last_output=self._last_output, output=self._output())
        if self._was_told:
            ended["was_told"] = True
        ended.update(notes=self.notes, leftover=None, memory=self._memory.since(), signaled=self.job.signaled)
        attempt("reading the kernel's log", self._ask_kernel, ended)
        attempt("looking for leftovers", lambda: ended.update(leftover=tree.leftover()))
        if not attempt("recording the end", self._record.write, ended):
            ended["unrecorded"] = "host.log says why"
        attempt("sending the end", self._service.send_end, ended)
        attempt("leaving", self.close)

    def _ask_kernel(self, ended: dict[str, Any]) -> None:
        """Note which process the kernel killed, where that may be why the command has ended and is not known yet."""
        was_killed = ended["signal"] == "SIGKILL" or ended["code"] == _KILLED_BELOW
        is_known = (
            ended["signaled"] == "SIGKILL" or ended["reason"] != "exited" or (ended["memory"] or {}).get("oom_kills")
        )
        if was_killed and not is_known:
            ended["kernel_kill"] = kernel_log.killed(self.job.pid, self.job.begun)


class _Limit:
    """A spec's time limit: `seconds`, and the number of a `signal` that is sent `before` seconds earlier; None if there
    is none. Raises ValueError, TypeError or KeyError if it is invalid.
    """

    def __init__(self, value: Any) -> None:
        self.seconds: float | None = None
        self.signal: int | None = None
        self.before = 0.0
        if value:
            self.seconds = float(value["seconds"])
            warning = value.get("warning")
            if warning:
                self.signal, self.before = signals.number_of(warning["signal"]), float(warning["before"])
            if not self.seconds + self.before < _FOREVER:
                raise ValueError("the time limit must be a number")
