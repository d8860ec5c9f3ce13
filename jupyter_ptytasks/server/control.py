"""The verbs for existing tasks: find, stop, pause, wait, change, delete. `launching` and `talking` have the others."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from ..core import leftovers
from ..core.errors import (
    InternalError,
    InvalidState,
    NoResult,
)
from ..core.model import Kind
from ..core.queue.turn import runs_again
from ..core.signals import KILL
from ..core.states import PENDING, State, check
from ..storage import notes
from ..storage.records import RESTARTING
from .hosts.link import Channel
from .hosts.supervisor import state_of
from .removing import Remover
from .waiting import Waiter, is_over

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractContextManager

    from ..core.model import Task
    from ..core.ring.reader import RingReader
    from .context import Context
    from .hosts.link import Link
    from .hosts.supervisor import Supervisor
    from .spec import StopSequence

#: Polling interval for changes that are not reported, in seconds.
_LOOKING = 0.1
#: Seconds until the start of a task at another place must be known.
_STARTED = 10.0
#: Seconds for a ptyhost to confirm a request.
_SETTLING = 2.0
#: Seconds beyond the grace periods of a stop sequence until a stop is considered failed.
STOP_SLACK = 30.0
#: Seconds before leftover processes of a command are killed.
_LEFTOVER_GRACE = 5.0


class Control:
    """Finds, stops and changes tasks. Every verb takes an id or a name and raises errors of core.errors, such as
    TaskNotFound.
    """

    def __init__(self, context: Context, supervisor: Supervisor) -> None:
        self._store = context.store
        self._task_dirs = context.task_dirs
        self._supervisor = supervisor
        self._provisioners = context.provisioners
        self._spawn_defaults = context.spawn_defaults
        self._waiter = Waiter(context.store, supervisor)
        self._remover = Remover(context)
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

    # -- stopping ---------------------------------------------------------------------------------------------------

    async def stop(self, ref: str, sequence: StopSequence | None = None) -> Task:
        """Begin to stop a task: its ptyhost sends the signals of `sequence` (default: the task's own) until the whole
        tree is gone. A pending task is canceled immediately; one that has failed and was to be retried is not retried.

        A task that is already stopping continues with the new sequence. Raises InvalidState if it has ended,
        HostUnreachable.
        """
        while True:
            task = await self.get(ref)
            if runs_again(task):
                task, forgone = await self._forgo_retry(task)
                if forgone:
                    return task
            try:
                stopped = await self._stop_attempt(task, sequence)
            except InvalidState:
                # Its end may be known before it is recorded.
                await self.ended(task, _SETTLING)
                if not self._is_retried(task):
                    raise
            else:
                if not self._is_retried(task):
                    return stopped

    async def _stop_attempt(self, task: Task, sequence: StopSequence | None) -> Task:
        """See `stop`; the attempt may end on its own first."""
        if task.pending or (task.state is State.STARTING and self._provisioners.queues(task)):
            task, canceled = await self._cancel(task)
            if canceled:
                return task
            # It has just started, which is not recorded yet.
            await self._waiter.until(task.id, lambda now: not now.pending, _STARTED)
        return await self.settled(await self.begin_stop(task.id, sequence, "cancelled"), State.STOPPING)

    def _is_retried(self, task: Task) -> bool:
        """Return whether the attempt of `task` has ended on its own, and the next one is not stopped yet."""
        now = self._store.get(task.id) or task
        return runs_again(now) or (now.live and now.attempt != task.attempt and now.state is not State.STOPPING)

    async def _cancel(self, task: Task) -> tuple[Task, bool]:
        """Cancel a pending task; return it unchanged and False if it has been started meanwhile. Raises
        PlaceUnreachable.
        """
        queues = self._provisioners.queues(task)
        if queues and not await asyncio.to_thread(self._provisioners.of(task).cancel, task):
            return task, False
        facts = {"state_reason": "cancelled", "state_message": "canceled before it started", "ended": time.time()}
        # Its place may just have begun to start it: it will run nothing.
        before = PENDING | {State.STARTING} if queues else PENDING
        task, canceled = await self._store.move(
            task.id, before, State.CANCELLED, also=self._task_dirs.specs.respec, **facts
        )
        # The poll of its place may have recorded it first.
        canceled = canceled or task.state is State.CANCELLED
        if canceled:
            await asyncio.to_thread(self._task_dirs.specs.forget_environment, task.id)
        return task, canceled

    async def _forgo_retry(self, task: Task) -> tuple[Task, bool]:
        """Do not retry a task that has failed; return it and False if it has been queued or started meanwhile."""
        turn = replace(task.turn, retry=None)
        task, forgone = await self._store.move(
            task.id, {task.state}, task.state, also=self._task_dirs.specs.respec, turn=turn
        )
        if forgone:
            await asyncio.to_thread(self._task_dirs.specs.forget_environment, task.id)
        return task, forgone

    async def begin_stop(self, ref: str, sequence: StopSequence | None, reason: str) -> Task:
        """Tell the ptyhost to stop the task, and return the task with the stopping attempt. If the place has no
        connections to ptyhosts, the place stops it in its own way, and this may raise PlaceUnreachable.
        """
        task = await self.get(ref)
        if task.active and not self._provisioners.connects(task):
            await asyncio.to_thread(self._provisioners.of(task).stop, task, reason)
            return await self._store.observe(task.id, task.attempt, State.STOPPING, state_reason=reason)
        sequence = sequence or await self._sequence_of(task)
        task, link = await self.reach(ref)
        link.stop(sequence, reason)
        return task

    async def _sequence_of(self, task: Task) -> StopSequence:
        """Return a task's own stop sequence; the default if its spec is missing, so that it can be stopped anyway."""
        try:
            spec = await asyncio.to_thread(self._task_dirs.specs.read, task.id)
        except InternalError:
            return self._spawn_defaults().stop_sequence(task.kind)
        return tuple((str(name), float(grace)) for name, grace in spec["ladder"])

    async def stop_unless_ended(self, ref: str) -> None:
        """Begin to stop a task, unless it ends on its own first, and is not retried. Raises HostUnreachable."""
        try:
            await self.stop(ref)
        except InvalidState:
            pass  # it has ended first

    def stop_sequence(self, signals: list[str] | None, grace: float | None) -> StopSequence | None:
        """Return the stop sequence with these signals, each followed by this grace period (seconds); None if neither is
        given.
        """
        if signals is None and grace is None:
            return None
        usual = self._spawn_defaults().stop_sequence(Kind.COMMAND)
        names = signals if signals is not None else [name for name, _ in usual]
        return tuple((name, usual[0][1] if grace is None else grace) for name in names)

    async def end_leftover(self, ref: str) -> Task:
        """End the processes that a command has left running: SIGTERM, and after some seconds SIGKILL for the rest.
        Returns when none is left, or when the rest cannot be killed. Raises InvalidState if the task has not ended.
        """
        task = await self.get(ref)
        if task.live:
            raise InvalidState("the task is live; stop it to end its processes", field="state")
        if not self._provisioners.is_here(task):
            raise InvalidState(f"the processes are at {task.provisioner}, and cannot be ended from here", field="place")
        deadline = time.monotonic() + _LEFTOVER_GRACE
        number: int = signal.SIGTERM
        while left := await asyncio.to_thread(self._task_dirs.leftover, task):
            now = time.monotonic()
            if now > deadline + _LEFTOVER_GRACE:
                break  # they are in uninterruptible sleep
            if now > deadline:
                number = KILL
            await asyncio.to_thread(leftovers.send, left, number)
            await asyncio.sleep(_LOOKING)
        return await self._store.change(task.id, leftover=len(left))

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

    # -- changing and deleting --------------------------------------------------------------------------------------

    async def update(self, ref: str, **changes: Any) -> Task:
        """Change the labels of a task (`name`, `tags`, `group`, `metadata`), and whether it is `pinned`."""
        task = await self.get(ref)
        return await self._store.change(task.id, self._changed_spec, **changes)

    def _changed_spec(self, task: Task) -> AbstractContextManager[None]:
        """Update a task's spec, in the transaction that changes the task."""
        spec = self._task_dirs.specs.read(task.id)
        about = {name: getattr(task, name) for name in ("name", "group", "pinned")}
        return self._task_dirs.specs.replaced(
            {**spec, **about, "tags": list(task.tags), "metadata": dict(task.metadata)}
        )

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

    async def delete(self, *refs: str, stop: bool = False, force: bool = False) -> None:
        """Delete ended tasks and their output, all or none; with `stop` live ones are stopped first, with `force` those
        on other machines are abandoned even if they are running. Raises InvalidState, Conflict, HostUnreachable.
        """
        tasks = [await self.get(ref) for ref in refs]
        live = [self._end(task, stop=stop, force=force) for task in tasks if task.live or runs_again(task)]
        for failure in await asyncio.gather(*live, return_exceptions=True):
            if failure is not None:
                raise failure
        await self._remover.delete(tasks)

    async def delete_unpinned(self, tasks: Sequence[Task]) -> list[str]:
        """Delete those of the ended tasks that are still not pinned, all or none, and return their ids. Raises
        InvalidState if one is running again, Conflict, TaskNotFound if none exists.
        """
        return await self._remover.delete(tasks, spare_pinned=True)

    async def _end(self, task: Task, *, stop: bool, force: bool) -> None:
        """Make sure that a task to be deleted has ended."""
        machine = self._supervisor.machine(task.id)
        if force and not self._provisioners.connects(task):
            machine = await asyncio.to_thread(self._provisioners.of(task).machine, task)
        if task.active and force and machine is not None:
            facts = {"state_reason": "given_up", "state_message": f"deleted by force; it ran on {machine}"}
            await self._store.observe(task.id, task.attempt, State.LOST, ended=time.time(), **facts)
            return
        if not stop:
            state = task.state.value if task.live else "to be retried"
            raise InvalidState(f"the task is {state}; stop it first, or add stop=1", field="state")
        sequence = await self._sequence_of(task)
        await self.stop_unless_ended(task.id)
        # Not the end of this attempt: the next one may have begun before it was stopped.
        await self._waiter.until(task.id, lambda now: not now.live, sum(grace for _, grace in sequence) + STOP_SLACK)

    async def erase(self, task: Task) -> None:
        """Delete all data of a task whose lock the caller holds."""
        await self._remover.erase([task])

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
