"""The route that searches the output of all tasks."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING, Any

from tornado.iostream import StreamClosedError

from ...core import strict_json
from ...core.errors import BadRequest
from ..search import Cancelled
from ..searching import Searching
from . import queries
from .base import TaskHandler, needs
from .fields import seconds
from .output import KNOWN, SEARCHES
from .tasks import matches

if TYPE_CHECKING:
    from ...core.model import Task

_TYPE = "application/x-ndjson"


class Search(TaskHandler):
    """`/search`: lines of JSON, one for each matching line of output, then a summary."""

    _cancel: Event | None = None

    @needs("read")
    async def get(self) -> None:
        """Search the output of tasks, newest task first."""
        query = self.query(queries.SearchQuery)
        cancel = self._cancel = Event()
        tasks = await self._tasks(query)
        search = Searching(tasks, self.control.open_ring, query.wanted(), cancel, KNOWN)
        loop = asyncio.get_running_loop()
        self.set_header("Content-Type", _TYPE)
        has_begun, goes_on = False, self.request.method != "HEAD"
        reason: dict[str, Any] = {}
        while goes_on:
            try:
                hits, goes_on = await loop.run_in_executor(SEARCHES, search.step)
            except Cancelled:
                return  # the client has disconnected
            except BadRequest as error:
                if not has_begun:
                    raise
                # The response has begun, so the error goes into the summary.
                reason, hits, goes_on = {"reason": "pattern", "message": error.message}, [], False
            if hits:
                has_begun = True
                self.write(b"".join([strict_json.encode(hit) + b"\n" for hit in hits]))
                try:
                    await self.flush()
                except StreamClosedError:
                    return
        self.write(strict_json.encode({"message": None, **search.summary(), **reason}) + b"\n")
        self.finish(set_content_type=_TYPE)

    async def _tasks(self, query: queries.SearchQuery) -> list[Task]:
        """Return the tasks to search. Raises TaskNotFound."""
        if query.tasks is not None:
            tasks = [await self.control.get(ref) for ref in query.tasks]
        else:
            tasks = await self.control.list_all()
        rules = query.filter()
        since = seconds(rules.since) if rules.since is not None else None
        warnings = self.serializer.warnings
        return await asyncio.to_thread(lambda: [task for task in tasks if matches(task, rules, None, since, warnings)])

    def on_connection_close(self) -> None:
        """Stop searching: the client has disconnected."""
        if self._cancel is not None:
            self._cancel.set()
        super().on_connection_close()
