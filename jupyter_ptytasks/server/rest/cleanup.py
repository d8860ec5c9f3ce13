"""The route for cleaning up: a preview, and the deletion of exactly these tasks."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from . import change_bodies, queries
from .base import TaskHandler, needs
from .tasks import matches

if TYPE_CHECKING:
    from ..cleaning import Cleaner


class CleanUp(TaskHandler):
    """`/cleanup`."""

    @property
    def cleaner(self) -> Cleaner:
        """The verbs for cleaning up."""
        cleaner: Cleaner = self.settings["ptytasks_cleaner"]
        return cleaner

    @needs("read")
    async def get(self) -> None:
        """Return which finished tasks would be deleted, and their disk usage."""
        query = self.query(queries.CleanUpQuery)
        tasks = await self.control.list_all()
        sweep = self.settings["ptytasks_sweeps"].id_of(query.sweep) if query.sweep is not None else None
        rules = query.filter()
        warnings = self.serializer.warnings
        meant = await asyncio.to_thread(lambda: [task for task in tasks if matches(task, rules, sweep, None, warnings)])
        self.send(await self.cleaner.preview(meant, query.rules(), time.time()))

    @needs("write")
    async def post(self) -> None:
        """Delete these tasks, and return which ones were deleted."""
        body = self.body(change_bodies.TasksToDelete)
        await self.control.list_all()
        self.send(await self.cleaner.delete(body.tasks))
