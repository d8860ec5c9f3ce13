"""The stock `/api/terminals` over our tasks, for clients that know nothing else: POST starts a shell, DELETE stops a
task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...core.errors import TaskNotFound
from . import bodies
from .base import TaskHandler

if TYPE_CHECKING:
    from ...core.model import Task
    from ..terminals.manager import TaskTerminals

#: Seconds that a DELETE waits; a shell needs few hundredths.
_END_PATIENCE = 3.0


class _TerminalHandler(TaskHandler):
    @property
    def terminals(self) -> TaskTerminals:
        """The tasks as terminals."""
        terminals: TaskTerminals = self.settings["ptytasks_terminals"]
        return terminals

    def model(self, task: Task) -> dict[str, Any]:
        """Give the stock model of a terminal."""
        return {"name": self.terminals.name_of(task), "last_activity": self.describe(task)["last_activity"]}


class Terminals(_TerminalHandler):
    """`/terminals`."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the tasks that have not ended."""
        self.send([self.model(task) for task in await self.terminals.list()])

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Start a shell."""
        body = self.body(bodies.NewTerminal)
        self.send(self.model(await self.terminals.create(body.name, body.cwd)))


class OneTerminal(_TerminalHandler):
    """`/terminals/{name}`."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """Give one task that has not ended."""
        self.send(self.model(await self._find(name)))

    @web.authenticated
    @authorized
    async def delete(self, name: str) -> None:
        """Stop a task; wait a little for its end, as the stock route does."""
        task = await self._find(name)
        await self.manager.stop_unless_ended(task.id)
        await self.manager.wait(task.id, _END_PATIENCE)
        self.set_status(204)
        self.finish()

    async def _find(self, name: str) -> Task:
        task = await self.manager.get(name)
        if not task.live:
            raise TaskNotFound(f"Terminal not found: {name!r}")
        return task
