"""The stock `/api/terminals` over our tasks, for clients that know nothing else: POST starts a shell, DELETE stops a
task.

What they call a name is a task's id. A task's own name is free text that the next task may have as well; and stock
clients put it into addresses as it is, so that `DELETE /terminals/train#2` would arrive as one of `train`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.errors import TaskNotFound
from . import bodies
from .base import TaskHandler, needs
from .page import page_of

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
        """Return the stock model of a terminal."""
        return {"name": task.id, "last_activity": self.to_json(task)["last_activity"]}

    def live(self, task: Task | None, name: str) -> Task:
        """Return a task unless it has ended, for then it is no terminal. Raises TaskNotFound."""
        if task is None or not task.live:
            raise TaskNotFound(f"Terminal not found: {name!r}")
        return task


class Terminals(_TerminalHandler):
    """`/terminals`."""

    @needs("read")
    async def get(self) -> None:
        """List the tasks that have not ended."""
        page = await page_of(await self.terminals.list(), self.model, on_failure=self.serializer.log_failure)
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
        """Return one task that has not ended, by id or name."""
        self.send(self.model(self.live(await self.manager.get(name), name)))

    @needs("write")
    async def delete(self, name: str) -> None:
        """Stop a task, by id alone; wait a little for its end, as the stock route does."""
        task = await self.manager.get(name)
        self.live(task if task.id == name else None, name)
        await self.manager.stop_unless_ended(task.id)
        await self.manager.wait(task.id, _END_PATIENCE)
        self.send_nothing()
