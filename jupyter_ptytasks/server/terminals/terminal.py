"""One task with the clients that are attached to it through this server."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from terminado.management import PtyWithClients

from .. import serialize

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.model import Output, Task
    from ...core.ring.reader import RingReader
    from ..control import Control
    from ..hosts.link import Channel, Link
    from ..serialize import TaskSerializer


class TaskTerminal(PtyWithClients):
    """A task that clients of this server are attached to.

    It is a terminal for terminado's TermSocket, which uses `clients`, `read_buffer` and `resize_to_smallest`. There is
    no `ptyproc` for terminado: the process belongs to a ptyhost, and Control has the verbs.
    """

    def __init__(self, task: Task, control: Control, serializer: TaskSerializer) -> None:
        # Not super().__init__(): that starts a process.
        self.clients: list[Any] = []
        #: Empty: a viewer sends earlier output from the ring.
        self.read_buffer: deque[str] = deque(maxlen=0)
        self.term_name = task.id
        #: Number of known changes other than new output.
        self.changes = 0
        self._id = task.id
        self._control = control
        self._serializer = serializer
        self._task = task

    @property
    def task(self) -> Task:
        """The current task; its last state, if it was deleted."""
        self._task = self._control.look_up(self._id) or self._task
        return self._task

    @property
    def link(self) -> Link | None:
        """The link to its ptyhost."""
        return self._control.link(self._id)

    @property
    def alive(self) -> bool:
        """Whether its command is running, as far as known."""
        return self.task.active

    @property
    def ended(self) -> bool:
        """Whether there will be no more output: it has ended, and will not be restarted."""
        deleted = self._control.look_up(self._id) is None
        return deleted or not (self.task.live or self._control.is_restarting(self.task))

    @property
    def output(self) -> Output:
        """The bounds of its ring."""
        return serialize.output(self.task, self.link)

    def open_ring(self) -> RingReader:
        """Open its output. The caller closes it."""
        return self._control.open_ring(self.task)

    @property
    def last_words(self) -> str:
        """A short text about how it ended."""
        task = self.task
        if task.exit.code is not None and task.state_reason in ("", "nonzero_exit"):
            return f"exited {task.exit.code}"
        if task.exit.signal is not None and task.state_reason == "signal":
            return f"killed by {task.exit.signal}"
        return task.state.value.replace("_", " ")

    def to_json(self) -> dict[str, Any]:
        """Return the task's JSON."""
        return self._serializer.to_json(self.task)

    def getwinsize(self) -> tuple[int, int]:
        """Return (rows, cols)."""
        shown = self.link.status if self.link is not None else {}
        return int(shown.get("rows", self.task.rows)), int(shown.get("cols", self.task.cols))

    async def open_channel(
        self, on_frame: Callable[[int, bytes], None], on_lost: Callable[[], None], **about: Any
    ) -> Channel:
        """Open a viewer's connection to the ptyhost. Raises HostUnreachable."""
        return await self._control.open_channel(self.task, on_frame, on_lost, role="viewer", **about)

    def repaint(self) -> None:
        """Make a full-screen program redraw its screen, if it can be reached."""
        if self.link is not None and self.link.connected:
            self.link.repaint()

    def wake(self) -> None:
        """Notify all clients that there is more output."""
        for client in self.clients:
            client.wake()

    def note_change(self) -> None:
        """Notify all clients of any other change."""
        self.changes += 1
        self.watch()
        self.wake()

    def watch(self) -> None:
        """Tell the ptyhost whether any client is attached."""
        if self.link is not None:
            self.link.watch(bool(self.clients), self)

    # -- terminado's interface ----------------------------------------------------------------------------------------

    def resize_to_smallest(self) -> None:
        """Do nothing: the ptyhost uses the size of the viewer that typed last."""
