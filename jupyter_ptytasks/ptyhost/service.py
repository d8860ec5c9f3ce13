"""Serves the connections of a ptyhost: lets them in, does what they ask for, and tells them what there is to know.

Whatever goes wrong with one of them costs that one, and nobody else.
"""

from __future__ import annotations

import os
import select
import time

from ..core import wire
from . import orders
from .connection import Connection, flush_all
from .endpoint_posix import accept, listen, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from typing import Any

    from .guard import Guard
    from .host import Host

CAPABILITIES = ["reply", "repaint", "note", "refuse"]

#: Bytes of input that are kept for a program that does not read, when those who typed them have gone.
_LEFTOVER_MAX = 1 << 20
#: Seconds for which the frames of one connection are dealt with, before it is the turn of all others.
_SLICE = 0.02
#: Descriptors that are not for connections: those of the terminal and the files, and for what is opened now and then.
_DESCRIPTORS = 24
#: Seconds without new connections, when there was no descriptor or no memory for one.
_DEAF = 1.0
#: How long the last words may take to reach a server that does not read.
_FAREWELL = 1.0


class Service:
    """The listening socket at `path`, and all who are connected to it. Raises OSError where it cannot be bound.

    `typing` are the connections whose input the program has not taken yet. The caller closes it.
    """

    def __init__(self, host: Host, path: str, greeting: bytes, guard: Guard) -> None:
        self._host = host
        self._path = path
        self._greeting = greeting
        self._guard = guard
        self._listener: socket = listen(path)
        self._connections: dict[int, Connection] = {}
        self._room = max(os.sysconf("SC_OPEN_MAX") - _DESCRIPTORS, 1)
        self._deaf_until = 0.0
        self._leftover = bytearray()
        self._leader: Connection | None = None
        self._typed = 0

    def close(self) -> None:
        """Let go of the socket and remove its name. Raises OSError."""
        self._listener.close()
        remove(self._path)

    # -- the loop's side ----------------------------------------------------------------------------------------------

    def register(self, poll: select.poll, now: float) -> None:
        """Register what is waited for."""
        if len(self._connections) < self._room and now >= self._deaf_until:
            poll.register(self._listener, select.POLLIN)
        for fd, connection in self._connections.items():
            if not connection.ended:
                poll.register(fd, select.POLLIN * connection.wants_read | select.POLLOUT * connection.wants_write)

    def dues(self, now: float, end: int) -> list[float]:
        """Return when (monotonic seconds) there is something to do by itself, with the ring's end at `end`."""
        if any(connection.has_frames or connection.ended for connection in self._connections.values()):
            return [now]
        heads = [connection.head_due(end) for connection in self._connections.values()]
        return [due for due in heads if due is not None] + ([self._deaf_until] if self._deaf_until > now else [])

    def ready(self, fd: int, event: int) -> None:
        """Deal with an event of poll(2)."""
        connection = self._connections.get(fd)
        if connection is not None:
            self._protect(connection, self._receive, event)
        elif fd == self._listener.fileno():
            self._guard.attempt("taking a connection", self._accept)

    def work(self, now: float) -> None:
        """Do what connections have asked for, tell them what is due, and forget those that are gone."""
        for connection in list(self._connections.values()):
            if connection.has_frames:
                self._protect(connection, self._obey_all)
        position = self._host.position
        for connection in list(self._connections.values()):
            if connection.is_behind:
                self._protect(connection, self._catch_up)
            due = connection.head_due(position[0])
            if due is not None and due <= now:
                self._protect(connection, Connection.tell_head, position, now)
        for fd, connection in list(self._connections.items()):
            if connection.closed or (connection.ended and not connection.has_frames):
                # At once out of the way: whatever fails then, it does not come again.
                del self._connections[fd]
                self._guard.attempt("closing a connection", self._forget, connection)

    def _protect(self, connection: Connection, step: Any, *args: Any) -> None:
        """Take a step for a connection; where that fails, unexpectedly, it is closed."""
        if not self._guard.attempt("serving a connection", step, connection, *args):
            connection.closed = True

    def _accept(self) -> None:
        try:
            sock = accept(self._listener)
        except OSError:
            self._deaf_until = time.monotonic() + _DEAF
            raise
        if sock is None:
            return
        try:
            status = wire.json_frame(wire.STATUS, self._host.status())
            self._connections[sock.fileno()] = Connection(sock, self._greeting + status)
        except BaseException:
            sock.close()
            raise

    def _receive(self, connection: Connection, event: int) -> None:
        if event & select.POLLOUT:
            connection.flush()
        if event & ~select.POLLOUT:
            was_viewer = connection.viewer
            connection.receive()
            if connection.viewer and not was_viewer:
                self._viewers_changed()

    def _catch_up(self, connection: Connection) -> None:
        connection.tell_status(wire.json_frame(wire.STATUS, self._host.status()))

    def _forget(self, connection: Connection) -> None:
        connection.close()
        self._deaf_until = 0.0
        # What was typed before the line broke was typed.
        self._leftover += connection.input[: _LEFTOVER_MAX - len(self._leftover)]
        if connection.viewer:
            self._viewers_changed()

    def rebind(self) -> None:
        """Take our name again if somebody removed it. Raises OSError."""
        if not os.path.exists(self._path):
            listener = listen(self._path)
            self._listener.close()
            self._listener = listener

    # -- what they ask for --------------------------------------------------------------------------------------------

    def _obey_all(self, connection: Connection) -> None:
        until = time.monotonic() + _SLICE
        while (frame := connection.take()) is not None:
            try:
                self._obey(connection, *frame)
            except wire.WireError:
                pass  # what it asks for makes no sense; it may be of a newer version, and its other frames still good
            if time.monotonic() > until:
                return

    def _obey(self, connection: Connection, kind: int, payload: bytes) -> None:
        """Do what a frame asks for. Raises WireError where that makes no sense."""
        host = self._host
        if kind == wire.INPUT:
            if not connection.readonly:
                self._take_input(connection, payload)
        elif kind == wire.REPLY:
            if connection is self.leader:
                connection.input += payload
        elif kind == wire.RESIZE:
            connection.size = orders.read_size(payload)
            if not connection.viewer or connection is self.leader:
                host.resize(*connection.size)
        elif kind == wire.WATCH:
            connection.watching = payload != b"\0"
        elif kind == wire.SIGNAL:
            host.job.signal(*orders.read_signal(payload))
            self.tell_status()
        elif kind == wire.STOP:
            now = time.monotonic()
            host.job.stop(orders.read_stop(payload, now), now)
            self.tell_status()
        elif kind == wire.REPAINT:
            host.repaint()
        elif kind == wire.NOTE:
            notes = orders.read_notes(payload, host.notes)
            if notes != host.notes:
                host.notes = notes
                self.tell_status()
        elif kind == wire.ASK_STATUS:
            connection.asked = True
            self._answer(connection)

    def _take_input(self, connection: Connection, payload: bytes) -> None:
        self._lead(connection)
        terminal = self._host.pty
        if not connection.refusing and terminal.takes(payload):
            connection.input += payload
            return
        # A frame of the greatest length is a part of something longer; the rest of that is no good without it.
        connection.refusing = len(payload) == wire.MAX_PAYLOAD
        about = {"reason": "line_too_long", "bytes": len(payload), "limit": terminal.line_max}
        connection.send(wire.json_frame(wire.REFUSED, about))

    def _answer(self, connection: Connection) -> None:
        """Answer ASK_STATUS once the program has taken what the connection typed before it asked."""
        if connection.asked and not connection.input:
            connection.asked = False
            connection.send(wire.json_frame(wire.STATUS, self._host.status()))

    # -- who types ----------------------------------------------------------------------------------------------------

    @property
    def has_input(self) -> bool:
        """Whether somebody has typed what the program has not taken yet."""
        return bool(self._leftover) or any(connection.input for connection in self._connections.values())

    def type(self) -> None:
        """Give the program the input that waits, each connection its turn."""
        terminal = self._host.pty
        if self._leftover:
            del self._leftover[: terminal.write(self._leftover)]
        for connection in list(self._connections.values()):
            if connection.input:
                del connection.input[: terminal.write(connection.input)]
            self._protect(connection, self._answer)

    @property
    def leader(self) -> Connection | None:
        """The viewer that typed last, or the oldest where none has typed; those that only read never lead."""
        able = [one for one in self._connections.values() if one.viewer and not (one.readonly or one.closed)]
        return max(able, key=lambda one: one.typed, default=None)

    @property
    def viewers(self) -> int:
        """How many look at the task."""
        return sum(1 for one in self._connections.values() if one.viewer)

    def _lead(self, connection: Connection) -> None:
        """It typed: from now on its size is the terminal's."""
        self._typed += 1
        connection.typed = self._typed
        if connection.viewer and connection is not self._leader:
            self._viewers_changed()

    def _viewers_changed(self) -> None:
        self._leader = self.leader
        if self._leader is not None and self._leader.size is not None:
            self._host.resize(*self._leader.size)
        self.tell_status()

    # -- what they are told -------------------------------------------------------------------------------------------

    def tell_status(self) -> None:
        """Tell all links how things stand."""
        message = wire.json_frame(wire.STATUS, self._host.status())
        for connection in list(self._connections.values()):
            if connection.is_link:
                self._protect(connection, Connection.tell_status, message)

    def tell_end(self, record: dict[str, Any]) -> None:
        """Tell everybody the last HEAD and the exit record, and wait a little until it is taken."""
        last_words = wire.json_frame(wire.EXIT, record)
        now = time.monotonic()
        for connection in self._connections.values():
            self._protect(connection, Connection.tell_head, self._host.position, now)
            self._protect(connection, Connection.send, last_words)
        flush_all(self._connections.values(), _FAREWELL)
