"""The channels of a relay: connections to ptyhosts of another machine, and copies of their rings.

A connection is an asyncio transport, so its user does not notice that the ptyhost is on another machine. Everything
runs on the loop.
"""

from __future__ import annotations

import asyncio
from typing import cast

from ..core import relay
from .copy import Copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .remote import Relay


class Gateway(asyncio.Transport):
    """A connection to a ptyhost on another machine, as a transport: `protocol` receives its data."""

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
        #: Why the connection ended; empty if unknown.
        self.why = ""

    # -- asyncio.Transport --------------------------------------------------------------------------------------------

    def is_closing(self) -> bool:
        """Return whether nothing more can be sent."""
        return self._is_closing

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait to be sent."""
        return len(self._buffer)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send data as soon as the window allows it."""
        if self._is_closing:
            return
        self._buffer += data
        self._flush()
        if self._buffer and not self._is_paused:
            self._is_paused = True
            self._protocol.pause_writing()

    def close(self) -> None:
        """Close, after sending pending data."""
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

    # -- received frames ----------------------------------------------------------------------------------------------

    def take(self, kind: int, payload: bytes) -> None:
        """Handle a frame of this channel."""
        if kind == relay.CREDIT:
            self._window.credit(payload)
            self._flush()
            if self._is_paused and not self._buffer:
                self._is_paused = False
                self._protocol.resume_writing()
        elif kind in (relay.BYTES, relay.CLOSE):
            # Only after the output that was written before it.
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
        """Tell the protocol, once, that the connection has ended."""
        if not self._is_over:
            self._is_over = self._is_closing = True
            self._near.forget(self._channel)
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)
            if self._tail is not None:
                self._tail.release()


class Tail:
    """The growth of a task's ring, which `put` writes to a `copy`. `ended` is done when no more follows: empty if all
    has arrived, otherwise the reason.

    It is closed together with the last connection that holds it.
    """

    def __init__(self, near: Relay, channel: int, attempt: int, put: Callable[[list[bytes]], int]) -> None:
        self.channel = channel
        self.attempt = attempt
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.copy = Copy(put, self._acknowledge)
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
        """Handle a frame of this channel."""
        if kind == relay.PART:
            relay.piece(payload)  # raise errors here, not in the thread
            self.copy.take(payload)
        elif kind == relay.CLOSE:
            self.copy.after(lambda: self.end(payload.decode("utf-8", "replace")))

    def end(self, why: str = "") -> None:
        """Accept no more frames."""
        if not self.ended.done():
            self._near.forget(self.channel)
            self.ended.set_result(why)

    def poke(self) -> None:
        """Make the relay check whether the ring has grown: a ptyhost on another machine than the relay cannot tell."""
        self._near.send(relay.frame(relay.CREDIT, self.channel, relay.COUNT.pack(0)))

    def stop(self) -> None:
        """Stop receiving; what has been received is still written."""
        if not self.ended.done():
            self._near.send(relay.frame(relay.CLOSE, self.channel))
        self.end("closed")

    def close(self) -> None:
        """Stop receiving and writing."""
        self.stop()
        self.copy.close()
