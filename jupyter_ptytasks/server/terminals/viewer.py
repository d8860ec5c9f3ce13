"""One attached client: an offset into the ring that moves as fast as the client takes it, and no faster."""

from __future__ import annotations

import asyncio
import codecs
import time
import uuid
from typing import TYPE_CHECKING, Any

from ...core.terminal import replies
from ...core import wire
from ...core.errors import PtyTasksError
from ...core.ring.reader import RingReader
from . import replay as history
from .flow import Acknowledged, Paced

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..hosts.link import Channel
    from .terminal import TaskTerminal

    Send = Callable[[list[Any]], Awaitable[None]]

#: Bytes in one message.
_BLOCK = 64 << 10
#: A viewer that is this many bytes behind is shown the present instead of all that it missed.
_BEHIND_MAX = 4 << 20
#: Showing the present costs the server more than the output of some hundredths of a second: once a second it may.
_SKIP_EVERY = 1.0
#: A resuming viewer may have missed this many bytes; one that has missed more gets a replay.
_RESUME_MAX = 1 << 20


class Viewer:
    """Shows a task to one client, from its replay to its end, and types for it.

    `send` sends a message (terminado's arrays) and returns when it is on its way. `offset`: where an interrupted client
    wants to go on; `readonly`: it may not type, and its size does not count; `acknowledges`: it says what it has drawn.
    """

    def __init__(
        self, terminal: TaskTerminal, send: Send, *, lines: int, offset: int | None, readonly: bool, acknowledges: bool
    ) -> None:
        self.id = uuid.uuid4().hex[:12]
        self._terminal = terminal
        self._send = send
        self._lines = lines
        self._wanted = offset
        self._readonly = readonly
        self._flow: Acknowledged | Paced = Acknowledged() if acknowledges else Paced()
        self._reader = RingReader(terminal.output_dir)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._position = 0
        self._skipped_at = -_SKIP_EVERY
        self._news = asyncio.Event()
        self._told: dict[str, Any] = {}
        self._channel: Channel | None = None
        self._introduced = asyncio.Event()
        self._size: tuple[int, int] | None = None

    # -- what the client says -----------------------------------------------------------------------------------------

    async def type(self, text: str) -> None:
        """Type what came from the client's keyboard, or what its terminal answered by itself. Waits while nobody
        reads it.
        """
        # A client may be quicker than we are.
        await self._introduced.wait()
        channel = self._channel
        if channel is None or self._readonly:
            return
        typed, answered = replies.split(text)
        for kind, part in ((wire.REPLY, answered), (wire.INPUT, typed)):
            data = part.encode("utf-8", "replace")
            for start in range(0, len(data), wire.MAX_PAYLOAD):
                channel.send(wire.frame(kind, data[start : start + wire.MAX_PAYLOAD]))
                await channel.drain()

    def resize(self, rows: int, cols: int) -> None:
        """The client's terminal has this size; the task's follows if this viewer leads."""
        self._size = (rows, cols)
        if self._channel is not None:
            self._channel.send(wire.frame(wire.RESIZE, wire.SIZE.pack(rows, cols)))

    def acknowledge(self, offset: int) -> None:
        """The client has drawn everything up to `offset`."""
        self._flow.acknowledge(offset)

    def wake(self) -> None:
        """There is news of the task: output, a state."""
        self._news.set()

    # -- what the client is told --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Show the task until it has ended; then the client has been told so. Cancel it when the client is gone."""
        try:
            await self._tell_task()
            await self._open_channel()
            self._introduced.set()
            await self._begin()
            while await self._step():
                pass
            await self._end()
        finally:
            self._introduced.set()
            self._reader.close()
            if self._channel is not None:
                self._channel.close()

    async def _open_channel(self) -> None:
        """Count as a viewer at the ptyhost, and be able to type."""
        if self._channel is not None or not self._terminal.alive:
            return
        try:
            self._channel = await self._terminal.open_channel(
                self._lose_channel, viewer=self.id, readonly=self._readonly
            )
        except PtyTasksError:
            return  # it has just ended, or is out of reach for now
        if self._size is not None:
            self.resize(*self._size)

    def _lose_channel(self) -> None:
        self._channel = None
        self.wake()

    async def _begin(self) -> None:
        """Send what was missed, or all that there is to see."""
        start, end = await asyncio.to_thread(self._reader.bounds)
        if self._wanted is not None and start <= self._wanted <= end <= self._wanted + _RESUME_MAX:
            self._go_on_at(self._wanted)
            await self._event("resumed", offset=self._wanted)
        else:
            await self._replay()

    async def _replay(self) -> None:
        rows, cols = self._terminal.getwinsize()
        shown = await asyncio.to_thread(history.load, self._reader, self._lines, rows, cols)
        await self._event("replay", offset=shown.offset, rows=rows, cols=cols)
        text = shown.data.decode("utf-8", "replace")
        for at in range(0, len(text), _BLOCK):
            await self._send(["stdout", text[at : at + _BLOCK]])
        self._go_on_at(shown.offset)
        await self._event("replayed", offset=shown.offset, bytes=len(shown.data))
        if shown.alternate:
            self._terminal.repaint()

    def _go_on_at(self, offset: int) -> None:
        self._position = offset
        self._flow.begin(offset)
        self._decoder.reset()

    async def _step(self) -> bool:
        """Send the next of what is there, or wait for more; False when the task has ended and all of it is sent."""
        end = self._terminal.output.end
        if end <= self._position:
            if self._terminal.ended:
                return False
            await self._wait()
        elif end - self._position > _BEHIND_MAX and time.monotonic() - self._skipped_at >= _SKIP_EVERY:
            await self._skip(end - self._position)
        else:
            await self._forward(min(end - self._position, _BLOCK))
        return True

    async def _wait(self) -> None:
        # Now, and not when there is news: who types waits for the echo.
        await self._tell_task()
        await self._news.wait()
        self._news.clear()
        if self._channel is None:
            await self._open_channel()

    async def _forward(self, limit: int) -> None:
        limit = min(limit, await self._flow.room())
        data = self._reader.read_nowait(self._position, limit)
        if data is None:
            start, data = await asyncio.to_thread(self._reader.read, self._position, limit)
            if start > self._position:
                await self._skip(start - self._position)
                return
            if not data:
                # Its bytes are gone though it was told of them: somebody cut the file. There will be others.
                await self._wait()
                return
        self._position += len(data)
        text = self._decoder.decode(data)
        drawn = self._position - len(self._decoder.getstate()[0])
        self._flow.sent(drawn)
        if text:
            await self._send(["stdout", text, drawn])

    async def _skip(self, count: int) -> None:
        """Give up what the client is behind, and show it the present."""
        await self._event("skipped", bytes=count)
        await self._replay()
        self._skipped_at = time.monotonic()

    async def _end(self) -> None:
        await self._tell_task()
        await self._send(["stdout", f"\x1b[m\r\n[{self._terminal.last_words}]\r\n"])
        await self._send(["disconnect", 1])

    async def _tell_task(self) -> None:
        """Tell the task if anything about it has changed, but for its output: that the client sees."""
        task = self._terminal.describe()
        about = {name: value for name, value in task.items() if name not in ("output", "last_activity")}
        if about != self._told:
            self._told = about
            await self._event("task", task=task, viewer=self.id, readonly=self._readonly)

    async def _event(self, event: str, **about: Any) -> None:
        await self._send(["ptytask", {"event": event, **about}])
