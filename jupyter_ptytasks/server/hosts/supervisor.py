"""The ptyhosts of all live tasks, as this server is linked to them; and what becomes of a task whose ptyhost is
gone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING, Any

from ...core.errors import HostUnreachable, InvalidState, PtyTasksError, TaskNotFound, shortage
from ...core.hostlog import last_line
from ...core.machine import boot_id, is_here, is_running
from ...core.states import STARTED, State, is_news
from ...storage.task_dirs import changes_from_exit
from ..listeners import Listeners
from .link import Link

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Coroutine

    from ...core.model import Task
    from ...storage.task_dirs import TaskDirs
    from ..store import Store

#: Seconds until a ptyhost that could not be reached is tried again; doubled up to the second number.
_RETRY = 0.05
_RETRY_MAX = 1.0
#: The same for one on another machine, whose exit record is all that can be seen of it here.
_RETRY_ELSEWHERE = 5.0
#: Seconds after which a ptyhost has a socket, unless somebody has removed it.
_SETTLED = 2.0


class Supervisor:
    """Keeps a link to the ptyhost of every task that the store says is live.

    Whoever started a task, all servers link to it; whoever sees its end first writes it down. `runtime_dir` holds the
    sockets. `close` it: the tasks run on.
    """

    def __init__(self, store: Store, task_dirs: TaskDirs, runtime_dir: str, log: logging.Logger) -> None:
        self._store = store
        self._task_dirs = task_dirs
        self.runtime_dir = runtime_dir
        self._log = log
        self._links: dict[str, Link] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._chores: set[asyncio.Task[None]] = set()
        #: The attempts whose end was told, and is not yet written down: on a busy disk that may take seconds.
        self._exited: dict[str, int] = {}
        #: The names of other machines on which tasks run.
        self._elsewhere: dict[str, str] = {}
        #: Tasks that this server is just starting: nobody else's business until it has.
        self.starting: set[str] = set()
        #: Called on the loop with the id of a task whose output has grown or whose status has changed.
        self.on_update: Listeners[str] = Listeners()
        #: Asked when a task is about to come to an end, in this state: gives what else is to be written down of it.
        self.end_hook: Callable[[Task, State], Awaitable[dict[str, Any]]] | None = None
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

    def machine(self, task_id: str) -> str | None:
        """Return the name of the other machine on which a live task runs; None for one that runs on this machine."""
        return self._elsewhere.get(task_id)

    def socket_path(self, task_id: str) -> str:
        """Return where the socket of a task's ptyhost is."""
        return os.path.join(self.runtime_dir, f"{task_id}.sock")

    async def connected(self, task_id: str, patience: float = 5.0) -> Link:
        """Give the link of a live task, connected to the ptyhost of its present attempt.

        Raises InvalidState when the task has ended, HostUnreachable after `patience` seconds without either.
        """
        deadline = time.monotonic() + patience
        while True:
            task = self._store.get(task_id)
            if task is None or not task.live or self._exited.get(task_id) == task.attempt:
                raise InvalidState("the task has ended", field="state")
            link = self._links.get(task_id)
            # Another server may have begun an attempt whose ptyhost this link does not lead to.
            if link is not None and link.connected and link.status.get("attempt") == task.attempt:
                return link
            if task_id in self._elsewhere:
                raise HostUnreachable(f"the task runs on {self._elsewhere[task_id]}; it cannot be reached from here")
            if time.monotonic() > deadline:
                raise HostUnreachable("the task's ptyhost cannot be reached just now; the task may well be running")
            await asyncio.sleep(_RETRY / 2)

    def keep(self, task: Task) -> None:
        """Begin to keep a link to the task's ptyhost, unless that is done already."""
        if task.id not in self._keepers and task.id not in self.starting:
            self._keepers[task.id] = asyncio.create_task(self._keep(task.id))

    def _on_change(self, old: Task | None, new: Task | None) -> None:
        if new is not None and new.live:
            self.keep(new)
        elif old is not None:
            self._drop(old.id)

    def _drop(self, task_id: str) -> None:
        self._exited.pop(task_id, None)
        self._elsewhere.pop(task_id, None)
        keeper = self._keepers.pop(task_id, None)
        if keeper is not None and keeper is not asyncio.current_task():
            keeper.cancel()
        link = self._links.pop(task_id, None)
        if link is not None:
            link.close()
        self._tell(task_id)

    def _tell(self, task_id: str) -> None:
        self.on_update(task_id)

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
        host: dict[str, Any] | None = None
        while (task := self._store.get(task_id)) is not None and task.live:
            try:
                host = await asyncio.to_thread(self._task_dirs.host, task)
                self._locate(task_id, host)
                # Where its directory is gone, a ptyhost that lives answers all the same, where all of them do.
                path = host["socket"] if host is not None else self.socket_path(task_id)
                await link.connect(path, task_id)
                self._elsewhere.pop(task_id, None)
                retry = _RETRY
                await lost.wait()
                lost.clear()
                self._tell(task_id)
            except HostUnreachable:
                self._call_back(host)
            except Exception as error:  # noqa: BLE001  whatever it is, the next try may do better
                self._tell_failure(task_id, error)
            try:
                if await self._settle(task_id):
                    return
            except Exception as error:  # noqa: BLE001  such as a full disk: there may be room later
                self._tell_failure(task_id, error)
            await asyncio.sleep(retry)
            retry = min(retry * 2, _RETRY_ELSEWHERE if task_id in self._elsewhere else _RETRY_MAX)

    def _tell_failure(self, task_id: str, error: Exception) -> None:
        """Log what keeps us from a task, in a line where we know what it is. It is tried again and again."""
        if shortage(error) is not None:
            self._log.debug("task %s: %s", task_id, error)  # whoever asks for something meanwhile is told
        elif isinstance(error, PtyTasksError):
            self._log.warning("task %s: %s", task_id, error)
        else:
            self._log.error("task %s: the link to its ptyhost failed", task_id, exc_info=error)

    def _locate(self, task_id: str, host: dict[str, Any] | None) -> None:
        """Note where a task runs."""
        if host is None or is_here(host):
            self._elsewhere.pop(task_id, None)
        elif task_id not in self._elsewhere:
            self._elsewhere[task_id] = host["hostname"]
            self._tell(task_id)

    def _call_back(self, host: dict[str, Any] | None) -> None:
        """Ask a ptyhost for its socket if somebody has removed it, as cleaners of temporary directories do."""
        if host is None or os.path.exists(host["socket"]) or not is_here(host) or host.get("boot_id") != boot_id():
            return
        # One that has just been started may have no socket yet, and would die of the signal.
        is_settled = time.time() - host.get("started", 0.0) > _SETTLED
        if is_settled and is_running(host["host_pid"], host.get("host_start", 0)):
            try:
                os.kill(host["host_pid"], signal.SIGUSR1)
            except OSError:
                pass  # it has just ended

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
        if task is None or not task.live or status.get("attempt") != task.attempt or task_id in self.starting:
            return
        state, reason = state_of(status)
        if task.pid is None or task.started is None or is_news(task.state, state):
            facts = {"pid": status["pid"], "started": status["started"], "state_reason": reason}
            await self._observe(task, state, **facts)

    async def _take_exit(self, task_id: str, record: dict[str, Any]) -> None:
        task = self._store.get(task_id)
        if task is not None and task.live and record.get("attempt") == task.attempt:
            self._exited[task_id] = task.attempt
            try:
                await self._end(task, changes_from_exit(record))
            except PtyTasksError as error:
                self._log.warning("task %s: %s", task_id, error)  # the keeper tries again

    async def _end(self, task: Task, changes: dict[str, Any]) -> None:
        more = await self.end_hook(task, changes["state"]) if self.end_hook is not None else {}
        await self._observe(task, **changes, **more)

    async def _observe(self, task: Task, state: State, **facts: Any) -> None:
        try:
            await self._store.observe(task.id, task.attempt, state, **facts)
        except TaskNotFound:
            pass  # somebody has deleted it

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
        # In this order: the record is written before the lock is let go.
        hosted = self._task_dirs.is_hosted(task)
        ending = self._task_dirs.read_exit(task) if not hosted else None
        if hosted or ending is not None:
            return ending
        host = self._task_dirs.host(task)
        if host is not None and not is_here(host):
            return None
        if host is None and task.state not in STARTED:
            message = "the server ended while it was starting the task; nothing ran"
            return {
                "state": State.FAILED,
                "state_reason": "start_interrupted",
                "state_message": message,
                "ended": time.time(),
            }
        reason, message = "host_vanished", "the ptyhost died; the command was sent SIGHUP"
        if host is not None and host.get("boot_id") != boot_id():
            reason, message = "reboot", "the machine rebooted"
        elif not self._task_dirs.exists(task.id):
            reason, message = "directory_removed", "the task's directory was removed, and its ptyhost does not answer"
        why = last_line(self._task_dirs.files(task.id).log)
        output = self._task_dirs.output(task.id)
        return {
            "state": State.LOST,
            "state_reason": reason,
            "state_message": f"{message} ({why})" if why else message,
            "ended": time.time(),
            "output": output,
        }

    async def correct(self, task: Task) -> None:
        """Take in the exit record of a task that was given up as lost, if it has turned up after all."""
        found = await asyncio.to_thread(self._task_dirs.read_exit, task)
        if found is not None:
            await self._end(task, found)


def state_of(status: dict[str, Any]) -> tuple[State, str]:
    """Return the state that a ptyhost tells of, and the reason of a stop."""
    if status.get("stopping"):
        return State.STOPPING, str(status["stopping"])
    return (State.PAUSED if status.get("paused") else State.RUNNING), ""
