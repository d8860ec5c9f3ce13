"""The near end of a relay: channels to another machine (`channels`), and calls, over the standard input and output of a
process such as ssh. Everything runs on the loop.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import tempfile
from functools import partial
from typing import IO, cast

from ..core import relay
from ..core.errors import HostUnreachable
from ..core.wire import WireError, fields
from . import copy
from .channels import Gateway, Tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any

    from ..core.paths import TaskFiles
    from .program import Program

_LOG = logging.getLogger(__name__)
#: Seconds in which the far end must answer: a login may take long.
_GREETING = 30.0
#: Seconds for the process to exit after the end of its stream.
_LEAVING = 5.0
#: The most bytes of the process's standard error that are read, and characters of it that are shown.
_SAID_MAX, _SHOWN_MAX = 4096, 300


class Relay(asyncio.Protocol):
    """A connected relay. `close` it. `lost` is set when its stream has ended."""

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
        #: When it was last used, by the loop's clock.
        self.used = 0.0
        self.lost = asyncio.Event()

    @classmethod
    async def start(
        cls, argv: Sequence[str], program: Program | None = None, env: Mapping[str, str] | None = None
    ) -> Relay:
        """Run `argv`, with the environment `env`, and return the relay. Its standard input and output must lead to a
        Python that runs program.LOADER or, without `program`, to the far end itself.

        Raises HostUnreachable, with the last line of the process's standard error.
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
        """Run `argv`, the far end of another relay, at the far end of `outer`, and return that relay. `keep` names the
        variables of the environment there that it gets. Raises HostUnreachable, with the last line of the process's
        standard error.
        """
        near = cls(None)
        stream = outer.stream(argv, keep, near)
        why = await near._greeted_or_why()
        if why:
            raise HostUnreachable(near._unfit or shown(stream.why) or why)
        return near

    async def _greeted_or_why(self) -> str:
        """Wait until the far end answers, and return an empty string; otherwise close it, and return the reason."""
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), _GREETING)
            return ""
        except asyncio.TimeoutError:
            return f"no response within {_GREETING:.0f} s"
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
        """Whether there are open channels or pending calls."""
        return bool(self._channels or self._calls)

    def touch(self) -> None:
        """Note that it is being used."""
        self.used = asyncio.get_running_loop().time()

    async def close_when_useless(self, keep: float) -> None:
        """Close the stream when it has been unused for `keep` seconds; return when it has ended."""
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
        """Close the stream, and with it all channels and calls."""
        if self._transport is not None:
            self._transport.abort()

    async def _reap(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> str:
        """Wait for the end of the process, and return the last line of its standard error."""
        await self.lost.wait()
        return await asyncio.to_thread(_end, process, said)

    def send(self, data: bytes) -> None:
        """Send frames, unless the stream has ended. The windows of the channels limit how much is buffered."""
        if data and self._transport is not None and self.is_up:
            self._transport.write(data)

    def forget(self, channel: int) -> None:
        """Ignore further frames of a channel."""
        self._channels.pop(channel, None)
        self.touch()

    # -- requests -----------------------------------------------------------------------------------------------------

    def connect(self, task_id: str, protocol: Callable[[], asyncio.BaseProtocol], tail: Tail | None) -> None:
        """Open a connection to the ptyhost of a task. With `tail`, its messages are delivered after the output that was
        written before them. If there is no ptyhost, the protocol's `connection_lost` is called. Raises HostUnreachable.
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
        """Run a program there, and return a connection to its standard input and output. `keep` names the variables of
        the environment there that it gets. Raises HostUnreachable.
        """
        channel = self._open()
        gateway = self._channels[channel] = Gateway(self, channel, protocol, None)
        self.send(relay.frame(relay.STREAM, channel, json.dumps({"argv": [*argv], "keep": [*keep]}).encode()))
        protocol.connection_made(gateway)
        return gateway

    async def tail(self, task_id: str, attempt: int, files: TaskFiles, *, follow: bool) -> Tail:
        """Start copying the files of a task. Without `follow`, end when all have arrived. Raises HostUnreachable."""
        known = await asyncio.to_thread(copy.have, files)
        return self._tail(task_id, attempt, partial(copy.write, files), have=known, follow=follow)

    def mirror(self, task_id: str, attempt: int, put: Callable[[list[bytes]], int]) -> Tail:
        """Start following the output of a task, from the segment that is being written; `put` writes the pieces
        (copy.write, in a thread). Raises HostUnreachable.
        """
        return self._tail(task_id, attempt, put, have=None, follow=True, newest=True)

    def _tail(self, task_id: str, attempt: int, put: Callable[[list[bytes]], int], **how: Any) -> Tail:
        channel = self._open()
        tail = self._channels[channel] = Tail(self, channel, attempt, put)
        said = {"id": task_id, "attempt": attempt, **how}
        self.send(relay.frame(relay.TAIL, channel, json.dumps(said).encode()))
        return tail

    async def call(self, name: str, **said: Any) -> dict[str, Any]:
        """Return the answer to a call. If this is canceled, a program started by the call `run` is ended. Raises
        HostUnreachable if the stream ends before the answer arrives.
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
        """Send the installer, which checks for the program there."""
        self._transport = cast("asyncio.Transport", transport)
        if self._program is not None:
            self._transport.write(self._program.installer)

    def data_received(self, data: bytes) -> None:
        """Pass on frames. On invalid data, the stream is closed; its tasks keep running, and a new one is started."""
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
        """Handle a banner, and return the bytes after it."""
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
            self._ready.exception()  # mark it as retrieved: nothing may be waiting for it

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
    """Run a process on a stream, detached from the server's terminal; return it, and the file of its standard error."""
    said = tempfile.TemporaryFile()  # noqa: SIM115  closed with its last reader
    ends = stream.fileno()
    process = subprocess.Popen(argv, stdin=ends, stdout=ends, stderr=said, start_new_session=True, env=env)
    return process, said


def _end(process: subprocess.Popen[bytes], said: IO[bytes]) -> str:
    """Wait for a process whose stream has ended; return the last line of its standard error, printable."""
    with said:
        try:
            process.wait(_LEAVING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        said.seek(max(os.fstat(said.fileno()).st_size - _SAID_MAX, 0))
        return shown(said.read().decode("utf-8", "replace"))


def shown(said: str) -> str:
    """Return the last line of a process's standard error, printable."""
    found = next((line for line in map(str.strip, reversed(said.split("\n"))) if line), "")
    return "".join(char for char in found if char.isprintable())[:_SHOWN_MAX]
