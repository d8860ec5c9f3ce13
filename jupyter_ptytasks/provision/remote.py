"""The near end of a relay: connections to ptyhosts of another machine, copies of their rings, and calls, over the
standard input and output of a process such as ssh.

A connection is an asyncio transport: who speaks to a ptyhost does not know that it is elsewhere. All on the loop.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import tempfile
from typing import IO, cast

from ..core import relay
from ..core.errors import HostUnreachable
from ..core.wire import WireError, fields
from .copy import Copy, have

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any

    from ..core.paths import TaskFiles
    from .program import Program

_LOG = logging.getLogger(__name__)
#: Seconds until the far end must have answered: a login may take long.
_GREETING = 30.0
#: Seconds for the process to end after its stream.
_LEAVING = 5.0
#: Bytes of what the process says that are read, and characters of it that are shown.
_SAID_MAX, _SHOWN_MAX = 4096, 300


class Gateway(asyncio.Transport):
    """A connection to a ptyhost elsewhere, as a transport: `protocol` is told everything that it says."""

    def __init__(self, near: Relay, channel: int, protocol: asyncio.BaseProtocol, tail: Tail | None) -> None:
        super().__init__()
        self._near = near
        self._channel = channel
        self._protocol = cast("asyncio.Protocol", protocol)
        self._tail = tail
        self._window = relay.Window(relay.CONNECTION_WINDOW)
        self._consumed = relay.Consumed(relay.CONNECTION_WINDOW)
        self._buffer = bytearray()
        self._is_closing = self._is_paused = self._is_over = False
        #: What was said at the end.
        self.why = ""

    # -- asyncio.Transport --------------------------------------------------------------------------------------------

    def is_closing(self) -> bool:
        """Return whether nothing more can be sent."""
        return self._is_closing

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait to be sent."""
        return len(self._buffer)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, as soon as there is room in the window."""
        if self._is_closing:
            return
        self._buffer += data
        self._flush()
        if self._buffer and not self._is_paused:
            self._is_paused = True
            self._protocol.pause_writing()

    def close(self) -> None:
        """Close, after what was written before."""
        if not self._is_closing:
            self._is_closing = True
            self._flush()

    def abort(self) -> None:
        """Close at once."""
        self._is_closing = True
        self._buffer.clear()
        self._flush()

    def _flush(self) -> None:
        while self._buffer and self._window.room > 0:
            part = bytes(self._buffer[: min(relay.BLOCK, self._window.room)])
            del self._buffer[: len(part)]
            self._window.spend(len(part))
            self._near.send(relay.frame(relay.BYTES, self._channel, part))
        if self._is_closing and not self._buffer and not self._is_over:
            self._near.send(relay.frame(relay.CLOSE, self._channel))
            self.end()

    # -- what comes ---------------------------------------------------------------------------------------------------

    def take(self, kind: int, payload: bytes) -> None:
        """Take a frame of this channel."""
        if kind == relay.CREDIT:
            self._window.credit(payload)
            self._flush()
            if self._is_paused and not self._buffer:
                self._is_paused = False
                self._protocol.resume_writing()
        elif kind in (relay.BYTES, relay.CLOSE):
            # Behind the output that was there when it was said.
            if self._tail is None:
                self._pass_on(kind, payload)
            else:
                self._tail.copy.after(lambda: self._pass_on(kind, payload))

    def _pass_on(self, kind: int, payload: bytes) -> None:
        if self._is_over:
            return
        if kind == relay.CLOSE:
            self.why = payload.decode("utf-8", "replace")
            self.end()
        elif not self._is_closing:
            self._near.send(self._consumed.add(self._channel, len(payload)))
            self._protocol.data_received(payload)

    def end(self) -> None:
        """Let the protocol know, once, that the connection has ended."""
        if not self._is_over:
            self._is_over = self._is_closing = True
            self._near.forget(self._channel)
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)
            if self._tail is not None:
                self._tail.release()


class Tail:
    """The growth of a task's ring, which goes to a `copy`; `ended` is done when no more comes: empty, or why.

    It is closed with the last of the connections that wait for it.
    """

    def __init__(self, near: Relay, channel: int, files: TaskFiles, attempt: int) -> None:
        self.channel = channel
        self.attempt = attempt
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.copy = Copy(files, self._acknowledge)
        self._near = near
        self._consumed = relay.Consumed(relay.TAIL_WINDOW)
        self._users = 0

    def hold(self) -> None:
        """Keep it open until as many calls of `release`."""
        self._users += 1

    def release(self) -> None:
        """Close it if nothing else holds it."""
        self._users -= 1
        if self._users == 0:
            self.close()

    def _acknowledge(self, count: int) -> None:
        self._near.send(self._consumed.add(self.channel, count))

    def take(self, kind: int, payload: bytes) -> None:
        """Take a frame of this channel."""
        if kind == relay.PART:
            relay.piece(payload)  # what is wrong is found here, not in the thread
            self.copy.take(payload)
        elif kind == relay.CLOSE:
            self.copy.after(lambda: self.end(payload.decode("utf-8", "replace")))

    def end(self, why: str = "") -> None:
        """Take no more."""
        if not self.ended.done():
            self._near.forget(self.channel)
            self.ended.set_result(why)

    def poke(self) -> None:
        """Have it looked there whether the ring has grown: a ptyhost on another machine than the relay says nothing."""
        self._near.send(relay.frame(relay.CREDIT, self.channel, relay.COUNT.pack(0)))

    def close(self) -> None:
        """Close it, and write no more."""
        if not self.ended.done():
            self._near.send(relay.frame(relay.CLOSE, self.channel))
        self.copy.close()
        self.end("closed")


class Relay(asyncio.Protocol):
    """A relay that answers. `close` it. `lost` is set when it has ended."""

    def __init__(self, program: Program | None) -> None:
        self._program = program
        self._greeting: relay.Greeting | None = relay.Greeting()
        self._decoder = relay.Decoder()
        self._transport: asyncio.Transport | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._channels: dict[int, Gateway | Tail] = {}
        self._calls: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._next = 1
        self._unfit = ""
        self._reaper: asyncio.Future[str] | None = None
        #: When it was last of use, by the loop's clock.
        self.used = 0.0
        self.lost = asyncio.Event()

    @classmethod
    async def start(
        cls, argv: Sequence[str], program: Program | None = None, env: Mapping[str, str] | None = None
    ) -> Relay:
        """Run `argv`, whose standard input and output lead to a Python that runs program.LOADER, or to the far end
        itself if there is no `program` to be sent, and return the relay. `env` is the environment of `argv`.

        Raises HostUnreachable, with what the process has said.
        """
        near = cls(program)
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            try:
                process, said = await asyncio.to_thread(_run, argv, theirs, env)
            except OSError as error:
                raise HostUnreachable(f"{argv[0]} cannot be started: {error}") from error
            await asyncio.get_running_loop().create_unix_connection(lambda: near, sock=ours)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reaper = near._reaper = asyncio.ensure_future(near._reap(process, said))
        why = await near._greeted_or_why()
        if why:
            last = await reaper
            raise HostUnreachable(near._unfit or last or why)
        return near

    @classmethod
    async def over(cls, outer: Relay, argv: Sequence[str], keep: Collection[str]) -> Relay:
        """Run `argv`, which is the far end of another relay, at the far end of `outer`, with these variables of the
        environment there, and return that relay. Raises HostUnreachable, with what the process has said.
        """
        near = cls(None)
        stream = outer.stream(argv, keep, near)
        why = await near._greeted_or_why()
        if why:
            raise HostUnreachable(near._unfit or shown(stream.why) or why)
        return near

    async def _greeted_or_why(self) -> str:
        """Wait until the far end answers, and return an empty string; why it does not, and is closed, otherwise."""
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), _GREETING)
            return ""
        except asyncio.TimeoutError:
            return f"no answer within {_GREETING:.0f} s"
        except WireError as error:
            return str(error)
        finally:
            if not self._greeted:
                self.close()

    @property
    def _greeted(self) -> bool:
        return self._greeting is None

    async def ended(self) -> None:
        """Wait until the process has ended."""
        if self._reaper is not None:
            await self._reaper

    @property
    def is_up(self) -> bool:
        """Whether the stream is open."""
        return self._transport is not None and not self._transport.is_closing() and not self.lost.is_set()

    @property
    def is_needed(self) -> bool:
        """Whether anything goes over it."""
        return bool(self._channels or self._calls)

    def touch(self) -> None:
        """Note that it is of use."""
        self.used = asyncio.get_running_loop().time()

    async def close_when_useless(self, keep: float) -> None:
        """Close the stream when it has been of no use for `keep` seconds; return when it has ended."""
        self.touch()
        while not self.lost.is_set():
            left = self.used + keep - asyncio.get_running_loop().time()
            if self.is_needed:
                left = keep
            elif left <= 0:
                self.close()
            try:
                await asyncio.wait_for(self.lost.wait(), max(left, 0.01))
            except asyncio.TimeoutError:
                pass

    def close(self) -> None:
        """Close the stream, and with it everything."""
        if self._transport is not None:
            self._transport.abort()

    async def _reap(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> str:
        """Wait for the end of the process, and return the last that it has said."""
        await self.lost.wait()
        return await asyncio.to_thread(_end, process, said)

    def send(self, data: bytes) -> None:
        """Send frames; nothing if the stream has ended. What is under way is bounded by the channels' windows."""
        if data and self._transport is not None and self.is_up:
            self._transport.write(data)

    def forget(self, channel: int) -> None:
        """Take no more frames of a channel."""
        self._channels.pop(channel, None)
        self.touch()

    # -- what can be had ----------------------------------------------------------------------------------------------

    def connect(self, task_id: str, protocol: Callable[[], asyncio.BaseProtocol], tail: Tail | None) -> None:
        """Open a connection to the ptyhost of a task; what it says comes after what it has written before. If there is
        none, the protocol is told that it is lost. Raises HostUnreachable.
        """
        channel = self._open()
        one = protocol()
        gateway = self._channels[channel] = Gateway(self, channel, one, tail)
        if tail is not None:
            tail.hold()
        said = {"id": task_id, "tail": tail.channel if tail is not None else 0}
        self.send(relay.frame(relay.CONNECT, channel, json.dumps(said).encode()))
        one.connection_made(gateway)

    def stream(self, argv: Sequence[str], keep: Collection[str], protocol: asyncio.BaseProtocol) -> Gateway:
        """Run a program there with these variables of the environment, and return the connection that its standard
        input and output are. Raises HostUnreachable.
        """
        channel = self._open()
        gateway = self._channels[channel] = Gateway(self, channel, protocol, None)
        self.send(relay.frame(relay.STREAM, channel, json.dumps({"argv": [*argv], "keep": [*keep]}).encode()))
        protocol.connection_made(gateway)
        return gateway

    async def tail(self, task_id: str, attempt: int, files: TaskFiles, *, follow: bool) -> Tail:
        """Begin to copy the files of a task; unless `follow`, it ends when all is there. Raises HostUnreachable."""
        known = await asyncio.to_thread(have, files)
        channel = self._open()
        tail = self._channels[channel] = Tail(self, channel, files, attempt)
        said = {"id": task_id, "attempt": attempt, "have": known, "follow": follow}
        self.send(relay.frame(relay.TAIL, channel, json.dumps(said).encode()))
        return tail

    async def call(self, name: str, **said: Any) -> dict[str, Any]:
        """Return the answer to a call. A program that is `run` is ended if nobody waits for it any more. Raises
        HostUnreachable if the stream ends before the answer comes.
        """
        channel = self._open()
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._calls[channel] = answer
        self.send(relay.frame(relay.CALL, channel, json.dumps({"call": name, **said}).encode()))
        try:
            return await answer
        except asyncio.CancelledError:
            if name == "run":
                self.send(relay.frame(relay.CLOSE, channel))
            raise
        finally:
            self._calls.pop(channel, None)
            self.touch()

    def _open(self) -> int:
        if not self.is_up:
            raise HostUnreachable("the connection has ended")
        self.touch()
        self._next += 1
        return self._next - 1

    # -- asyncio.Protocol ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what looks for the program there."""
        self._transport = cast("asyncio.Transport", transport)
        if self._program is not None:
            self._transport.write(self._program.installer)

    def data_received(self, data: bytes) -> None:
        """Pass on frames. A stream that makes no sense is closed: its tasks run on, and another one is started."""
        try:
            while self._greeting is not None and data:
                found = self._greeting.feed(data)
                if found is None:
                    return
                data = self._greet(*found)
            for kind, channel, payload in self._decoder.feed(data):
                self._take(kind, channel, payload)
        except WireError as error:
            _LOG.warning("a relay sent invalid data: %s", error)
            self._fail(error)
            self.close()

    def _greet(self, word: bytes, said: str, rest: bytes) -> bytes:
        """Answer a banner, and return the bytes behind it."""
        if word == relay.WANT and self._transport is not None and self._program is not None:
            self._transport.write(self._program.data)
        elif word == relay.READY:
            self._greeting = None
            if not self._ready.done():
                self._ready.set_result(None)
        else:
            self._unfit = said
            raise WireError("it cannot run there")
        return rest

    def _take(self, kind: int, channel: int, payload: bytes) -> None:
        answer = self._calls.get(channel)
        if answer is not None:
            if not answer.done() and kind == relay.RESULT:
                answer.set_result(fields(payload))
            return
        target = self._channels.get(channel)
        if target is not None:
            target.take(kind, payload)

    def _fail(self, error: Exception) -> None:
        if not self._ready.done():
            self._ready.set_exception(error)
            self._ready.exception()  # nothing may be waiting for it any more

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """End everything that went over it."""
        self.lost.set()
        self._fail(WireError("the connection was closed"))
        for target in list(self._channels.values()):
            if isinstance(target, Tail):
                target.copy.close()
                target.end("the connection was lost")
            else:
                target.end()
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(HostUnreachable("the connection was lost"))


def _run(
    argv: Sequence[str], stream: socket.socket, env: Mapping[str, str] | None
) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """Run a process on a stream, out of reach of the server's terminal; return it, and the file with its errors."""
    said = tempfile.TemporaryFile()  # noqa: SIM115  closed with its last reader
    ends = stream.fileno()
    process = subprocess.Popen(argv, stdin=ends, stdout=ends, stderr=said, start_new_session=True, env=env)
    return process, said


def _end(process: subprocess.Popen[bytes], said: IO[bytes]) -> str:
    """Wait for a process whose stream has ended; return the last line of what it has said, as it can be shown."""
    with said:
        try:
            process.wait(_LEAVING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        said.seek(max(os.fstat(said.fileno()).st_size - _SAID_MAX, 0))
        return shown(said.read().decode("utf-8", "replace"))


def shown(said: str) -> str:
    """Return the last line of what a process has said, as it can be shown."""
    found = next((line for line in map(str.strip, reversed(said.split("\n"))) if line), "")
    return "".join(char for char in found if char.isprintable())[:_SHOWN_MAX]
