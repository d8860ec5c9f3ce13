"""The loop of the far end: connects the stream to the near end with the ptyhosts of this machine and their rings.

One thread, one poll. An invalid frame only closes its channel; the end of the stream ends this process, but no task.
Messages of a ptyhost are held until everything that was in the ring when they were read has been sent, so the end of a
task never arrives before its output.
"""

from __future__ import annotations

import json
import os

from ..core import relay, wire
from ..core.elsewhere import runtime_dir
from ..core.platform import endpoint, events, files
from . import commands, programs
from .calls import Calls, Refused, data_dir
from .jobs import Jobs
from .tail import Tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from typing import IO, Any

    from .commands import Answering

#: Bytes buffered for the stream above which only responses are added.
_FULL = 256 << 10
#: The most bytes that are read from the stream at a time.
_READ = 256 << 10
#: The timeout of the poll in milliseconds: the only thing that is due by itself is noting that the program is in use.
_LONG = 3_600_000
#: Exceptions that an invalid frame or a failed request may raise.
_FAULTS = (OSError, ValueError, KeyError, TypeError, RecursionError, wire.WireError)


def main(data: str = "") -> None:
    """Serve the stream on the standard input and output until it ends. `data` is the data directory of tasks, if it is
    not the default one.
    """
    for fd in (0, 1):
        files.unblock(fd)
    Agent(0, 1, Calls(data or data_dir(), runtime_dir())).run()


class _Connection:
    """A connection to a ptyhost, or to a program, whose standard error is `said`. `held` is data that waits until its
    `tail` has sent the ring up to `barrier`.
    """

    __slots__ = ("barrier", "consumed", "held", "is_closing", "is_over", "out", "said", "socket", "tail", "window")

    def __init__(self, connection: socket, tail: int = 0, said: IO[bytes] | None = None) -> None:
        self.socket = connection
        self.tail = tail
        self.said = said
        self.window = relay.Window(relay.CONNECTION_WINDOW)
        self.consumed = relay.Consumed(relay.CONNECTION_WINDOW)
        self.out = bytearray()
        self.held = b""
        #: Whether the ptyhost or program has closed it, and whether the near end has.
        self.is_over = self.is_closing = False
        self.barrier = (-1, 0, 0)


class Agent:
    """Serves the near end, which writes to `inlet` and reads from `outlet` (both nonblocking)."""

    def __init__(self, inlet: int, outlet: int, calls: Calls) -> None:
        self._inlet = inlet
        self._outlet = outlet
        self._calls = calls
        self._jobs = Jobs(calls)
        self._use = programs.Use()
        self._decoder = relay.Decoder()
        self._out = bytearray(relay.BANNER + relay.READY + b"\n")
        self._connections: dict[int, _Connection] = {}
        self._tails: dict[int, tuple[Tail, bool]] = {}
        #: The channels that may have something to send.
        self._grown: set[int] = set()
        #: The processes that answer calls, by channel: ptyhosts that have not reported yet, and programs.
        self._answering: dict[int, Answering] = {}

    def run(self) -> None:
        """Serve until the stream ends."""
        try:
            while self._turn():
                self._use.note()
        except (BrokenPipeError, ConnectionError, wire.WireError):
            pass  # the near end has gone

    def _turn(self) -> bool:
        """Do all pending work; return False at the end of the stream."""
        has_more = len(self._out) < _FULL and self._pump()
        self._write()
        is_full = len(self._out) >= _FULL
        poll = events.Poll()
        poll.register(self._inlet, events.READ)
        if self._out:
            poll.register(self._outlet, events.WRITE)
        channels = {}
        for channel, one in self._connections.items():
            deaf = is_full or one.held or one.is_over or one.is_closing or one.window.room <= 0
            wants = 0 if deaf else events.READ
            wants |= events.WRITE if one.out else 0
            if wants:
                poll.register(one.socket.fileno(), wants)
                channels[one.socket.fileno()] = channel
        for channel, answering in self._answering.items():
            poll.register(answering.fileno(), events.READ)
            channels[answering.fileno()] = channel
        for fd, event in poll.poll(0 if has_more and not is_full else _LONG):
            if fd == self._inlet:
                if not self._read():
                    return False
            elif fd in channels:
                self._serve(channels[fd], event)
        return True

    # -- the stream ---------------------------------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        self._out += data

    def _write(self) -> None:
        """Write once per turn: many small writes would each be a packet."""
        if self._out:
            try:
                count = os.write(self._outlet, self._out)
            except BlockingIOError:
                return
            del self._out[:count]

    def _read(self) -> bool:
        try:
            data = os.read(self._inlet, _READ)
        except BlockingIOError:
            return True
        for kind, channel, payload in self._decoder.feed(data):
            try:
                self._obey(kind, channel, payload)
            except _FAULTS as error:
                self._close(channel, str(error) or type(error).__name__)
        return bool(data)

    def _obey(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == relay.BYTES:
            if channel in self._connections:
                one = self._connections[channel]
                if len(one.out) + len(payload) > relay.CONNECTION_WINDOW:
                    raise wire.WireError("more than the window")
                if payload and not one.is_closing:
                    one.out += payload
                    self._type(channel, one)
        elif kind == relay.CREDIT:
            window = self._window(channel)
            if window is not None:
                window.credit(payload)
                self._grown.update({channel} & self._tails.keys())
        elif kind == relay.CLOSE:
            if channel in self._answering:
                self._answering.pop(channel).end()
            elif channel in self._connections and self._connections[channel].out:
                self._connections[channel].is_closing = True  # after sending pending data
            else:
                self._forget(channel)
        elif kind in (relay.CONNECT, relay.TAIL, relay.STREAM):
            if channel in self._connections or channel in self._tails:
                raise wire.WireError("the channel is in use")
            self._open(kind, channel, wire.fields(payload))
        elif kind == relay.CALL:
            self._call(channel, payload)

    def _open(self, kind: int, channel: int, said: dict[str, Any]) -> None:
        if kind == relay.STREAM:
            connection, errors = commands.stream(list(said["argv"]), list(said["keep"]))
            self._connections[channel] = _Connection(connection, said=errors)
            return
        task = self._calls.files(str(said["id"]))
        if kind == relay.CONNECT:
            connection = endpoint.call(self._calls.socket_path(str(said["id"])))
            self._connections[channel] = _Connection(connection, int(said["tail"]))
        else:
            newest = said.get("newest") is True
            tail = Tail(channel, task.dir, int(said["attempt"]), said.get("have"), self._send, newest=newest)
            self._tails[channel] = (tail, said.get("follow") is True)
            self._grown.add(channel)

    def _window(self, channel: int) -> relay.Window | None:
        if channel in self._connections:
            return self._connections[channel].window
        return self._tails[channel][0].window if channel in self._tails else None

    def _close(self, channel: int, why: str = "") -> None:
        """End a channel, and say so."""
        self._forget(channel)
        self._send(relay.frame(relay.CLOSE, channel, why.encode("utf-8", "replace")))

    def _forget(self, channel: int) -> None:
        one = self._connections.pop(channel, None)
        if one is not None:
            one.socket.close()
            if one.said is not None:
                one.said.close()
        self._grown.discard(channel)
        tail, _ = self._tails.pop(channel, (None, False))
        if tail is not None:
            tail.close()

    # -- calls --------------------------------------------------------------------------------------------------------

    def _call(self, channel: int, payload: bytes) -> None:
        try:
            name, said = relay.call_of(payload)
            if name == "start":
                self._answering[channel] = self._calls.start(said)
                return
            if name == "tidy":
                if programs.others_unused():
                    self._answering[channel] = programs.remove_unused(self._calls.tasks)
                else:
                    self._answer(channel, {"removed": []})
                return
            if name == "run":
                self._answering[channel] = commands.run(list(said["argv"]), str(said["text"]), list(said["keep"]))
                return
            answer = (self._calls if name in ("look", "remove") else self._jobs).answer(name, said)
        except Refused as error:
            answer = error.report
        except _FAULTS as error:
            number = error.errno if isinstance(error, OSError) else None
            answer = {"error": {"message": f"{type(error).__name__}: {error}", "errno": number}}
        self._answer(channel, answer)

    def _answer(self, channel: int, answer: dict[str, Any]) -> None:
        self._send(relay.frame(relay.RESULT, channel, json.dumps(answer).encode()))

    # -- connections and rings ----------------------------------------------------------------------------------------

    def _serve(self, channel: int, event: int) -> None:
        if channel in self._answering:
            answer = self._answering[channel].take()
            if answer is not None:
                del self._answering[channel]
                self._answer(channel, answer)
            return
        one = self._connections.get(channel)
        if one is None:
            return
        if event & events.WRITE:
            self._type(channel, one)
        if event & ~events.WRITE and not one.held:
            self._hear(one)

    def _type(self, channel: int, one: _Connection) -> None:
        try:
            count = one.socket.send(one.out)
        except BlockingIOError:
            return
        except OSError:
            # The other side has closed it; what it sent before must still be read.
            count = len(one.out)
        del one.out[:count]
        self._send(one.consumed.add(channel, count))
        if one.is_closing and not one.out:
            self._forget(channel)

    def _hear(self, one: _Connection) -> None:
        try:
            one.held = one.socket.recv(min(relay.BLOCK, one.window.room))
        except BlockingIOError:
            return
        except OSError:
            one.held = b""
        one.is_over = not one.held
        # A ptyhost writes output before it reports it, and its exit record before it exits.
        tail, _ = self._tails.get(one.tail, (None, False))
        if tail is not None:
            one.barrier = tail.end()
            self._grown.add(one.tail)

    def _pump(self) -> bool:
        """Send new output, and the messages that waited for it; return whether there is more."""
        has_more = False
        for channel in sorted(self._grown):
            tail, follows = self._tails[channel]
            try:
                if tail.pump(relay.BLOCK):
                    has_more = True
                    continue
                self._grown.discard(channel)
                if not follows and tail.has_sent(tail.end()):
                    tail.send_record()
                    self._close(channel)
            except OSError as error:
                self._close(channel, str(error))
        for channel, one in list(self._connections.items()):
            if (one.held or one.is_over) and not one.is_closing:
                self._pass_on(channel, one)
        return has_more

    def _pass_on(self, channel: int, one: _Connection) -> None:
        tail, _ = self._tails.get(one.tail, (None, False))
        if tail is not None:
            if not tail.has_sent(one.barrier):
                return
            tail.send_record()
        if one.is_over:
            self._close(channel, commands.last_words(one.said) if one.said is not None else "")
            return
        one.window.spend(len(one.held))
        self._send(relay.frame(relay.BYTES, channel, one.held))
        one.held = b""
