"""Keeps this server linked to the ptyhosts of all active tasks."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...core.errors import HostUnreachable, InvalidState, PtyTasksError
from ...core.states import State, is_news
from ...storage.records import changes_from_exit
from ..listeners import Listeners
from .failures import Failures
from .link import Link
from .lookout import Lookout
from .outcomes import Outcomes

if TYPE_CHECKING:
    import logging
    from collections.abc import Coroutine, Iterator

    from ...core.model import Task
    from ...provision.base import Provisioners
    from ...storage.task_dirs import TaskDirs
    from ..changes import Change
    from ..store import Store

#: Retry delay for an unreachable ptyhost in seconds; doubled up to the second number.
_RETRY = 0.05
_RETRY_MAX = 1.0
#: The same for a ptyhost on another machine, of which only the exit record is visible here.
_RETRY_ELSEWHERE = 5.0
#: Seconds until a ptyhost must respond if the link is made on demand.
_PATIENCE_ON_DEMAND = 30.0
#: Seconds between two checks whether a link is still needed.
_USELESS = 5.0


class Supervisor:
    """Keeps a link to the ptyhost of every active task in the store.

    All servers link to a task, no matter which one started it; the first to see its end stores it. `close` it: the
    tasks keep running.
    """

    def __init__(self, store: Store, task_dirs: TaskDirs, provisioners: Provisioners, log: logging.Logger) -> None:
        self._store = store
        self._task_dirs = task_dirs
        self._provisioners = provisioners
        self._log = log
        self._links: dict[str, Link] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._chores: set[asyncio.Task[None]] = set()
        #: Attempts whose end was reported but is not in the database yet: on a busy disk this may take seconds.
        self._exited: dict[str, int] = {}
        #: The names of other machines on which tasks run.
        self._elsewhere: dict[str, str] = {}
        #: Tasks that this server is just starting, and whose state it sets itself.
        self._left_alone: set[str] = set()
        #: Called on the loop with the id of a task of which only the output has grown.
        self.on_output: Listeners[str] = Listeners()
        #: Called on the loop with the id of a task whose status has changed.
        self.on_update: Listeners[str] = Listeners()
        self._failures = Failures(log)
        self.outcomes = Outcomes(store, task_dirs, provisioners)
        self.lookout = Lookout(
            store, task_dirs, provisioners, self.outcomes, self._failures,
            links=self._links, left_alone=self._left_alone,
        )  # fmt: skip
        store.listeners.append(self._on_change)
        store.on_first_look = self._find_started

    def close(self) -> None:
        """Close all links."""
        self._store.listeners.remove(self._on_change)
        self.lookout.close()
        for job in [*self._keepers.values(), *self._chores]:
            job.cancel()
        for link in self._links.values():
            link.close()
        self._keepers.clear()
        self._links.clear()

    def link(self, task_id: str) -> Link | None:
        """Return the link to a task's ptyhost, connected or not; None for a task that is not active."""
        return self._links.get(task_id)

    def machine(self, task_id: str) -> str | None:
        """Return the name of the machine on which an active task runs; None for this machine."""
        return self._elsewhere.get(task_id)

    async def connected(self, task_id: str, patience: float = 5.0) -> Link:
        """Return the link of an active task, connected to the ptyhost of its current attempt.

        Raises InvalidState if the task has ended, HostUnreachable after `patience` seconds.
        """
        begun = time.monotonic()
        deadline = begun + patience
        while True:
            # Another server may have seen its end, or deleted it.
            await self._store.refresh()
            task = self._store.get(task_id)
            if task is None or not task.active or self._exited.get(task_id) == task.attempt:
                raise InvalidState("the task has ended", field="state")
            link = self._links.get(task_id)
            if link is not None:
                link.want()
            if self._provisioners.queues(task):
                deadline = max(deadline, begun + _PATIENCE_ON_DEMAND)
            # Another server may have started an attempt to whose ptyhost this link is not connected.
            if link is not None and link.connected and link.status.get("attempt") == task.attempt:
                return link
            if task_id in self._elsewhere:
                raise HostUnreachable(f"the task runs on {self._elsewhere[task_id]} and cannot be reached from here")
            if time.monotonic() > deadline:
                raise HostUnreachable("the task's ptyhost does not respond; the task may still be running")
            await asyncio.sleep(_RETRY / 2)

    def keep(self, task: Task) -> None:
        """Start keeping a link to an active task's ptyhost, unless there is one already."""
        if task.active and task.id not in self._keepers and task.id not in self._left_alone:
            self._keepers[task.id] = asyncio.create_task(self._keep(task.id))

    @contextmanager
    def left_alone(self, task_id: str) -> Iterator[None]:
        """Keep no link to a task within the block, which starts its ptyhost."""
        self._left_alone.add(task_id)
        try:
            yield
        finally:
            self._left_alone.discard(task_id)
            task = self._store.get(task_id)
            if task is not None:
                self.keep(task)

    def _on_change(self, change: Change) -> None:
        if change.new is not None and change.new.active:
            self.keep(change.new)
        elif change.old is not None and change.old.active:
            self._drop(change.task_id)

    def _drop(self, task_id: str) -> None:
        self._exited.pop(task_id, None)
        self._elsewhere.pop(task_id, None)
        self._failures.forget(task_id)
        keeper = self._keepers.pop(task_id, None)
        if keeper is not None and keeper is not asyncio.current_task():
            keeper.cancel()
        link = self._links.pop(task_id, None)
        if link is not None:
            link.close()
        self.on_update(task_id)

    async def _keep(self, task_id: str) -> None:
        """Connect, wait until the connection is lost, find out why, and repeat until the task has ended."""
        lost = asyncio.Event()
        link = self._links[task_id] = Link(
            on_head=lambda: self.on_output(task_id),
            on_status=lambda status: self._chore(self._take_status(task_id, link, status)),
            on_exit=lambda record: self._chore(self._take_exit(task_id, record)),
            on_lost=lost.set,
        )
        retry = _RETRY
        me = asyncio.current_task()
        while (task := self._store.get(task_id)) is not None and task.active:
            if self._provisioners.queues(task) and not link.is_wanted:
                await link.until_wanted()
                continue
            try:
                if await self._connect(task, link):
                    retry = _RETRY
                    await self._until_lost(task, link, lost)
                    self.on_update(task_id)
            except Exception as error:  # noqa: BLE001  whatever it is, the next try may do better
                self._failures.log(task_id, error)
            try:
                await self.outcomes.settle(task_id)
            except Exception as error:  # noqa: BLE001  such as a full disk: there may be room later
                self._failures.log(task_id, error)
            if self._keepers.get(task_id) is not me:
                return  # it has ended, and needs no link
            await asyncio.sleep(retry)
            retry = min(retry * 2, _RETRY_ELSEWHERE if task_id in self._elsewhere else _RETRY_MAX)

    async def _connect(self, task: Task, link: Link) -> bool:
        """Connect a link; return False if the ptyhost does not respond, after settling the task's state if possible."""
        provisioner = self._provisioners.of(task)
        self._locate(task.id, await asyncio.to_thread(provisioner.machine, task))
        try:
            await link.connect(lambda protocol: provisioner.connect(task, protocol), task.id)
        except HostUnreachable:
            await asyncio.to_thread(provisioner.wake, task)
            return False
        self._elsewhere.pop(task.id, None)
        self._failures.forget(task.id)
        return True

    async def _until_lost(self, task: Task, link: Link, lost: asyncio.Event) -> None:
        """Wait until a link is lost; close one that is not needed, where links are not kept permanently."""
        while not lost.is_set():
            try:
                await asyncio.wait_for(lost.wait(), _USELESS if self._provisioners.queues(task) else None)
            except asyncio.TimeoutError:
                if not link.is_wanted:
                    link.close()
                    return
        lost.clear()

    def _locate(self, task_id: str, machine: str | None) -> None:
        """Remember on which other machine a task runs."""
        if machine is None:
            self._elsewhere.pop(task_id, None)
        elif task_id not in self._elsewhere:
            self._elsewhere[task_id] = machine
            self.on_update(task_id)

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        chore = asyncio.create_task(work)
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    # -- reports of a ptyhost ---------------------------------------------------------------------------------------

    async def _take_status(self, task_id: str, link: Link, status: dict[str, Any]) -> None:
        """Announce and store a status; if the disk is full, retry until there is a newer one."""
        self.on_update(task_id)
        while self._links.get(task_id) is link and link.status is status:
            try:
                await self._note_status(task_id, status)
                return
            except PtyTasksError as error:
                self._log.warning("task %s: %s", task_id, error)
                await asyncio.sleep(_RETRY_MAX)

    async def _note_status(self, task_id: str, status: dict[str, Any]) -> None:
        """Update the store from a status, which is authoritative."""
        task = self._store.get(task_id)
        if task is None or not task.active or status.get("attempt") != task.attempt or task_id in self._left_alone:
            return
        state, reason = state_of(status)
        if task.pid is None or task.started is None or is_news(task.state, state):
            facts = {"pid": status["pid"], "started": status["started"], "state_reason": reason}
            await self.outcomes.observe(task, state, **facts)

    async def _take_exit(self, task_id: str, record: dict[str, Any]) -> None:
        task = self._store.get(task_id)
        if task is not None and task.active and record.get("attempt") == task.attempt:
            self._exited[task_id] = task.attempt
            try:
                if self._provisioners.queues(task):
                    await self.outcomes.settle(task_id)  # the place decides what it means
                else:
                    await self.outcomes.end(task, changes_from_exit(record))
            except PtyTasksError as error:
                self._log.warning("task %s: %s", task_id, error)  # retried by the task that keeps the link

    async def _find_started(self) -> None:
        """Store the outcomes of tasks that a server was just starting: it may have been killed after it had responded
        that they run.
        """
        for task in self._store.active:
            if task.state is State.STARTING and not self._provisioners.queues(task):
                try:
                    await self.outcomes.settle(task.id)
                except (PtyTasksError, OSError) as error:
                    self._failures.log(task.id, error)  # its link will find out


def state_of(status: dict[str, Any]) -> tuple[State, str]:
    """Return the state that a ptyhost reports, and the reason of a stop."""
    if status.get("stopping"):
        return State.STOPPING, str(status["stopping"])
    return (State.PAUSED if status.get("paused") else State.RUNNING), ""
