"""The routes for shells that mark their commands: what was run, and running one more."""

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
        """Return the last commands of a shell, and whether it waits for another one."""
        shells: Shells = self.settings["ptytasks_shells"]
        self.send(await shells.commands(ref, self.query(queries.Commands).limit))


class Exec(TaskHandler):
    """`/tasks/{ref}/exec`."""

    _cancel: Event | None = None

    @needs("execute")
    async def post(self, ref: str) -> None:
        """Run a command at the prompt of a shell, and return what came of it."""
        body = self.body(talking_bodies.Exec)
        self._cancel = Event()
        runner: ShellRunner = self.settings["ptytasks_shell_runner"]
        order = Order(body.command, body.timeout, body.head_lines, body.tail_lines)
        try:
            self.send(await runner.execute(ref, order, self._cancel))
        except Cancelled:
            return  # the client has left

    def on_connection_close(self) -> None:
        """Wait no longer: the client has left."""
        if self._cancel is not None:
            self._cancel.set()
        super().on_connection_close()
