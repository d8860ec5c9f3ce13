"""The terminals of all tasks that somebody looks at, as terminado's manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terminado.management import NamedTermManager

from ...core.errors import BadRequest, TaskNotFound
from ...core.model import Request
from .terminal import TaskTerminal

if TYPE_CHECKING:
    from ...core.model import Task
    from ..manager import TaskManager
    from ..serialize import TaskSerializer


class TaskTerminals(NamedTermManager):
    """Gives a TaskTerminal for a task's id or name; starts nothing by being asked. `close` it."""

    def __init__(self, manager: TaskManager, serializer: TaskSerializer) -> None:
        super().__init__(shell_command=[])
        self.manager = manager
        self._serializer = serializer
        self.terminals: dict[str, TaskTerminal] = {}  # type: ignore[assignment]  # the same with our own class
        manager.supervisor.on_update.append(self.wake)
        manager.store.listeners.append(self._on_change)

    def close(self) -> None:
        """Stop listening, and the thread that terminado keeps."""
        self.manager.supervisor.on_update.remove(self.wake)
        self.manager.store.listeners.remove(self._on_change)
        self.blocking_io_executor.shutdown(wait=False)

    def _on_change(self, old: Task | None, new: Task | None) -> None:
        for task in (old, new):
            if task is not None:
                self.wake(task.id)
                return

    def wake(self, task_id: str) -> None:
        """Tell those who look at a task that there is news of it."""
        terminal = self.terminals.get(task_id)
        if terminal is not None:
            terminal.wake()

    def get_terminal(self, url_component: str) -> TaskTerminal:  # type: ignore[override]  # as NamedTermManager
        """Give the terminal of a task that the store knows (the socket has looked). Raises TaskNotFound."""
        task = self.manager.store.look_up(url_component)
        if task is None:
            raise TaskNotFound(f"there is no task with the id or name {url_component!r}")
        return self.terminals.setdefault(task.id, TaskTerminal(task.id, self.manager, self._serializer))

    def client_disconnected(self, websocket: Any) -> None:  # noqa: ARG002
        """A client has gone: its task runs on, and is forgotten here when it was the last."""
        for task_id, terminal in list(self.terminals.items()):
            if not terminal.clients:
                terminal.wake()
                del self.terminals[task_id]

    # -- the stock /api/terminals, over the same tasks ----------------------------------------------------------------

    async def create(self, name: str | None, cwd: str | None) -> Task:
        """Start a shell; in the server's root directory where `cwd` is none, as jupyter_server_terminals does."""
        try:
            task, _ = await self.manager.create(Request(name=name, cwd=cwd))
        except BadRequest as error:
            if error.field != "cwd":
                raise
            task, _ = await self.manager.create(Request(name=name))
        return task

    async def list(self) -> list[Task]:
        """Give the tasks that a stock client may list, attach to and restore: those that have not ended."""
        await self.manager.store.refresh()
        return self.manager.store.live
