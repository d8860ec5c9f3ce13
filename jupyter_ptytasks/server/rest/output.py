"""The routes for output: bounded text by line, raw bytes, and recordings."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from ...core.ring.known import KnownRings
from ..output_lines import LineReader, Query
from ..recording import asciicast
from ..search import Cancelled
from . import queries
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...core.model import Task

_BLOCK = 1 << 20
#: Minimum number of bytes of a recording to send at a time.
_PIECE = 1 << 16
#: Searches have their own, few threads: a slow search delays only other searches.
SEARCHES = ThreadPoolExecutor(2, "ptytasks-search")
#: The shared cache of what searches have found out about rings.
KNOWN = KnownRings()


class Output(TaskHandler):
    """`/tasks/{ref}/output`."""

    _cancel: Event | None = None

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return some lines of the output as text."""
        query = self.query(queries.OutputQuery).query()
        task = await self.control.get(ref)
        # Determined before the lines are read: `ended` means that no line is missing.
        ended = not task.live
        self._cancel = Event()
        threads = None if query.grep is None else SEARCHES
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(threads, self._read, task, query, self._cancel)
        except Cancelled:
            # The client has disconnected.
            return
        self.send({**answer, "ended": ended})

    def _read(self, task: Task, query: Query, cancel: Event) -> dict[str, Any]:
        if cancel.is_set():
            # The client disconnected while the search was waiting for a thread.
            raise Cancelled
        with self.control.open_ring(task) as reader:
            size = (task.rows, task.cols)
            return LineReader(reader, ended=not task.live, size=size, cancel=cancel, known=KNOWN).read(query)

    def on_connection_close(self) -> None:
        """Stop searching: the client has disconnected."""
        if self._cancel is not None:
            self._cancel.set()
        super().on_connection_close()


class RawOutput(TaskHandler):
    """`/tasks/{ref}/output/raw`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return output bytes; the headers give their offsets."""
        query = self.query(queries.RawQuery)
        task = await self.control.get(ref)
        with self.control.open_ring(task) as reader:
            start, end = await asyncio.to_thread(reader.bounds)
            first = min(max(query.offset, start), end)
            behind = end if query.limit is None else min(first + query.limit, end)
            self.set_header("Content-Type", "application/octet-stream")
            self.set_header("X-Ptytasks-Start", str(start))
            self.set_header("X-Ptytasks-Offset", str(first))
            self.set_header("X-Ptytasks-End", str(end))
            if query.download:
                self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(task.name, safe='')}.log")
            while first < behind and self.request.method != "HEAD":
                offset, data = await asyncio.to_thread(reader.read, first, min(_BLOCK, behind - first))
                if not data or offset >= behind:
                    break
                self.write(data[: behind - offset])
                first = offset + len(data)
                try:
                    await self.flush()
                except StreamClosedError:
                    return
        # APIHandler.finish would set the type of JSON.
        self.finish(set_content_type="application/octet-stream")


class Record(TaskHandler):
    """`/tasks/{ref}/record`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return a recording of the output."""
        query = self.query(queries.RecordQuery)
        task = await self.control.get(ref)
        self.set_header("Content-Type", "application/x-asciicast")
        if query.download:
            self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(task.name, safe='')}.cast")
        with self.control.open_ring(task) as reader:
            lines = asciicast(reader, task, version=query.version, idle=query.idle)
            while self.request.method != "HEAD" and (piece := await asyncio.to_thread(_piece, lines)):
                self.write(piece)
                try:
                    # As much as the client takes; the next piece is made when it has this one.
                    await self.flush()
                except StreamClosedError:
                    return
        self.finish(set_content_type="application/x-asciicast")


def _piece(lines: Iterator[bytes]) -> bytes:
    """Return the next lines, at least `_PIECE` bytes; none at the end."""
    parts: list[bytes] = []
    size = 0
    for line in lines:
        parts.append(line)
        size += len(line)
        if size >= _PIECE:
            break
    return b"".join(parts)
