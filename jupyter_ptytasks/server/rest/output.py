"""The routes for output: bounded text by line, and raw bytes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from ..output_lines import Query, Transcript
from . import bodies
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from ...core.model import Task

_BLOCK = 1 << 20


class Output(TaskHandler):
    """`/tasks/{ref}/output`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return some lines of the output as text."""
        query = self.query(bodies.OutputQuery).query()
        task = await self.control.get(ref)
        # Determined before the lines are read: `ended` means that no line is missing.
        ended = not task.live
        answer = await asyncio.to_thread(self._read, task, query)
        self.send({**answer, "ended": ended})

    def _read(self, task: Task, query: Query) -> dict[str, Any]:
        with self.control.open_ring(task) as reader:
            return Transcript(reader).read(query)


class RawOutput(TaskHandler):
    """`/tasks/{ref}/output/raw`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return output bytes; the headers give their offsets."""
        query = self.query(bodies.RawQuery)
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
