"""The routes for shell integration: the command history, and running a command."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from ..search import Cancelled
from ..shells.runner import Order
from . import queries, talking_bodies
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from ..shells.history import Shells
    from ..shells.runner import ShellRunner


class Commands(TaskHandler):
    """`/tasks/{ref}/commands`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return the last commands of a shell, and whether it is at its prompt."""
        shells: Shells = self.settings["ptytasks_shells"]
        self.send(await shells.commands(ref, self.query(queries.Commands).limit))


class Exec(TaskHandler):
    """`/tasks/{ref}/exec`."""

    _cancel: Event | None = None

    @needs("execute")
    async def post(self, ref: str) -> None:
        """Run a command at the prompt of a shell, and return its result."""
        body = self.body(talking_bodies.Exec)
        self._cancel = Event()
        runner: ShellRunner = self.settings["ptytasks_shell_runner"]
        order = Order(body.command, body.timeout, body.head_lines, body.tail_lines)
        try:
            self.send(await runner.execute(ref, order, self._cancel))
        except Cancelled:
            return  # the client has disconnected

    def on_connection_close(self) -> None:
        """Stop waiting: the client has disconnected."""
        if self._cancel is not None:
            self._cancel.set()
        super().on_connection_close()
