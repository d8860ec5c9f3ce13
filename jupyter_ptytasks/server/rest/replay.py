"""The route for the screen of a task at an earlier time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ...core.ring.moments import offset_at, times_at
from ...core.times import iso
from ..terminals import replay
from . import queries
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from ...core.model import Task

#: Times are truncated to milliseconds: the request means the end of that millisecond.
_MILLISECOND = 0.001


class Replay(TaskHandler):
    """`/tasks/{ref}/replay`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return the data that draws the screen as it was (client.types.Replay)."""
        query = self.query(queries.ReplayQuery)
        task = await self.control.get(ref)
        self.send(await asyncio.to_thread(self._draw, task, query))

    def _draw(self, task: Task, query: queries.ReplayQuery) -> dict[str, Any]:
        with self.control.open_ring(task) as reader:
            start, end = reader.bounds()
            bases = reader.bases()
            begun = (reader.time(bases[0]) if bases else 0.0) or task.started or task.created
            last = task.ended or time.time()
            moment, at = query.moment, query.offset
            if at is None:
                at = end if moment is None or moment >= last else offset_at(reader, moment + _MILLISECOND)
            at = min(max(at, start), end)
            _, rows, cols = (reader.sizes(at, at + 1) or [(0, 0, 0)])[0]
            if not (rows and cols):
                rows, cols = task.rows, task.cols
            drawn = replay.load(reader, query.lines, rows, cols, at)
            when = last if at == end else times_at(reader, [at])[0] or begun
        return {
            "offset": at,
            "time": iso(when),
            "start": start,
            "end": end,
            "first_time": iso(begun),
            "last_time": iso(last),
            "rows": rows,
            "cols": cols,
            "alternate": drawn.alternate,
            "data": drawn.data.decode("utf-8", "replace"),
        }
