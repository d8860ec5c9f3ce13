"""The verbs for existing tasks: find, pause, wait, change. `stopping`, `removing`, `launching` and `talking` have the
others.
"""

from __future__ import annotations

import asyncio
import functools
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from ..core.errors import InternalError, InvalidState, NoResult
from ..core.queue.turn import runs_again
from ..core.states import State, check
from ..storage import notes
from ..storage.records import RESTARTING
from .hosts.link import Channel
from .hosts.supervisor import state_of
from .waiting import Waiter, is_over

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractContextManager

    from ..core.labels import Relabeling
    from ..core.model import Task
    from ..core.ring.reader import RingReader
    from .context import Context
    from .hosts.link import Link
    from .hosts.supervisor import Supervisor

#: Seconds for a ptyhost to confirm a request.
_SETTLING = 2.0


class Control:
    """Finds, pauses and changes tasks. Every verb takes an id or a name and raises errors of core.errors, such as
    TaskNotFound.
    """

    def __init__(self, context: Context, supervisor: Supervisor, waiter: Waiter) -> None:
        self._store = context.store
        self._task_dirs = context.task_dirs
        self._supervisor = supervisor
        self._provisioners = context.provisioners
        self._waiter = waiter
        #: The ids of tasks that this server will restart as soon as they have ended.
        self.restarting: set[str] = set()

    # -- finding ----------------------------------------------------------------------------------------------------

    async def get(self, ref: str) -> Task:
        """Return a task."""
        await self._store.refresh()
        return await self._store.find(ref)

    async def list_all(self) -> list[Task]:
        """Return all tasks, newest first."""
        await self._store.refresh()
        return self._store.tasks

    async def list_active(self) -> list[Task]:
        """Return the tasks that have a terminal, newest first."""
        await self._store.refresh()
        return self._store.active

    def look_up(self, ref: str) -> Task | None:
        """Return the last known state of a task, without refreshing; None if it is not known."""
        return self._store.look_up(ref)

    def link(self, task_id: str) -> Link | None:
        """Return the link to a task's ptyhost, connected or not; None for a task that is not active."""
        return self._supervisor.link(task_id)

    def open_ring(self, task: Task) -> RingReader:
        """Open the output of a task. The caller closes it."""
        return self._task_dirs.open_ring(task.id)

    async def open_result(self, ref: str) -> BinaryIO:
        """Open what the task's function returned or raised in the last attempt. The caller closes it.

        Raises InvalidState until it has ended for good, NoResult if there is no result.
        """
        task = await self.get(ref)
        if not await asyncio.to_thread(os.path.exists, self._task_dirs.files(task.id).function):
            raise NoResult("the task does not run a Python function")
        if task.live or self.is_restarting(task) or runs_again(task):
            raise InvalidState("the function has not ended yet, or will be retried", field="state")
        return await asyncio.to_thread(self._task_dirs.open_result, task)

    def is_restarting(self, task: Task) -> bool:
        """Return whether this or another server will restart the task as soon as it has ended."""
        return task.id in self.restarting or was_stopped_to_restart(task)

    # -- reaching ---------------------------------------------------------------------------------------------------

    async def reach(self, ref: str) -> tuple[Task, Link]:
        """Return a running task and its link. Raises InvalidState if it is pending or has ended, HostUnreachable."""
        task = await self.get(ref)
        if task.pending:
            raise InvalidState(f"the task has not started yet: {task.state.value}", field="state")
        if not task.live:
            raise InvalidState(f"the task has already ended: {task.state.value}", field="state")
        link = await self._supervisor.connected(task.id)
        # Its state may have changed from `starting` meanwhile.
        return self._store.get(task.id) or task, link

    async def open_channel(
        self, task: Task, on_frame: Callable[[int, bytes], None], on_lost: Callable[[], None], **about: Any
    ) -> Channel:
        """Open a separate connection to the ptyhost, for a client that types. Raises HostUnreachable. The caller
        closes it.
        """
        provisioner = self._provisioners.of(task)
        return await Channel.open(lambda protocol: provisioner.connect(task, protocol), on_frame, on_lost, **about)

    # -- pausing ----------------------------------------------------------------------------------------------------

    async def pause(self, ref: str) -> Task:
        """Suspend the whole tree (SIGSTOP) until `resume`."""
        return await self._halt(ref, State.PAUSED, "SIGSTOP")

    async def resume(self, ref: str) -> Task:
        """Let a paused task continue."""
        return await self._halt(ref, State.RUNNING, "SIGCONT")

    async def _halt(self, ref: str, state: State, name: str) -> Task:
        task, link = await self.reach(ref)
        if task.state is not state:
            check(task.state, state)
        link.signal(name, "tree")
        return await self.settled(task, state)

    # -- waiting ----------------------------------------------------------------------------------------------------

    async def settled(self, task: Task, state: State) -> Task:
        """Wait until the ptyhost has confirmed a change, and return the task.

        The state is not changed here: an earlier report of the ptyhost might change it back.
        """

        def reported() -> bool:
            """Whether the ptyhost has confirmed it while the database is locked by another process."""
            link = self.link(task.id)
            status = link.status if link is not None and self._store.stale_since is not None else {}
            return status.get("attempt") == task.attempt and state_of(status)[0] is state

        await self._waiter.until(
            task.id, lambda now: now.state is state or is_over(task, now), _SETTLING, or_else=reported
        )
        now = self._store.get(task.id) or task
        return now.with_(state=state) if reported() and not is_over(task, now) else now

    async def wait(self, ref: str, timeout: float) -> Task:
        """Return the task when it has ended (and will not be retried or restarted), or after `timeout` seconds."""
        task = await self.get(ref)
        await self._waiter.until(
            task.id, lambda now: not (now.live or self.is_restarting(now) or runs_again(now)), timeout
        )
        return self._store.get(task.id) or task

    async def ended(self, task: Task, timeout: float | None) -> None:
        """Return when the current attempt of `task` has ended, or after `timeout` seconds."""
        await self._waiter.ended(task, timeout)

    # -- changing ---------------------------------------------------------------------------------------------------

    async def relabel(self, ref: str, change: Relabeling) -> Task:
        """Change the labels of a task. Raises BadRequest if it would have too many tags."""
        task = await self.get(ref)
        specs = self._task_dirs.specs
        return await self._store.edit(task.id, change, lambda task: specs.replaced(specs.labeled(task)))

    async def read_notes(self, ref: str) -> str:
        """Return the notes of a task, as Markdown."""
        task = await self.get(ref)
        async with self.unless_deleted(task):
            return await asyncio.to_thread(self._task_dirs.notes.read, task.id)

    async def write_notes(self, ref: str, text: str, expected: str | None) -> Task:
        """Replace the notes of a task, and return the task. `expected` is the ETag of the notes that the writer has
        seen (None: any). Raises NotesChanged if they have changed since, TooLarge.
        """
        notes.check(text)
        task = await self.get(ref)
        also = functools.partial(self._replaced_notes, text=text, expected=expected)
        return await self._store.change(task.id, also, notes=notes.tag_of(text))

    def _replaced_notes(self, task: Task, text: str, expected: str | None) -> AbstractContextManager[None]:
        return self._task_dirs.notes.replaced(task.id, text, expected)

    @asynccontextmanager
    async def unless_deleted(self, task: Task) -> AsyncIterator[None]:
        """Raise TaskNotFound if the block fails because the task was deleted."""
        try:
            yield
        except InternalError:
            await self._store.confirm(task.id)
            raise


def was_stopped_to_restart(task: Task) -> bool:
    """Return whether a task was stopped for a restart, by any server."""
    return task.state is State.CANCELLED and task.state_reason == RESTARTING
