"""The stock `/api/terminals` on top of tasks, for stock clients: POST starts a shell, DELETE stops a task.

The name of a terminal is the id of a task. Names of tasks are free text and may repeat; and stock clients do not encode
them in URLs, so that `DELETE /terminals/train#2` would arrive as one for `train`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core import strict_json
from ...core.errors import TaskNotFound
from . import bodies
from .base import TaskHandler, needs
from .page import page_of

if TYPE_CHECKING:
    from ...core.model import Task
    from ..terminals.manager import TaskTerminals

#: The longest a DELETE waits, in seconds; a shell ends much faster.
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
        """Return a task if it is active, else raise TaskNotFound: an ended or pending task is not a terminal."""
        if task is None or not task.active:
            raise TaskNotFound(f"Terminal not found: {name!r}")
        return task


class Terminals(_TerminalHandler):
    """`/terminals`."""

    @needs("read")
    async def get(self) -> None:
        """List the tasks that have a terminal."""
        page = await page_of(
            await self.terminals.list(),
            lambda task: strict_json.encode(self.model(task)),
            on_failure=self.serializer.log_failure,
        )
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
        self.send(self.model(self.live(await self.control.get(name), name)))

    @needs("write")
    async def delete(self, name: str) -> None:
        """Stop a task, by id only, and wait briefly for its end, as the stock route does."""
        task = await self.control.get(name)
        self.live(task if task.id == name else None, name)
        await self.stopper.stop_unless_ended(task.id)
        await self.control.wait(task.id, _END_PATIENCE)
        self.send_nothing()
