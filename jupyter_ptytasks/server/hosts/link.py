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
from ...core.waiting import classify as waiting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    #: Opens a stream to a ptyhost for a protocol, which it creates by calling its argument (see Provisioner.connect).
    Connect = Callable[[Callable[[], asyncio.BaseProtocol]], Awaitable[None]]

_log = logging.getLogger(__name__)

#: Seconds until a ptyhost must respond: its loop never blocks, so one that does not respond is dead or stopped.
_PATIENCE = 5.0
#: Seconds for which a requested link is kept.
_KEEP = 60.0


class Channel(asyncio.Protocol):
    """A connection to a ptyhost: greets, decodes frames, and sends.

    `on_frame` is called with every frame, `on_lost` once at the end. `hello` is what the ptyhost says about itself.
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
        cls, connect: Connect, on_frame: Callable[[int, bytes], None], on_lost: Callable[[], None], **about: Any
    ) -> Channel:
        """Connect to a ptyhost and exchange hellos. The caller closes the channel.

        Raises HostUnreachable for any error of the connection or the other end.
        """
        channel = cls(on_frame, on_lost, about)
        try:
            await asyncio.wait_for(connect(lambda: channel), _PATIENCE)
            await asyncio.wait_for(asyncio.shield(channel.greeted), _PATIENCE)
        except asyncio.TimeoutError as error:
            channel.close()
            raise HostUnreachable("the ptyhost does not respond") from error
        except HostUnreachable:
            channel.close()
            raise
        except Exception as error:
            # A host record may contain anything: its path may not even be a path.
            channel.close()
            raise HostUnreachable(f"the ptyhost cannot be reached: {error}") from error
        except BaseException:
            channel.close()
            raise
        return channel

    @property
    def hello(self) -> dict[str, Any]:
        """The ptyhost's hello."""
        return self._decoder.hello or {}

    @property
    def capabilities(self) -> frozenset[str]:
        """The capabilities of this ptyhost beyond the first version."""
        names = self.hello.get("capabilities")
        return frozenset(str(name) for name in names) if isinstance(names, list) else frozenset()

    @property
    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._transport is None or self._transport.is_closing()

    def send(self, data: bytes) -> None:
        """Send a frame; do nothing if the channel is closed."""
        if self._transport is not None and not self.is_closing:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the ptyhost has read most of what was sent."""
        await self._room.wait()

    def close(self) -> None:
        """Close the connection, after sending pending data."""
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
        """Pass on complete frames. Invalid data only closes the connection."""
        try:
            frames = self._decoder.feed(data)
            if self._decoder.hello is not None and not self.greeted.done():
                self.greeted.set_result(self._decoder.hello)
            for index, (kind, payload) in enumerate(frames, 1):
                # Of consecutive HEADs, only the last one matters.
                if kind != wire.HEAD or index == len(frames) or frames[index][0] != wire.HEAD:
                    self._on_frame(kind, payload)
        except Exception as error:  # noqa: BLE001  invalid data fails in many ways: by its nesting, its types, its numbers
            _log.debug("a ptyhost sent invalid data: %s", error, exc_info=error)
            self._fail(wire.WireError(str(error)))
            if self._transport is not None:
                self._transport.abort()

    def _fail(self, error: Exception) -> None:
        if not self.greeted.done():
            self.greeted.set_exception(error)
            self.greeted.exception()  # mark it as retrieved: nothing may be waiting for it

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Call `on_lost`."""
        self._room.set()
        self._fail(wire.WireError("it closed the connection"))
        self._on_lost()

    def pause_writing(self) -> None:
        """Make `drain` wait: the program does not read its input."""
        self._room.clear()

    def resume_writing(self) -> None:
        """Unblock `drain`."""
        self._room.set()


class Link:
    """The link to the ptyhost of one running task: its last state, and commands to it.

    `output` has the last known bounds of the ring (updated immediately while watched, otherwise every second), `status`
    is the last STATUS, `last_output` the time of the last output (Unix seconds, 0 if unknown). The callbacks are called
    on the loop: `on_head` when the output has grown, `on_status` for every STATUS, `on_exit` with the exit record,
    `on_lost` once when the connection is lost. The caller closes it.
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
        self._watchers: set[object] = set()
        #: When it was last requested (monotonic seconds), and whether it was since `wanted` was cleared.
        self._used = -_KEEP
        self._wanted = asyncio.Event()
        self.status: dict[str, Any] = {}
        self.output = Output()
        self.last_output = 0.0

    @property
    def connected(self) -> bool:
        """Whether it is connected to the ptyhost."""
        return self._channel is not None

    @property
    def host_pid(self) -> int | None:
        """The process id of the ptyhost, from its hello; None without a connection."""
        pid = self._channel.hello.get("pid") if self._channel is not None else None
        return pid if isinstance(pid, int) else None

    async def connect(self, connect: Connect, task_id: str) -> None:
        """Connect to the ptyhost of `task_id`. Raises HostUnreachable, also if the ptyhost of another task answers."""
        channel = await Channel.open(connect, self._take, self._lose, role="link")
        if channel.hello.get("id") != task_id:
            channel.close()
            raise HostUnreachable("the ptyhost of another task answers")
        if channel.is_closing:
            raise HostUnreachable("the ptyhost has just ended")
        self._channel = channel
        if self._watchers:
            self._send_watched()

    @property
    def waiting(self) -> dict[str, Any] | None:
        """What the program is waiting for, with `since` in Unix seconds; None if it is not waiting or unknown."""
        return waiting.read(self.status.get("waiting")) if self.connected else None

    def close(self) -> None:
        """Close the connection; `on_lost` is not called."""
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
            # Validated as a whole, since it is passed on to all clients.
            self.output, self.last_output = _check(status)
            self.status = status
            self._on_status(status)
        elif kind == wire.EXIT:
            self._on_exit(wire.fields(payload))

    def _send(self, data: bytes) -> None:
        if self._channel is None:
            raise HostUnreachable("the ptyhost does not respond; the task may still be running")
        self._channel.send(data)

    # -- commands: each raises HostUnreachable while there is no connection -------------------------------------------

    def watch(self, on: bool, by: object) -> None:
        """Request every HEAD immediately as long as there is a watcher (`by`), otherwise only now and then; may be
        called before there is a connection.
        """
        watched = bool(self._watchers)
        (self._watchers.add if on else self._watchers.discard)(by)
        if on or watched:
            self.want()
        if watched != bool(self._watchers):
            self._send_watched()

    def want(self) -> None:
        """Request a connection, for places where links are not kept permanently."""
        self._used = time.monotonic()
        self._wanted.set()

    def learn(self, attempt: int, output: Output) -> None:
        """Update the bounds of the ring from its files, while there is no connection."""
        if self._channel is None and output != self.output:
            self.output, self.last_output = output, time.time()
            if self.status.get("attempt") != attempt:
                self.status = {"attempt": attempt}
            self._on_head()

    @property
    def is_wanted(self) -> bool:
        """Whether there is a watcher, or a connection was requested recently."""
        return bool(self._watchers) or time.monotonic() - self._used < _KEEP

    async def until_wanted(self) -> None:
        """Wait until a connection is requested."""
        while not self.is_wanted:
            self._wanted.clear()
            await self._wanted.wait()

    def _send_watched(self) -> None:
        if self._channel is not None:
            self._channel.send(wire.frame(wire.WATCH, b"\x01" if self._watchers else b"\x00"))

    def stop(self, ladder: tuple[tuple[str, float], ...], reason: str) -> None:
        """Stop the task by a stop sequence: pairs of a signal name and the grace period after it (seconds)."""
        self._send(wire.json_frame(wire.STOP, {"ladder": ladder, "reason": reason}))

    def signal(self, name: str, target: str) -> None:
        """Send a signal to the `foreground` group, the whole `tree` or the command itself (`leader`)."""
        self._send(wire.json_frame(wire.SIGNAL, {"signal": name, "target": target}))

    def resize(self, rows: int, cols: int) -> None:
        """Set the size of the terminal, regardless of the leader."""
        self._send(wire.frame(wire.RESIZE, wire.SIZE.pack(rows, cols)))

    def note(self, notes: dict[str, Any]) -> None:
        """Add notes to `status`, for all servers, and to the exit record. Older ptyhosts ignore them."""
        if self._channel is not None and "note" in self._channel.capabilities:
            self._send(wire.json_frame(wire.NOTE, notes))

    def repaint(self) -> None:
        """Make a full-screen program redraw its screen."""
        self._send(wire.frame(wire.REPAINT))


def _check(status: dict[str, Any]) -> tuple[Output, float]:
    """Return the bounds of the ring, and the time of the last output, from a STATUS. Raises WireError, ValueError,
    TypeError or AttributeError if it is invalid.
    """
    if not all(isinstance(status.get(name, 0), int) for name in ("rows", "cols", "viewers")):
        raise wire.WireError("a status without numbers")
    last_output = float(status.get("last_output", 0.0))
    if not math.isfinite(last_output):
        raise wire.WireError("a status without a time")
    return Output.from_json(status.get("output", {})), last_output
