"""Serves the connections of a ptyhost: accepts them, handles their requests, and sends them updates.

An error only affects the connection where it occurs.
"""

from __future__ import annotations

import time

from ..core import wire
from ..core.platform import endpoint, events
from . import orders
from .connection import Connection, flush_all
from .viewers import Viewers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .guard import Guard
    from .host import Host

CAPABILITIES = ["reply", "repaint", "note", "refuse", "waiting"]

#: The most bytes of input from closed connections that are kept for a program that does not read.
_LEFTOVER_MAX = 1 << 20
#: Seconds for which the frames of one connection are handled before the others get their turn.
_SLICE = 0.02
#: Descriptors that are not for connections: those of the terminal and the files, and a few for temporary use.
_DESCRIPTORS = 24
#: Seconds without new connections after there was no descriptor or no memory for one.
_DEAF = 1.0
#: The most connections that have not yet proven that they may connect. The oldest is closed for a new one.
_UNPROVEN_MAX = 32
#: Seconds that the last frames may take to reach a server that does not read.
_FAREWELL = 1.0


class Service:
    """The endpoint at `path`, and all connections to it. The caller closes it. Raises OSError if it cannot be bound."""

    def __init__(self, host: Host, path: str, greeting: bytes, guard: Guard) -> None:
        self._host = host
        self._greeting = greeting
        self._guard = guard
        self._endpoint = endpoint.listen(path)
        self._connections: dict[int, Connection] = {}
        self._room = max(events.descriptors_max() - _DESCRIPTORS, 1)
        self._deaf_until = 0.0
        self._leftover = bytearray()
        self.viewers = Viewers(host.resize, self.send_status)

    def close(self) -> None:
        """Stop listening. Raises OSError."""
        self._endpoint.close()

    # -- the loop's side ----------------------------------------------------------------------------------------------

    def register(self, poll: events.Poll, now: float) -> None:
        """Register the descriptors to wait for."""
        if len(self._connections) < self._room and now >= self._deaf_until:
            poll.register(self._endpoint, events.READ)
        for fd, connection in self._connections.items():
            if not connection.ended:
                poll.register(fd, events.READ * connection.wants_read | events.WRITE * connection.wants_write)

    def dues(self, now: float, end: int) -> list[float]:
        """Return when (monotonic seconds) there is something to do without an event; `end` is the end of the ring."""
        if any(connection.has_frames or connection.ended for connection in self._connections.values()):
            return [now]
        found = [connection.head_due(end) for connection in self._connections.values()]
        found += [connection.prove_by for connection in self._connections.values()]
        return [due for due in found if due is not None] + ([self._deaf_until] if self._deaf_until > now else [])

    def ready(self, fd: int, event: int) -> None:
        """Handle an event of the poll."""
        connection = self._connections.get(fd)
        if connection is not None:
            self._protect(connection, self._receive, event)
        elif fd == self._endpoint.fileno():
            self._guard.attempt("accepting a connection", self._accept)

    def work(self, now: float) -> None:
        """Handle requests of connections, send due updates, and drop closed ones."""
        for connection in list(self._connections.values()):
            if connection.has_frames:
                self._protect(connection, self._obey_all)
        position = self._host.terminal.position
        for connection in list(self._connections.values()):
            if connection.is_behind:
                self._protect(connection, self._catch_up)
            due = connection.head_due(position[0])
            if due is not None and due <= now:
                self._protect(connection, Connection.send_head, position, now)
            if connection.prove_by is not None and connection.prove_by <= now:
                connection.closed = True
        for fd, connection in list(self._connections.items()):
            if connection.closed or (connection.ended and not connection.has_frames):
                # Drop it first, so that an error in what follows does not repeat.
                del self._connections[fd]
                self._guard.attempt("closing a connection", self._forget, connection)

    def _protect(self, connection: Connection, step: Any, *args: Any) -> None:
        """Run a step for a connection; if it fails unexpectedly, close the connection."""
        if not self._guard.attempt("serving a connection", step, connection, *args):
            connection.closed = True

    def _accept(self) -> None:
        try:
            sock = self._endpoint.accept()
        except OSError:
            self._deaf_until = time.monotonic() + _DEAF
            raise
        if sock is None:
            return
        try:
            self._connections[sock.fileno()] = Connection(sock, self._greet, self._endpoint.proof())
        except BaseException:
            sock.close()
            raise
        unproven = [connection for connection in self._connections.values() if connection.prove_by is not None]
        for connection in unproven[:-_UNPROVEN_MAX]:
            connection.closed = True

    def _greet(self) -> bytes:
        """Return the greeting for a connection."""
        return self._greeting + wire.json_frame(wire.STATUS, self._host.status())

    def _receive(self, connection: Connection, event: int) -> None:
        if event & events.WRITE:
            connection.flush()
        if event & ~events.WRITE:
            connection.receive()
            self.viewers.attach(connection)

    def _catch_up(self, connection: Connection) -> None:
        connection.send_status(wire.json_frame(wire.STATUS, self._host.status()))

    def _forget(self, connection: Connection) -> None:
        connection.close()
        self._deaf_until = 0.0
        # What was typed before the connection closed still goes to the program.
        self._leftover += connection.input[: _LEFTOVER_MAX - len(self._leftover)]
        self.viewers.detach(connection)

    def renew(self) -> None:
        """Listen again if the endpoint was removed. Raises OSError."""
        self._endpoint.renew()

    # -- requests -----------------------------------------------------------------------------------------------------

    def _obey_all(self, connection: Connection) -> None:
        until = time.monotonic() + _SLICE
        while (frame := connection.take()) is not None:
            try:
                self._obey(connection, *frame)
            except wire.WireError:
                pass  # an invalid frame; the other side may be of a newer version, and its other frames valid
            if time.monotonic() > until:
                return

    def _obey(self, connection: Connection, kind: int, payload: bytes) -> None:
        """Handle a frame. Raises WireError if it is invalid."""
        host = self._host
        if kind == wire.INPUT:
            if self.viewers.type(connection):
                self._take_input(connection, payload)
        elif kind == wire.ANSWER:
            self._take_answer(connection, payload)
        elif kind == wire.REPLY:
            if self.viewers.may_answer(connection):
                connection.input += payload
        elif kind == wire.RESIZE:
            self.viewers.resize(connection, *orders.read_size(payload))
        elif kind == wire.WATCH:
            connection.watching = payload != b"\0"
        elif kind == wire.SIGNAL:
            host.job.signal(*orders.read_signal(payload))
            self.send_status()
        elif kind == wire.STOP:
            now = time.monotonic()
            host.job.stop(orders.read_stop(payload, now), now)
            self.send_status()
        elif kind == wire.REPAINT:
            host.terminal.repaint()
        elif kind == wire.NOTE:
            notes = orders.read_notes(payload, host.notes)
            if notes != host.notes:
                host.notes = notes
                self.send_status()
        elif kind == wire.ASK_STATUS:
            connection.asked = True
            self._answer(connection)

    def _take_input(self, connection: Connection, payload: bytes) -> None:
        terminal = self._host.terminal.pty
        if not connection.refusing and terminal.takes(payload):
            connection.input += payload
            return
        # A frame of the maximum length is part of a longer input, whose rest is useless without it.
        connection.refusing = len(payload) == wire.MAX_PAYLOAD
        about = {"reason": "line_too_long", "bytes": len(payload), "limit": terminal.line_max}
        connection.send(wire.json_frame(wire.REFUSED, about))

    def _take_answer(self, connection: Connection, payload: bytes) -> None:
        if self.has_input or not self._host.watching.is_waiting():
            about = {"reason": "not_waiting", "bytes": len(payload)}
            connection.send(wire.json_frame(wire.REFUSED, about))
        elif self.viewers.type(connection):
            self._take_input(connection, payload)

    def _answer(self, connection: Connection) -> None:
        """Answer ASK_STATUS once the program has read the earlier input of the connection."""
        if connection.asked and not connection.input:
            connection.asked = False
            connection.send(wire.json_frame(wire.STATUS, self._host.status()))

    @property
    def is_watched(self) -> bool:
        """Whether a server has a viewer."""
        return any(connection.watching for connection in self._connections.values())

    # -- input --------------------------------------------------------------------------------------------------------

    @property
    def has_input(self) -> bool:
        """Whether there is input that the program has not read yet."""
        return bool(self._leftover) or any(connection.input for connection in self._connections.values())

    def type(self) -> None:
        """Write the input of each connection, in turn, to the terminal."""
        self._write(self._leftover)
        for connection in list(self._connections.values()):
            self._write(connection.input)
            self._protect(connection, self._answer)

    def _write(self, data: bytearray) -> None:
        """Write as much of `data` to the terminal as it accepts, and remove that from `data`."""
        if data:
            count = self._host.terminal.pty.write(data)
            typed = data[:count]
            del data[:count]
            self._host.watching.note_typed(typed)

    # -- updates ------------------------------------------------------------------------------------------------------

    def send_status(self) -> None:
        """Send a STATUS to all links."""
        message = wire.json_frame(wire.STATUS, self._host.status())
        for connection in list(self._connections.values()):
            if connection.is_link:
                self._protect(connection, Connection.send_status, message)

    def send_end(self, record: dict[str, Any]) -> None:
        """Send the last HEAD and the exit record to every connection, and wait briefly until they are sent."""
        last_frames = wire.json_frame(wire.EXIT, record)
        now = time.monotonic()
        for connection in self._connections.values():
            self._protect(connection, Connection.send_head, self._host.terminal.position, now)
            self._protect(connection, Connection.send, last_frames)
        flush_all(self._connections.values(), _FAREWELL)
