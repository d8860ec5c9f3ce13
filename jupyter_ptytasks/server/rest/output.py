"""The routes of output: bounded text by line, and the bytes themselves."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from ...core.ring.reader import RingReader
from ..output_lines import LineReader, Query
from ..search import Cancelled
from . import bodies
from .base import TaskHandler, needs

_BLOCK = 1 << 20
#: Searches have threads of their own, and not many: a slow one keeps other searches waiting, and nothing else.
_searches = ThreadPoolExecutor(2, "ptytasks-search")


class Output(TaskHandler):
    """`/tasks/{ref}/output`."""

    _cancel: Event | None = None

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return some lines of the output as text."""
        query = self.query(bodies.OutputQuery).query()
        task = await self.manager.get(ref)
        directory = self.manager.task_dirs.files(task.id).output
        # Asked before the lines are read: whoever is told of the end has seen all lines.
        ended = not task.live
        self._cancel = Event()
        asked = (directory, query, ended, (task.rows, task.cols), self._cancel)
        threads = None if query.grep is None else _searches
        try:
            answer = await asyncio.get_running_loop().run_in_executor(threads, _read, *asked)
        except Cancelled:
            # Nobody is there to answer.
            return
        self.send({**answer, "ended": ended})

    def on_connection_close(self) -> None:
        """Search no more: the client has left."""
        if self._cancel is not None:
            self._cancel.set()
        super().on_connection_close()


def _read(directory: str, query: Query, ended: bool, size: tuple[int, int], cancel: Event) -> dict[str, Any]:
    if cancel.is_set():
        # It has waited for its turn for longer than its client did.
        raise Cancelled
    with RingReader(directory) as reader:
        return LineReader(reader, ended=ended, size=size, cancel=cancel).read(query)


class RawOutput(TaskHandler):
    """`/tasks/{ref}/output/raw`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return bytes of the output; the headers tell which."""
        query = self.query(bodies.RawQuery)
        task = await self.manager.get(ref)
        with RingReader(self.manager.task_dirs.files(task.id).output) as reader:
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
        # APIHandler.finish would call it JSON.
        self.finish(set_content_type="application/octet-stream")
