"""The server's end of one ptyhost's socket."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from typing import TYPE_CHECKING, Any

from ...core import wire
from ...core.errors import HostUnreachable
from ...core.model import Output
from ...core.paths import SocketAddress

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

#: Seconds until a ptyhost must have answered: its loop never waits for anything, so that it is gone or stopped
#: otherwise.
_PATIENCE = 5.0


class Channel(asyncio.Protocol):
    """A connection to a ptyhost: greets, cuts what comes into frames, and sends.

    `on_frame` gets every frame, `on_lost` is called once at the end. `hello` is what the ptyhost says of itself.
    """

    def __init__(
        self, on_frame: Callable[[int, bytes], None], on_lost: Callable[[], None], about: dict[str, Any]
    ) -> None:
        self._decoder = wire.Decoder()
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._about = about
        self._transport: asyncio.Transport | None = None
        self._room = asyncio.Event()
        self._room.set()
        self.greeted: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(
        cls, path: str, on_frame: Callable[[int, bytes], None], on_lost: Callable[[], None], **about: Any
    ) -> Channel:
        """Connect to the ptyhost at `path` and exchange hellos. Raises HostUnreachable, whatever is wrong: with the
        path, the socket, or what answers there. The caller closes it.
        """
        loop = asyncio.get_running_loop()
        channel = cls(on_frame, on_lost, about)
        try:
            with SocketAddress(path) as address:
                await asyncio.wait_for(loop.create_unix_connection(lambda: channel, address), _PATIENCE)
            await asyncio.wait_for(asyncio.shield(channel.greeted), _PATIENCE)
        except asyncio.TimeoutError as error:
            channel.close()
            raise HostUnreachable("the ptyhost does not answer") from error
        except Exception as error:
            # A host record may hold anything: not even that its path is one is certain.
            channel.close()
            raise HostUnreachable(f"the ptyhost cannot be reached: {error}") from error
        except BaseException:
            channel.close()
            raise
        return channel

    @property
    def hello(self) -> dict[str, Any]:
        """What the ptyhost said of itself."""
        return self._decoder.hello or {}

    @property
    def capabilities(self) -> frozenset[str]:
        """What this ptyhost can do beyond what all can."""
        told = self.hello.get("capabilities")
        return frozenset(str(name) for name in told) if isinstance(told, list) else frozenset()

    @property
    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._transport is None or self._transport.is_closing()

    def send(self, data: bytes) -> None:
        """Send a frame; to a closed channel nothing happens."""
        if self._transport is not None and not self.is_closing:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the ptyhost has taken most of what was sent."""
        await self._room.wait()

    def close(self) -> None:
        """Close the connection; what was sent before still goes out."""
        if self._transport is not None:
            self._transport.close()
        if not self.greeted.done():
            self.greeted.cancel()

    # -- asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(wire.hello(pid=os.getpid(), **self._about))

    def data_received(self, data: bytes) -> None:
        """Hand on the frames that are whole now. What cannot be understood ends the connection and nothing else."""
        try:
            frames = self._decoder.feed(data)
            if self._decoder.hello is not None and not self.greeted.done():
                self.greeted.set_result(self._decoder.hello)
            for kind, payload in frames:
                self._on_frame(kind, payload)
        except Exception as error:  # noqa: BLE001  garbage fails in many ways: its nesting, its types, its numbers
            _log.debug("a ptyhost makes no sense: %s", error, exc_info=error)
            self._fail(wire.WireError(str(error)))
            if self._transport is not None:
                self._transport.abort()

    def _fail(self, error: Exception) -> None:
        if not self.greeted.done():
            self.greeted.set_exception(error)
            self.greeted.exception()  # whoever waited for it may have stopped

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Tell the owner."""
        self._room.set()
        self._fail(wire.WireError("it closed the connection"))
        self._on_lost()

    def pause_writing(self) -> None:
        """The ptyhost does not take any more: the program does not read what is typed."""
        self._room.clear()

    def resume_writing(self) -> None:
        """It does again."""
        self._room.set()


class Link:
    """What a server knows of one running task, and its commands to it.

    `output` are the bounds of the ring as last told (at once while watched, else every second), `status` the last
    STATUS, `last_output` when there was some (Unix seconds, 0 if that is not known). The callbacks are called on the
    loop: `on_head` when the output has grown, `on_status` for every STATUS, `on_exit` with the exit record, `on_lost`
    once when the connection is gone. The caller closes it.
    """

    def __init__(
        self,
        *,
        on_head: Callable[[], None],
        on_status: Callable[[dict[str, Any]], None],
        on_exit: Callable[[dict[str, Any]], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._channel: Channel | None = None
        self._on_head = on_head
        self._on_status = on_status
        self._on_exit = on_exit
        self._on_lost = on_lost
        self._watched = False
        self.status: dict[str, Any] = {}
        self.output = Output()
        self.last_output = 0.0

    @property
    def connected(self) -> bool:
        """Whether the ptyhost is at the other end."""
        return self._channel is not None

    @property
    def host_pid(self) -> int | None:
        """The process id of the ptyhost, as it says itself; None while there is no connection."""
        pid = self._channel.hello.get("pid") if self._channel is not None else None
        return pid if isinstance(pid, int) else None

    async def connect(self, path: str, task_id: str) -> None:
        """Connect to the ptyhost of `task_id`. Raises HostUnreachable; also where another task's ptyhost answers."""
        channel = await Channel.open(path, self._take, self._lose, role="link")
        if channel.hello.get("id") != task_id:
            channel.close()
            raise HostUnreachable(f"another task answers at {path}")
        if channel.is_closing:
            raise HostUnreachable("the ptyhost has just left")
        self._channel = channel
        if self._watched:
            self._tell_watched()

    def close(self) -> None:
        """Close the connection; `on_lost` is not called any more."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _lose(self) -> None:
        if self._channel is not None:
            self._channel = None
            self._on_lost()

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == wire.HEAD:
            end, start, lines, lost = wire.POSITION.unpack(payload)
            if end > self.output.end:
                self.last_output = time.time()
            self.output = Output(start, end, lines, lost)
            self._on_head()
        elif kind == wire.STATUS:
            status = wire.fields(payload)
            # All of it or nothing: what is taken in here is told to everybody.
            self.output, self.last_output = _check(status)
            self.status = status
            self._on_status(status)
        elif kind == wire.EXIT:
            self._on_exit(wire.fields(payload))

    def _send(self, data: bytes) -> None:
        if self._channel is None:
            raise HostUnreachable("the ptyhost cannot be reached just now; the task may well be running")
        self._channel.send(data)

    # -- commands: each raises HostUnreachable while there is no connection -------------------------------------------

    def watch(self, on: bool) -> None:
        """Ask for every HEAD at once, or only now and then; may be said before there is a connection, and again."""
        if on != self._watched:
            self._watched = on
            self._tell_watched()

    def _tell_watched(self) -> None:
        if self._channel is not None:
            self._channel.send(wire.frame(wire.WATCH, b"\x01" if self._watched else b"\x00"))

    def stop(self, ladder: tuple[tuple[str, float], ...], reason: str) -> None:
        """Climb the ladder: (signal name, seconds of grace after it)."""
        self._send(wire.json_frame(wire.STOP, {"ladder": ladder, "reason": reason}))

    def signal(self, name: str, target: str) -> None:
        """Send a signal to the `foreground` group, the whole `tree` or the command itself (`leader`)."""
        self._send(wire.json_frame(wire.SIGNAL, {"signal": name, "target": target}))

    def resize(self, rows: int, cols: int) -> None:
        """Give the terminal a size, whoever leads."""
        self._send(wire.frame(wire.RESIZE, wire.SIZE.pack(rows, cols)))

    def note(self, notes: dict[str, Any]) -> None:
        """Have something told again in `status`, to all servers, and written into the exit record. What an older
        ptyhost cannot remember is lost.
        """
        if self._channel is not None and "note" in self._channel.capabilities:
            self._send(wire.json_frame(wire.NOTE, notes))

    def repaint(self) -> None:
        """Make a full-screen program draw its screen again."""
        self._send(wire.frame(wire.REPAINT))


def _check(status: dict[str, Any]) -> tuple[Output, float]:
    """Return the bounds of the ring, and when there was output last, from a STATUS. Raises WireError, ValueError,
    TypeError or AttributeError for one that makes no sense.
    """
    if not all(isinstance(status.get(name, 0), int) for name in ("rows", "cols", "viewers")):
        raise wire.WireError("a status without numbers")
    last_output = float(status.get("last_output", 0.0))
    if not math.isfinite(last_output):
        raise wire.WireError("a status without a time")
    return Output.from_json(status.get("output", {})), last_output
