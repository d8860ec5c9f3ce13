"""The stock `/api/terminals` over our tasks, for clients that know nothing else: POST starts a shell, DELETE stops a
task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.errors import TaskNotFound
from . import bodies
from .base import TaskHandler, needs
from .page import page_of

if TYPE_CHECKING:
    from ..core.model import Task
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
        """Return the stock model of a terminal."""
        return {"name": self.terminals.name_of(task), "last_activity": self.describe(task)["last_activity"]}


class Terminals(_TerminalHandler):
    """`/terminals`."""

    @needs("read")
    async def get(self) -> None:
        """List the tasks that have not ended."""
        page = await page_of(await self.terminals.list(), self.model, on_failure=self.view.log_failure)
        self.send_encoded(b"[%b]" % b",".join(page.told))

    @needs("execute")
    async def post(self) -> None:
        """Start a shell."""
        body = self.body(bodies.NewTerminal)
        self.send(self.model(await self.terminals.create(body.name, body.cwd)))


class OneTerminal(_TerminalHandler):
    """`/terminals/{name}`."""

    @needs("read")
    async def get(self, name: str) -> None:
        """Return one task that has not ended."""
        self.send(self.model(await self._find(name)))

    @needs("write")
    async def delete(self, name: str) -> None:
        """Stop a task; wait a little for its end, as the stock route does."""
        task = await self._find(name)
        await self.manager.stop_unless_ended(task.id)
        await self.manager.wait(task.id, _END_PATIENCE)
        self.send_nothing()

    async def _find(self, name: str) -> Task:
        task = await self.manager.get(name)
        if not task.live:
            raise TaskNotFound(f"Terminal not found: {name!r}")
        return task
