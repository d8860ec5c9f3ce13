"""The loop of a ptyhost: it drains the terminal into the ring, serves its connections, stops the task, and notes its
end.

One thread, one poll, nothing that waits for a reader.
"""

from __future__ import annotations

import os
import select
import signal
import time

from ..core import wire
from ..core.terminal.answers import answer
from ..core.files import encode
from .connection import Connection, accept, flush_all
from .job import Job
from .ladder import signal_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable
    from typing import Any

    from ..core.ring.writer import RingWriter
    from .pty_posix import PosixPty
    from .record import ExitRecord

#: How long (seconds) the terminal is read on after the command has ended, when somebody else still has it open.
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
#: Bytes of input that are kept for a program that does not read, when those who typed them have gone.
_LEFTOVER_MAX = 1 << 20
#: How long the last words may take to reach a server that does not read.
_FAREWELL = 1.0


class Host:
    """Runs one started command to its end. `run` returns when all is written down and everybody was told."""

    def __init__(
        self,
        *,
        spec: dict[str, Any],
        pid: int,
        pty: PosixPty,
        ring: RingWriter,
        listen: Callable[[], socket],
        record: ExitRecord,
        socket_path: str,
    ) -> None:
        self._spec = spec
        self._job = Job(pid, pty.foreground_group)
        self._pty = pty
        self._ring = ring
        self._listen = listen
        self._record = record
        self._socket_path = socket_path
        self._listener = listen()
        self._connections: dict[int, Connection] = {}
        self._leftover = bytearray()
        self._notes: dict[str, Any] = {}
        self._leader: Connection | None = None
        self._typed = 0
        self._last_output = self._job.started
        self._terminal_open = True
        #: The end of the output when a repaint was asked for last, and when we stop to wait for more.
        self._repainting = (0, 0.0)
        self._timers: dict[Callable[[], None], float] = {self._rebind: time.monotonic() + _REBIND}
        self._wakeup, waker = os.pipe()
        for fd in (self._wakeup, waker):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # A handler may come between any two steps: it only says what is due, and the wake-up makes the loop look.
        signal.signal(signal.SIGTERM, lambda *_: self._timers.update({self._stop_for_shutdown: 0.0}))
        # As tmux and abduco do: whoever finds our name removed can ask for it back at once.
        signal.signal(signal.SIGUSR1, lambda *_: self._timers.update({self._rebind: 0.0}))
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        self._set_limits()

    def _set_limits(self) -> None:
        limit = self._spec.get("timeout")
        if not limit:
            return
        now = time.monotonic()
        self._timers[self._time_out] = now + limit["seconds"]
        warning = limit.get("warning")
        if warning:
            self._timers[self._warn] = now + max(limit["seconds"] - warning["before"], 0.0)

    # -- the loop ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until the task has ended and its end is recorded."""
        self._reap()
        while not self._is_over():
            self._turn()
        self._finish()

    def _is_over(self) -> bool:
        """The command has ended, its output is drained, and a stop has reached everybody."""
        return self._job.ended is not None and self._job.stopping is None and not self._terminal_open

    def _turn(self) -> None:
        for fd, event in self._interest().poll(self._timeout()):
            if fd == self._pty.fileno():
                self._serve_terminal(event)
            elif fd == self._wakeup:
                self._drain_wakeup()
                self._reap()
            elif fd == self._listener.fileno():
                self._accept()
            elif fd in self._connections:
                self._serve(self._connections[fd], event)
        now = time.monotonic()
        for action in [action for action, due in list(self._timers.items()) if due <= now]:
            del self._timers[action]
            action()
        self._job.climb(now)
        self._tell_heads(now)
        for connection in [one for one in self._connections.values() if one.closed]:
            self._forget(connection)

    def _interest(self) -> select.poll:
        poll = select.poll()
        poll.register(self._wakeup, select.POLLIN)
        poll.register(self._listener, select.POLLIN)
        if self._terminal_open:
            typing = self._leftover or any(connection.input for connection in self._connections.values())
            poll.register(self._pty.fileno(), select.POLLIN | (select.POLLOUT if typing else 0))
        for fd, connection in self._connections.items():
            poll.register(fd, select.POLLIN * connection.wants_read | select.POLLOUT * connection.wants_write)
        return poll

    def _timeout(self) -> float:
        """Give the milliseconds until something is due."""
        dues = list(self._timers.values())
        if self._job.due is not None:
            dues.append(self._job.due)
        for connection in self._connections.values():
            due = connection.head_due(self._ring.end)
            if due is not None:
                dues.append(due)
        # Rounded up: woken a little too early we would only turn in circles.
        return max((min(dues) - time.monotonic()) * 1000 + 0.5, 0.0)

    # -- the terminal -----------------------------------------------------------------------------------------------

    def _serve_terminal(self, event: int) -> None:
        if event & select.POLLOUT:
            self._type()
        if event & ~select.POLLOUT:
            self._drain()

    def _drain(self) -> None:
        """Move what the program wrote into the ring."""
        output = self._pty.read(_READ)
        if not output:
            if output is not None:
                self._hung_up()
            return
        self._ring.write(output)
        self._last_output = time.time()
        asked = self._ring.ledger.take_asked()
        if asked and self._find_leader() is None:
            self._pty.write(b"".join(map(answer, asked)))

    def _hung_up(self) -> None:
        """Nobody has the terminal open. A live command may open it again, so look from time to time."""
        self._terminal_open = False
        if self._job.ended is None:
            self._timers[self._look_again] = time.monotonic() + _REOPENED

    def _look_again(self) -> None:
        if self._job.ended is None:
            self._terminal_open = True

    def _type(self) -> None:
        """Give the program the input that waits, each connection its turn."""
        if self._leftover:
            del self._leftover[: self._pty.write(self._leftover)]
        for connection in self._connections.values():
            if connection.input:
                del connection.input[: self._pty.write(connection.input)]
            self._answer_in_turn(connection)

    def _resize(self, rows: int, cols: int) -> None:
        if (rows, cols) != (self._ring.rows, self._ring.cols):
            self._pty.resize(rows, cols)
            self._ring.resize(rows, cols)
            self._tell_status()

    def _repaint(self) -> None:
        """Make a full-screen program draw everything: it does so for a new size, and for nothing else that is sure."""
        rows, cols = self._ring.rows, self._ring.cols
        self._pty.resize(rows - 1 if rows > 1 else 2, cols)
        now = time.monotonic()
        self._repainting = (self._ring.end, now + _REPAINT_MAX)
        self._timers[self._repainted] = now + _REPAINT

    def _repainted(self) -> None:
        before, deadline = self._repainting
        now = time.monotonic()
        if self._ring.end == before and now < deadline:
            self._timers[self._repainted] = now + _REPAINT
        else:
            self._pty.resize(self._ring.rows, self._ring.cols)

    # -- connections ------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        sock = accept(self._listener)
        if sock is None:
            return
        greeting = wire.hello(
            id=self._spec["id"],
            pid=os.getpid(),
            attempt=self._spec["attempt"],
            capabilities=["reply", "repaint", "note"],
        )
        connection = Connection(sock, greeting + wire.json_frame(wire.STATUS, self._status()))
        self._connections[sock.fileno()] = connection

    def _serve(self, connection: Connection, event: int) -> None:
        if event & select.POLLOUT:
            connection.flush()
        if event & ~select.POLLOUT:
            joined = not connection.viewer
            for kind, payload in connection.receive():
                try:
                    self._obey(connection, kind, payload)
                except (wire.WireError, ValueError, KeyError, TypeError, wire.Malformed):
                    # What it asks for makes no sense; it may be of a newer version. The rest of its frames is still
                    # good.
                    continue
            if joined and connection.viewer:
                self._viewers_changed()

    def _obey(self, connection: Connection, kind: int, payload: bytes) -> None:
        if kind == wire.INPUT:
            if not connection.readonly:
                self._lead(connection)
                connection.input += payload
        elif kind == wire.REPLY:
            if connection is self._find_leader():
                connection.input += payload
        elif kind == wire.RESIZE:
            rows, cols = wire.SIZE.unpack(payload)
            connection.size = (max(rows, 1), max(cols, 1))
            if not connection.viewer or connection is self._find_leader():
                self._resize(*connection.size)
        elif kind == wire.WATCH:
            connection.watching = payload != b"\0"
        elif kind == wire.SIGNAL:
            about = wire.fields(payload)
            self._job.signal(signal_number(about["signal"]), about.get("target", "tree"))
            self._tell_status()
        elif kind == wire.STOP:
            self._job.stop(wire.fields(payload))
            self._tell_status()
        elif kind == wire.REPAINT:
            self._repaint()
        elif kind == wire.NOTE:
            self._note(wire.fields(payload))
        elif kind == wire.ASK_STATUS:
            connection.asked = True
            self._answer_in_turn(connection)

    def _note(self, more: dict[str, Any]) -> None:
        """Remember what a server wants to be told again, and found in the exit record; too much of it is ignored."""
        notes = {**self._notes, **more}
        if notes != self._notes and len(encode(notes)) <= wire.MAX_NOTES:
            self._notes = notes
            self._tell_status()

    def _answer_in_turn(self, connection: Connection) -> None:
        """Answer ASK_STATUS once the program has taken what the connection typed before it asked."""
        if connection.asked and not connection.input:
            connection.asked = False
            connection.send(wire.json_frame(wire.STATUS, self._status()))

    def _find_leader(self) -> Connection | None:
        """Give the viewer that typed last, or the oldest where none has typed; those that only read never lead."""
        able = [one for one in self._connections.values() if one.viewer and not one.readonly and not one.closed]
        return max(able, key=lambda one: one.typed, default=None)

    def _lead(self, connection: Connection) -> None:
        """It typed: from now on its size is the terminal's."""
        before = self._leader
        self._typed += 1
        connection.typed = self._typed
        if connection.viewer and connection is not before:
            self._viewers_changed()

    def _viewers_changed(self) -> None:
        self._leader = self._find_leader()
        if self._leader is not None and self._leader.size is not None:
            self._resize(*self._leader.size)
        self._tell_status()

    def _forget(self, connection: Connection) -> None:
        del self._connections[connection.socket.fileno()]
        connection.close()
        # What was typed before the line broke was typed.
        self._leftover += connection.input[: _LEFTOVER_MAX - len(self._leftover)]
        if connection.viewer:
            self._viewers_changed()

    def _status(self) -> dict[str, Any]:
        leader = self._leader
        return {
            "attempt": self._spec["attempt"],
            "pid": self._job.pid,
            "started": self._job.started,
            "rows": self._ring.rows,
            "cols": self._ring.cols,
            "paused": self._job.paused,
            "stopping": self._job.stopping,
            "viewers": sum(1 for one in self._connections.values() if one.viewer),
            "leader": leader.viewer_id if leader is not None else None,
            "last_output": self._last_output,
            "output": self._output(),
            "notes": self._notes,
        }

    def _output(self) -> dict[str, int]:
        return {"start": self._ring.start, "end": self._ring.end, "lines": self._ring.lines, "lost": self._ring.lost}

    def _tell_status(self) -> None:
        message = wire.json_frame(wire.STATUS, self._status())
        for connection in self._connections.values():
            if connection.is_link:
                connection.send(message)

    def _tell_heads(self, now: float) -> None:
        position = (self._ring.end, self._ring.start, self._ring.lines, self._ring.lost)
        for connection in self._connections.values():
            due = connection.head_due(self._ring.end)
            if due is not None and due <= now:
                connection.tell_head(position, now)

    def _rebind(self) -> None:
        """Take our name again if somebody removed it."""
        self._timers[self._rebind] = time.monotonic() + _REBIND
        if not os.path.exists(self._socket_path):
            try:
                listener = self._listen()
            except OSError:
                return
            self._listener.close()
            self._listener = listener

    # -- its end ----------------------------------------------------------------------------------------------------

    def _stop(self, reason: str) -> None:
        self._job.stop({"ladder": self._spec["ladder"], "reason": reason})
        self._tell_status()

    def _time_out(self) -> None:
        if self._job.ended is None and self._job.stopping is None:
            self._stop("timed_out")

    def _warn(self) -> None:
        self._job.warn(self._spec["timeout"]["warning"]["signal"])

    def _stop_for_shutdown(self) -> None:
        """SIGTERM to ourselves: the machine goes down, or somebody knows of no better way to stop the task."""
        if self._job.ended is None:
            self._stop("host_terminated")

    def _drain_wakeup(self) -> None:
        try:
            while os.read(self._wakeup, 512):
                pass
        except BlockingIOError:
            pass

    def _reap(self) -> None:
        if self._job.reap():
            # Found closed before, it may have been opened and written to since we looked.
            self._terminal_open = True
            self._timers[self._stop_draining] = time.monotonic() + _DRAIN

    def _stop_draining(self) -> None:
        self._drain()
        self._terminal_open = False

    def _finish(self) -> None:
        """Write the end down, then tell it, then go."""
        assert self._job.ended is not None
        self._ring.close()
        ended = {"version": 1, "id": self._spec["id"], "attempt": self._spec["attempt"], **self._job.ended}
        ended.update(rows=self._ring.rows, cols=self._ring.cols, last_output=self._last_output, output=self._output())
        ended["notes"] = self._notes
        try:
            self._record.write(ended)
        except OSError as error:
            ended["unrecorded"] = str(error)
        message = wire.json_frame(wire.EXIT, ended)
        position = (self._ring.end, self._ring.start, self._ring.lines, self._ring.lost)
        for connection in self._connections.values():
            connection.tell_head(position, time.monotonic())
            connection.send(message)
        flush_all(self._connections.values(), _FAREWELL)
        self._listener.close()
        try:
            os.unlink(self._socket_path)
        except OSError:
            pass
