"""One attached client: an offset into the ring that advances as fast as the client can receive."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import time
import uuid
from typing import TYPE_CHECKING, Any

from ...core import wire
from ...core.errors import PtyTasksError
from ...core.terminal import replies
from . import replay
from .flow import Acknowledged, Paced

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..hosts.link import Channel
    from .terminal import TaskTerminal

    Send = Callable[[list[Any]], Awaitable[None]]

#: Bytes in one message.
_BLOCK = 64 << 10
#: A viewer that is this many bytes behind skips to the current screen.
_BEHIND_MAX = 4 << 20
#: Minimum time between two skips in seconds, since a replay is expensive.
_SKIP_EVERY = 1.0
#: A client that neither receives nor acknowledges anything for this many seconds is considered inactive: its page is
#: frozen, or its machine is asleep.
_UNSEEN = 60.0
#: Polling interval in seconds for output that must exist but is not visible yet.
_LATE = 0.5
#: A resuming viewer may have missed this many bytes; one that has missed more gets a replay.
_RESUME_MAX = 1 << 20


class Viewer:
    """Shows a task to one client, from its replay to its end, and types for it.

    `send` sends a message (terminado's arrays) and returns when it is on its way. `offset`: where an interrupted client
    resumes; `readonly`: it may not type, and its size does not count; `acknowledges`: it acknowledges what it has
    drawn; `knows_us`: it understands our extensions of terminado's messages; `says_end`: it shows itself how the task
    has ended.
    """

    def __init__(
        self,
        terminal: TaskTerminal,
        send: Send,
        *,
        lines: int,
        offset: int | None,
        readonly: bool,
        acknowledges: bool,
        knows_us: bool,
        says_end: bool,
    ) -> None:
        self.id = uuid.uuid4().hex[:12]
        self._terminal = terminal
        self._send = send
        self._lines = lines
        self._wanted = offset
        self._readonly = readonly
        self._knows_us = knows_us
        self._says_end = says_end
        self._flow: Acknowledged | Paced = Acknowledged() if acknowledges else Paced()
        self._reader = terminal.open_ring()
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._position = 0
        self._skipped_at = -_SKIP_EVERY
        self._news = asyncio.Event()
        #: The task as last sent to the client, and its number of changes then.
        self._told: dict[str, Any] = {}
        self._told_changes = -1
        self._channel: Channel | None = None
        self._opening = asyncio.Lock()
        #: Input that the ptyhost refused, and that has not been reported to the client yet.
        self._refused: list[dict[str, Any]] = []
        self._introduced = asyncio.Event()
        #: Since when (monotonic seconds) the client has not received a message, and whether it is considered inactive.
        self._sending_since: float | None = None
        self._is_away = False
        self._returned = asyncio.Event()
        self._size: tuple[int, int] | None = None

    # -- messages from the client -------------------------------------------------------------------------------------

    async def type(self, text: str) -> None:
        """Type input from the client's keyboard, or an automatic reply of its terminal. Waits while the program does
        not read it.
        """
        # The client may type before we are connected.
        await self._introduced.wait()
        self._return()
        if self._channel is None:
            await self._open_channel()
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
        """Set the size of the client's terminal, which the task gets if this viewer leads."""
        self._size = (rows, cols)
        self._return()
        if self._channel is not None:
            self._channel.send(wire.frame(wire.RESIZE, wire.SIZE.pack(rows, cols)))

    def acknowledge(self, offset: int) -> None:
        """Note that the client has drawn everything up to `offset`."""
        if self._flow.acknowledge(offset):
            self._return()

    def wake(self) -> None:
        """Wake up for new output or a new state."""
        self._news.set()

    # -- messages to the client ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Show the task until it has ended and everything is sent. Cancel this when the client disconnects."""
        minding = asyncio.create_task(self._mind())
        try:
            await self._tell_task()
            await self._open_channel()
            self._introduced.set()
            await self._begin()
            while await self._step():
                pass
            await self._end()
        finally:
            minding.cancel()
            self._introduced.set()
            self._reader.close()
            if self._channel is not None:
                self._channel.close()

    # -- whether the client is active ---------------------------------------------------------------------------------

    async def _open_channel(self) -> None:
        """Connect to the ptyhost, to be counted as a viewer and be able to type."""
        async with self._opening:
            if self._channel is not None or self._is_away or not self._terminal.alive:
                return
            mine: list[Channel] = []
            try:
                channel = await self._terminal.open_channel(
                    self._take_frame, lambda: self._lose_channel(mine), viewer=self.id, readonly=self._readonly
                )
            except PtyTasksError:
                return  # it has just ended, or is unreachable for now
            mine.append(channel)
            self._channel = channel
            if self._size is not None:
                channel.send(wire.frame(wire.RESIZE, wire.SIZE.pack(*self._size)))

    def _take_frame(self, kind: int, payload: bytes) -> None:
        if kind == wire.REFUSED:
            self._refused.append(wire.fields(payload))
            self.wake()

    def _lose_channel(self, mine: list[Channel]) -> None:
        if self._channel in mine:
            self._channel = None
            self.wake()

    async def _mind(self) -> None:
        """Leave the ptyhost while the client is inactive, so that it is not counted and cannot lead."""
        while True:
            since = [moment for moment in (self._sending_since, self._flow.owing_since) if moment is not None]
            left = min(since, default=time.monotonic()) + _UNSEEN - time.monotonic()
            if left > 0:
                await asyncio.sleep(left)
                continue
            self._is_away = True
            self._returned.clear()
            if self._channel is not None:
                self._channel.close()
                self._channel = None
            await self._returned.wait()
            await self._open_channel()

    def _return(self) -> None:
        """Note that the client is active again."""
        now = time.monotonic()
        self._flow.owing_since = now if self._flow.owing_since is not None else None
        self._sending_since = now if self._sending_since is not None else None
        self._is_away = False
        self._returned.set()

    async def _begin(self) -> None:
        """Send the missed output, or a replay."""
        start, end = await asyncio.to_thread(self._reader.bounds)
        if self._wanted is not None and start <= self._wanted <= end <= self._wanted + _RESUME_MAX:
            self._go_on_at(self._wanted)
            await self._event("resumed", offset=self._wanted)
        else:
            await self._replay()

    async def _replay(self) -> None:
        rows, cols = self._terminal.getwinsize()
        shown = await asyncio.to_thread(replay.load, self._reader, self._lines, rows, cols)
        await self._event("replay", offset=shown.offset, rows=rows, cols=cols)
        text = shown.data.decode("utf-8", "replace")
        for at in range(0, len(text), _BLOCK):
            await self._say(["stdout", text[at : at + _BLOCK]])
        self._go_on_at(shown.offset)
        await self._event("replayed", offset=shown.offset, bytes=len(shown.data))
        if shown.alternate:
            self._terminal.repaint()

    def _go_on_at(self, offset: int) -> None:
        self._position = offset
        self._flow.begin(offset)
        self._decoder.reset()

    async def _step(self) -> bool:
        """Send the next output, or wait for more; False when the task has ended and everything is sent."""
        while self._refused:
            one = self._refused.pop(0)
            size = int(one.get("bytes", 0))
            await self._event("refused", **one, message=wire.explain_refusal([one], size))
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

    async def _wait(self, patience: float | None = None) -> None:
        """Wait for news, for at most `patience` seconds."""
        # Before waiting, not when output arrives, so that the echo of a key is not delayed.
        await self._tell_task()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._news.wait(), patience)
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
                # A shared directory may show late what another machine has written, without notification. Or the file
                # was truncated; then more output will come.
                await self._wait(_LATE)
                return
        self._position += len(data)
        text = self._decoder.decode(data)
        drawn = self._position - len(self._decoder.getstate()[0])
        self._flow.sent(drawn)
        if text:
            await self._say(["stdout", text, drawn] if self._knows_us else ["stdout", text])

    async def _skip(self, count: int) -> None:
        """Skip output that the client has not received, and show the current screen."""
        await self._event("skipped", bytes=count)
        await self._replay()
        self._skipped_at = time.monotonic()

    async def _end(self) -> None:
        await self._tell_task()
        if not self._says_end:
            await self._say(["stdout", f"\x1b[m\r\n[{self._terminal.last_words}]\r\n"])
        await self._say(["disconnect", 1])

    async def _tell_task(self) -> None:
        """Send the task if anything except its output has changed."""
        if not self._knows_us or self._terminal.changes == self._told_changes:
            return
        self._told_changes = self._terminal.changes
        task = self._terminal.to_json()
        about = {name: value for name, value in task.items() if name not in ("output", "last_activity")}
        if about != self._told:
            self._told = about
            await self._event("task", task=task, viewer=self.id, readonly=self._readonly)

    async def _say(self, message: list[Any]) -> None:
        self._sending_since = time.monotonic()
        await self._send(message)
        self._sending_since = None
        if self._is_away and self._flow.owing_since is None:
            self._return()

    async def _event(self, event: str, **about: Any) -> None:
        if self._knows_us:
            await self._say(["ptytask", {"event": event, **about}])
