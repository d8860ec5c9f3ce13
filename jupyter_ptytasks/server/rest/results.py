"""The route for the result of a function."""

from __future__ import annotations

import asyncio
import os

from tornado.iostream import StreamClosedError

from . import queries
from .base import TaskHandler, needs

_BLOCK = 1 << 20


class Result(TaskHandler):
    """`/tasks/{ref}/result`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return the outcome of a function as bytes (functions.outcomes)."""
        self.query(queries.Strict)
        with await self.control.open_result(ref) as file:
            self.set_header("Content-Type", "application/octet-stream")
            self.set_header("Content-Disposition", "attachment")
            self.set_header("Content-Length", str(os.fstat(file.fileno()).st_size))
            while self.request.method != "HEAD" and (block := await asyncio.to_thread(file.read, _BLOCK)):
                self.write(block)
                try:
                    await self.flush()
                except StreamClosedError:
                    return
        # APIHandler.finish would set the type of JSON.
        self.finish(set_content_type="application/octet-stream")
