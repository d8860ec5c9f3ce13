"""The ptyhosts of all live tasks, as this server is linked to them; and what becomes of a task whose ptyhost is
gone.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ...storage.task_dirs import outcome
from ...core.errors import HostUnreachable, IllegalMove, PtyTasksError, TaskNotFound
from ...core.machine import boot_id
from ...core.states import STARTED, State
from .link import Link

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Coroutine

    from ...storage.task_dirs import Catalogue
    from ...core.model import Task
    from ..store import Store

#: Seconds until a ptyhost that could not be reached is tried again; doubled up to the second number.
_RETRY = 0.05
_RETRY_MAX = 1.0


class Hosts:
    """Keeps a link to the ptyhost of every task that the store says is live.

    Whoever started a task, all servers link to it; whoever sees its end first writes it down. `close` it: the tasks run
    on.
    """

    def __init__(self, store: Store, catalogue: Catalogue, log: logging.Logger) -> None:
        self._store = store
        self._catalogue = catalogue
        self._log = log
        self._links: dict[str, Link] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._chores: set[asyncio.Task[None]] = set()
        #: The attempts whose end was told, and is not yet written down: on a busy disk that may take seconds.
        self._exited: dict[str, int] = {}
        #: Tasks that this server is just starting: nobody else's business until it has.
        self.launching: set[str] = set()
        #: Called on the loop with the id of a task whose output has grown or whose status has changed.
        self.on_news: list[Callable[[str], None]] = []
        #: Asked when a task is about to come to an end, in this state: gives what else is to be written down of it.
        self.at_end: Callable[[Task, State], Awaitable[dict[str, Any]]] | None = None
        store.listeners.append(self._on_change)

    def close(self) -> None:
        """Let go of all links."""
        self._store.listeners.remove(self._on_change)
        for job in [*self._keepers.values(), *self._chores]:
            job.cancel()
        for link in self._links.values():
            link.close()
        self._keepers.clear()
        self._links.clear()

    def link(self, task_id: str) -> Link | None:
        """Give the link to a task's ptyhost, connected or not; None for a task that is not live."""
        return self._links.get(task_id)

    async def connected(self, task_id: str, patience: float = 5.0) -> Link:
        """Give the link of a live task, connected to the ptyhost of its present attempt.

        Raises IllegalMove when the task has ended, HostUnreachable after `patience` seconds without either.
        """
        deadline = time.monotonic() + patience
        while True:
            task = self._store.get(task_id)
            if task is None or not task.live or self._exited.get(task_id) == task.attempt:
                raise IllegalMove("the task has ended", field="state")
            link = self._links.get(task_id)
            # Another server may have begun an attempt whose ptyhost this link does not lead to.
            if link is not None and link.connected and link.status.get("attempt") == task.attempt:
                return link
            if time.monotonic() > deadline:
                raise HostUnreachable("the task's ptyhost cannot be reached just now; the task may well be running")
            await asyncio.sleep(_RETRY / 2)

    def keep(self, task: Task) -> None:
        """Begin to keep a link to the task's ptyhost, unless that is done already."""
        if task.id not in self._keepers and task.id not in self.launching:
            self._keepers[task.id] = asyncio.create_task(self._keep(task.id))

    def _on_change(self, old: Task | None, new: Task | None) -> None:
        if new is not None and new.live:
            self.keep(new)
        elif old is not None:
            self._drop(old.id)

    def _drop(self, task_id: str) -> None:
        self._exited.pop(task_id, None)
        keeper = self._keepers.pop(task_id, None)
        if keeper is not None and keeper is not asyncio.current_task():
            keeper.cancel()
        link = self._links.pop(task_id, None)
        if link is not None:
            link.close()
        self._tell(task_id)

    def _tell(self, task_id: str) -> None:
        for listener in list(self.on_news):
            listener(task_id)

    async def _keep(self, task_id: str) -> None:
        """Connect, wait until the connection is lost, settle what that means, and so on until the task has ended."""
        lost = asyncio.Event()
        link = self._links[task_id] = Link(
            on_head=lambda: self._tell(task_id),
            on_status=lambda status: self._chore(self._take_status(task_id, link, status)),
            on_exit=lambda record: self._chore(self._take_exit(task_id, record)),
            on_lost=lost.set,
        )
        retry = _RETRY
        while (task := self._store.get(task_id)) is not None and task.live:
            try:
                host = await asyncio.to_thread(self._catalogue.host, task)
                if host is not None:
                    await link.connect(host["socket"], task_id)
                    retry = _RETRY
                    await lost.wait()
                    lost.clear()
                    self._tell(task_id)
            except (HostUnreachable, KeyError):
                pass
            try:
                if await self._settle(task_id):
                    return
            except PtyTasksError as error:
                # Not even the database: try again, it may have room later.
                self._log.warning("task %s: %s", task_id, error)
            await asyncio.sleep(retry)
            retry = min(retry * 2, _RETRY_MAX)

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        chore = asyncio.create_task(work)
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    # -- what a ptyhost tells ---------------------------------------------------------------------------------------

    async def _take_status(self, task_id: str, link: Link, status: dict[str, Any]) -> None:
        """Tell of a status and note it; as long as there is no room for that, try again until there is a newer one."""
        self._tell(task_id)
        while self._links.get(task_id) is link and link.status is status:
            try:
                await self._note_status(task_id, status)
                return
            except PtyTasksError as error:
                self._log.warning("task %s: %s", task_id, error)
                await asyncio.sleep(_RETRY_MAX)

    async def _note_status(self, task_id: str, status: dict[str, Any]) -> None:
        """Bring what the store says into line with what the ptyhost does: it is the one who knows."""
        task = self._store.get(task_id)
        if task is None or not task.live or status.get("attempt") != task.attempt or task_id in self.launching:
            return
        changes: dict[str, Any] = {}
        if task.pid != status["pid"] or task.started is None:
            changes.update(pid=status["pid"], started=status["started"])
        state, reason = _state_of(status)
        if task.state is not state and task.state is not State.STOPPING:
            changes.update(state=state, state_reason=reason)
        if changes:
            await self._change(task, **changes)

    async def _take_exit(self, task_id: str, record: dict[str, Any]) -> None:
        task = self._store.get(task_id)
        if task is not None and task.live and record.get("attempt") == task.attempt:
            self._exited[task_id] = task.attempt
            try:
                await self._end(task, outcome(record))
            except PtyTasksError as error:
                self._log.warning("task %s: %s", task_id, error)  # the keeper tries again

    async def _end(self, task: Task, changes: dict[str, Any]) -> None:
        more = await self.at_end(task, changes["state"]) if self.at_end is not None else {}
        await self._change(task, **changes, **more)

    async def _change(self, task: Task, **changes: Any) -> None:
        try:
            await self._store.change(task.id, attempt=task.attempt, **changes)
        except (IllegalMove, TaskNotFound):
            pass  # another server was quicker

    # -- what silence means -----------------------------------------------------------------------------------------

    async def _settle(self, task_id: str) -> bool:
        """Find out what became of a task whose ptyhost does not answer; True when it has ended, and that is written
        down.

        Silence alone means nothing: as long as somebody holds the task's lock, its ptyhost lives.
        """
        task = self._store.get(task_id)
        if task is None or not task.live:
            return True
        changes = await asyncio.to_thread(self._find_end, task)
        if changes is None:
            return False
        await self._end(task, changes)
        return True

    def _find_end(self, task: Task) -> dict[str, Any] | None:
        if self._catalogue.is_hosted(task.id):
            return None
        # In this order: the record was written before the lock was let go.
        ending = self._catalogue.ending(task)
        if ending is not None:
            return ending
        host = self._catalogue.host(task)
        if host is None and task.state not in STARTED:
            message = "the server ended while it was starting the task; nothing ran"
            return {
                "state": State.FAILED,
                "state_reason": "start_interrupted",
                "state_message": message,
                "ended": time.time(),
            }
        reason, message = "host_vanished", "its ptyhost vanished; the command got a hang-up"
        if host is not None and host.get("boot_id") != boot_id():
            reason, message = "reboot", "the machine was started anew"
        output = self._catalogue.output(task.id)
        return {
            "state": State.LOST,
            "state_reason": reason,
            "state_message": message,
            "ended": time.time(),
            "output": output,
        }


def _state_of(status: dict[str, Any]) -> tuple[State, str]:
    if status.get("stopping"):
        return State.STOPPING, status["stopping"]
    return (State.PAUSED if status.get("paused") else State.RUNNING), ""
