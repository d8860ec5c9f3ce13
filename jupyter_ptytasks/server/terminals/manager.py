"""The terminals of all tasks with attached clients, as a terminado manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terminado.management import NamedTermManager

from ...core.errors import BadRequest, TaskNotFound
from ...core.model import TaskRequest
from .terminal import TaskTerminal

if TYPE_CHECKING:
    from ...core.model import Task
    from ..changes import Change
    from ..control import Control
    from ..hosts.supervisor import Supervisor
    from ..launching import Launcher
    from ..serialize import TaskSerializer
    from ..store import Store


class TaskTerminals(NamedTermManager):
    """Has a TaskTerminal for each task with attached clients; attaching starts nothing. `close` it."""

    def __init__(
        self, *, control: Control, launcher: Launcher, store: Store, supervisor: Supervisor, serializer: TaskSerializer
    ) -> None:
        super().__init__(shell_command=[])
        self.control = control
        self._launcher = launcher
        self._store = store
        self._supervisor = supervisor
        self._serializer = serializer
        self.terminals: dict[str, TaskTerminal] = {}  # type: ignore[assignment]  # the same with our own class
        supervisor.on_output.append(self._on_output)
        supervisor.on_update.append(self.note_change)
        store.listeners.append(self._on_change)

    def close(self) -> None:
        """Stop listening, and the thread that terminado keeps."""
        self._supervisor.on_output.remove(self._on_output)
        self._supervisor.on_update.remove(self.note_change)
        self._store.listeners.remove(self._on_change)
        self.blocking_io_executor.shutdown(wait=False)

    def _on_change(self, change: Change) -> None:
        self.note_change(change.task_id)

    def _on_output(self, task_id: str) -> None:
        terminal = self.terminals.get(task_id)
        if terminal is not None:
            terminal.wake()

    def note_change(self, task_id: str) -> None:
        """Notify the clients of a task of any change except new output."""
        terminal = self.terminals.get(task_id)
        if terminal is not None:
            terminal.note_change()

    def get_terminal(self, url_component: str) -> TaskTerminal:  # type: ignore[override]  # as NamedTermManager
        """Return the terminal of a task that the websocket has already looked up. Raises TaskNotFound."""
        task = self.control.look_up(url_component)
        if task is None:
            raise TaskNotFound(f"no task has the id or name {url_component!r}")
        return self.terminals.setdefault(task.id, TaskTerminal(task, self.control, self._serializer))

    def client_disconnected(self, websocket: Any) -> None:  # noqa: ARG002
        """Note that a client has disconnected; the terminal is dropped with its last client, and its task keeps
        running.
        """
        for task_id, terminal in list(self.terminals.items()):
            if not terminal.clients:
                terminal.watch()
                del self.terminals[task_id]

    # -- the stock /api/terminals, over the same tasks ----------------------------------------------------------------

    async def create(self, name: str | None, cwd: str | None) -> Task:
        """Start a shell; in the server's root directory if `cwd` is not a directory, like jupyter_server_terminals."""
        try:
            task, _ = await self._launcher.create(TaskRequest(name=name, cwd=cwd))
        except BadRequest as error:
            if error.field != "cwd":
                raise
            task, _ = await self._launcher.create(TaskRequest(name=name))
        return task

    async def list(self) -> list[Task]:
        """Return the tasks that a stock client may list, attach to and restore: those that have a terminal."""
        return await self.control.list_active()
