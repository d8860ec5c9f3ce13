"""One task with the clients that are attached to it here."""

from __future__ import annotations

import asyncio
import signal as signals
from collections import deque
from typing import TYPE_CHECKING, Any

from terminado.management import PtyWithClients

from ...core.errors import PtyTasksError
from .. import serialize

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.model import Output, Task
    from ..hosts.link import Channel, Link
    from ..manager import TaskManager
    from ..serialize import TaskSerializer


class HostedProcess:
    """A task's command in the shape of ptyprocess.PtyProcess, as far as that can be had without waiting.

    terminado's own paths through it (`close`, `isalive`, `write`) block the loop; none of these does.
    """

    def __init__(self, terminal: TaskTerminal) -> None:
        self._terminal = terminal

    @property
    def pid(self) -> int | None:
        """The command's process id."""
        return self._terminal.task.pid

    def isalive(self) -> bool:
        """Tell whether the command runs."""
        return self._terminal.alive

    def getwinsize(self) -> tuple[int, int]:
        """Give (rows, cols)."""
        return self._terminal.getwinsize()

    def setwinsize(self, rows: int, cols: int) -> None:
        """Give the terminal a size, whoever leads."""
        link = self._terminal.link
        if link is not None and link.connected:
            link.resize(rows, cols)

    def kill(self, sig: int) -> None:
        """Send a signal to the command."""
        link = self._terminal.link
        if link is not None and link.connected:
            link.signal(signals.Signals(sig).name, "leader")


class TaskTerminal(PtyWithClients):
    """A task that somebody looks at. terminado's pty with clients, but that nothing is forked and nothing read here."""

    def __init__(self, task_id: str, manager: TaskManager, shown: TaskSerializer) -> None:
        # Not super().__init__(): that would start a process.
        self.clients: list[Any] = []
        self.read_buffer: deque[str] = deque(maxlen=0)
        self.term_name = task_id
        self.ptyproc = HostedProcess(self)
        self._id = task_id
        self._manager = manager
        self._serializer = shown
        task = manager.store.get(task_id)
        assert task is not None
        self._task = task

    @property
    def task(self) -> Task:
        """The task as it is now; as it was last, once it is deleted."""
        self._task = self._manager.store.get(self._id) or self._task
        return self._task

    @property
    def link(self) -> Link | None:
        """The link to its ptyhost."""
        return self._manager.supervisor.link(self._id)

    @property
    def alive(self) -> bool:
        """Whether its command runs, as far as we know."""
        return self.task.live

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to come: it has ended, and nobody is about to restart it."""
        deleted = self._manager.store.get(self._id) is None
        return deleted or not (self.task.live or self._manager.is_restarting(self.task))

    @property
    def output(self) -> Output:
        """The bounds of its ring."""
        return serialize.output(self.task, self.link)

    @property
    def output_dir(self) -> str:
        """The directory of its ring."""
        return self._manager.task_dirs.files(self._id).output

    @property
    def last_words(self) -> str:
        """How it ended, in two words."""
        task = self.task
        if task.exit.code is not None and task.state_reason in ("", "nonzero_exit"):
            return f"exited {task.exit.code}"
        if task.exit.signal is not None and task.state_reason == "signal":
            return f"killed by {task.exit.signal}"
        return task.state.value.replace("_", " ")

    def to_json(self) -> dict[str, Any]:
        """Give the task's JSON."""
        return self._serializer.to_json(self.task)

    def getwinsize(self) -> tuple[int, int]:
        """Give (rows, cols)."""
        shown = self.link.status if self.link is not None else {}
        return int(shown.get("rows", self.task.rows)), int(shown.get("cols", self.task.cols))

    async def open_channel(
        self, on_frame: Callable[[int, bytes], None], on_lost: Callable[[], None], **about: Any
    ) -> Channel:
        """Open a viewer's connection to the ptyhost. Raises HostUnreachable."""
        return await self._manager.open_channel(self.task, on_frame, on_lost, role="viewer", **about)

    def repaint(self) -> None:
        """Make a full-screen program draw its screen again, if it can be reached."""
        if self.link is not None and self.link.connected:
            self.link.repaint()

    def wake(self) -> None:
        """Tell all clients that there is news, and the ptyhost whether anybody waits for it."""
        if self.link is not None:
            self.link.watch(bool(self.clients))
        for client in self.clients:
            client.wake()

    # -- terminado's interface ----------------------------------------------------------------------------------------

    def resize_to_smallest(self) -> None:
        """Not by the smallest: the ptyhost follows the viewer that typed last."""

    def killpg(self, sig: int = signals.SIGTERM) -> None:
        """Send a signal to the whole tree."""
        if self.link is not None and self.link.connected:
            self.link.signal(signals.Signals(sig).name, "tree")

    async def terminate(self, force: bool = False) -> bool:
        """Stop the task up the ladder of its own; `force` does not wait for it. True when it has ended."""
        try:
            await self._manager.stop(self._id)
        except PtyTasksError:
            return not self.alive
        if not force:
            await asyncio.shield(self._manager.wait(self._id, 3600.0))
        return not self.alive
