"""The verbs that end tasks: stop, cancel, and end the processes that a command has left running."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core import leftovers
from ..core.errors import InternalError, InvalidState
from ..core.model import Kind
from ..core.queue.turn import runs_again
from ..core.signals import KILL
from ..core.states import PENDING, State

if TYPE_CHECKING:
    from ..core.model import Task
    from .context import Context
    from .control import Control
    from .spec import StopSequence
    from .waiting import Waiter

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


class Stopper:
    """Ends tasks. Every verb takes an id or a name and raises errors of core.errors, such as TaskNotFound."""

    def __init__(self, context: Context, control: Control, waiter: Waiter) -> None:
        self._control = control
        self._waiter = waiter
        self._store = context.store
        self._task_dirs = context.task_dirs
        self._provisioners = context.provisioners
        self._spawn_defaults = context.spawn_defaults

    async def stop(self, ref: str, sequence: StopSequence | None = None) -> Task:
        """Begin to stop a task: its ptyhost sends the signals of `sequence` (default: the task's own) until the whole
        tree is gone. A pending task is canceled immediately; one that has failed and was to be retried is not retried.

        A task that is already stopping continues with the new sequence. Raises InvalidState if it has ended,
        HostUnreachable.
        """
        while True:
            task = await self._control.get(ref)
            if runs_again(task):
                task, forgone = await self._forgo_retry(task)
                if forgone:
                    return task
            try:
                stopped = await self._stop_attempt(task, sequence)
            except InvalidState:
                # Its end may be known before it is recorded.
                await self._control.ended(task, _SETTLING)
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
        return await self._control.settled(await self.begin_stop(task.id, sequence, "cancelled"), State.STOPPING)

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
        task = await self._control.get(ref)
        if task.active and not self._provisioners.connects(task):
            await asyncio.to_thread(self._provisioners.of(task).stop, task, reason)
            return await self._store.observe(task.id, task.attempt, State.STOPPING, state_reason=reason)
        sequence = sequence or await self.sequence_of(task)
        task, link = await self._control.reach(ref)
        link.stop(sequence, reason)
        return task

    async def sequence_of(self, task: Task) -> StopSequence:
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
        task = await self._control.get(ref)
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
