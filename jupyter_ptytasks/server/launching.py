"""The verbs that start tasks: create, again, restart."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import logging
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.errors import (
    Conflict,
    InternalError,
    InvalidState,
    PtyTasksError,
    SpawnFailed,
    StartUnknown,
    TaskNotFound,
)
from ..core.model import IfExists, new_id
from ..core.names import LOCAL
from ..core.states import State
from ..provision.base import Submitted, right_away
from ..storage.records import RESTARTING, task_of
from . import spec as specs
from .control import was_stopped_to_restart
from .placing import check_place
from .removing import LEAVING
from .stopping import STOP_SLACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from ..core.model import Task, TaskRequest
    from ..provision.base import Provisioner
    from ..storage.locks import Lock
    from .context import Context
    from .control import Control
    from .hosts.supervisor import Supervisor
    from .queueing import Queue
    from .removing import Remover
    from .spec import StopSequence
    from .stopping import Stopper

#: Polling interval for a task that another server may start, in seconds.
_LOOKING = 0.1
#: Seconds after a task was stopped for a restart until another server takes over the restart.
_ORPHANED = 5.0
#: Maximum number of concurrent launches. They have their own threads, since new tasks wait for the database.
_LAUNCHES = 32

_LOG = logging.getLogger(__name__)


class Launcher:
    """Starts tasks. Every verb raises errors of core.errors. `close` it.

    `max_live` limits the active tasks of the user.
    """

    def __init__(
        self,
        context: Context,
        *,
        control: Control,
        stopper: Stopper,
        remover: Remover,
        queue: Queue,
        supervisor: Supervisor,
        max_live: int,
    ) -> None:
        self._control = control
        self._stopper = stopper
        self._remover = remover
        self._queue = queue
        self._store = context.store
        self._task_dirs = context.task_dirs
        self._supervisor = supervisor
        self._provisioners = context.provisioners
        self._spawn_defaults = context.spawn_defaults
        self.max_live = max_live
        self._stopped = context.store.index.where(was_stopped_to_restart)
        #: Restarts that wait for the end of a task, by id.
        self._restarts: dict[str, asyncio.Task[None]] = {}
        self._threads = concurrent.futures.ThreadPoolExecutor(_LAUNCHES, "ptytasks-launch")

    def close(self) -> None:
        """Cancel pending restarts."""
        self._threads.shutdown(wait=False)
        for restart in self._restarts.values():
            restart.cancel()

    # -- new tasks --------------------------------------------------------------------------------------------------

    async def create(self, request: TaskRequest) -> tuple[Task, bool]:
        """Submit a task and launch it, unless it is held or must wait for its turn; return it, running or pending, and
        True; or an existing one found by `if_exists` and False.

        Raises BadRequest, SpawnFailed, NameInUse, TooManyTasks, StorageFull, StoreUnavailable. In these cases nothing
        runs or is left behind (except a failed task, if the disk is too full even to remove it).
        """
        if request.command is None or request.turn.after or self._store.problem is not None:
            await self._store.refresh()  # shells are numbered, and names of others are resolved
        request = replace(request, turn=await self._queue.resolved(request.turn))
        place = self._provisioners.at(request.place or LOCAL)  # one that is new belongs to the loop
        spec, env, lock = await asyncio.to_thread(self._prepare, request, place)
        task = task_of(spec)
        with self._claim(task.id, lock):
            found, added = await self._submit(task, request.if_exists, lock, env)
        if added and task.pending:
            await self._queue.wake()
        if not added and request.if_exists is IfExists.RESTART:
            found = await self.restart(found.id)
        return found, added

    def _prepare(self, request: TaskRequest, place: Provisioner) -> tuple[dict[str, Any], dict[str, str], Lock]:
        now = time.time()
        state = self._queue.state_for(request.group, request.turn, place.name)
        check_place(request, self._provisioners, waits=state.pending or request.hold)
        # If it waits for nothing else, it is held at its place, if that has a queue.
        if request.hold and (not place.queues or state.pending):
            state = State.HELD
        newest = self._store.index.newest
        task_id = new_id(now, newest.id if newest is not None else "")
        defaults = self._spawn_defaults()
        taken = (task.name for task in self._store.live)
        spec = specs.build(request, task_id, now, defaults, taken, shares_files=place.shares_files)
        if request.hold and not state.pending:
            spec["hold"] = True
        if state.pending:
            spec["state"] = state.value
        env = specs.environment(spec, defaults, self._task_dirs.files(task_id).function)
        lock = self._task_dirs.create(spec, env if state.pending else None, request.function)
        if state.pending:
            try:
                # Flush it before it is stored, so that a pending task survives a crash.
                self._task_dirs.specs.flush(task_id)
            except BaseException:
                self._task_dirs.trash.discard(task_id)
                lock.close()
                raise
        return spec, env, lock

    async def _submit(self, task: Task, if_exists: IfExists, lock: Lock, env: Mapping[str, str]) -> tuple[Task, bool]:
        """Insert a task, whose directory exists, into the database, and start it unless it must wait; return it and
        True, or another one and False. If it is not inserted, nothing is left of it.
        """
        adding = asyncio.ensure_future(self._store.add(task, if_exists, self.max_live))
        try:
            if task.pending or if_exists is not IfExists.NEW:
                found, added = await adding
                if task.pending or not added:
                    return found, added
            return await self._launch_new(task, lock, env, adding), True
        finally:
            await asyncio.wait({adding})
            if adding.cancelled() or adding.exception() is not None or not adding.result()[1]:
                await asyncio.to_thread(self._task_dirs.trash.discard, task.id)

    async def _launch_new(
        self, task: Task, lock: Lock, env: Mapping[str, str], adding: asyncio.Future[tuple[Task, bool]]
    ) -> Task:
        """Start a new task, whose ptyhost gets ready while the task is being inserted. If this fails, nothing is left
        of it; if it is running anyway, return it.
        """
        added = _waiting_for(adding)

        def go() -> None:
            # Concurrently with the database's flushes, which the disk combines.
            self._task_dirs.specs.flush(task.id)
            added()

        try:
            return await self._launch(task, lock, env, go)
        except PtyTasksError as error:
            await adding  # if it was not inserted, there is nothing to record
            lock.close()
            own = await asyncio.to_thread(self._task_dirs.lock, task.id, LEAVING)
            if own is None:
                # Whatever went wrong, a process holds the lock: report the task as running, and do not delete it.
                return await self._store.find(task.id)
            with own:
                try:
                    await self._fail_start(task, error)
                    await self._remover.erase(task)
                except InternalError:
                    pass  # a full disk; the supervisor will record that nothing ran once there is space
            raise

    async def again(self, ref: str, change: Callable[[TaskRequest], TaskRequest]) -> Task:
        """Start another task like this one, live or not, and return it. `change` gets the request of this task, and
        returns that of the new one. Raises what `create` and `change` raise, InternalError if the request is lost.
        """
        task = await self._control.get(ref)
        files = self._task_dirs.specs
        spec = await asyncio.to_thread(files.read, task.id)
        function = await asyncio.to_thread(files.read_function, task.id) if spec.get("function") else None
        started, _ = await self.create(change(specs.request_of(spec, None, function)))
        return started

    # -- starting ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _claim(self, task_id: str, lock: Lock) -> Iterator[None]:
        """Keep this server from linking to a task while starting it, and finally release its lock."""
        with lock, self._supervisor.left_alone(task_id):
            yield

    async def _launch_or_fail(self, task: Task, lock: Lock, env: Mapping[str, str]) -> Task:
        try:
            return await self._launch(task, lock, env)
        except PtyTasksError as error:
            await self._fail_start(task, error)
            raise

    async def _launch(
        self, task: Task, lock: Lock, env: Mapping[str, str], go: Callable[[], None] = right_away
    ) -> Task:
        """Start the ptyhost of a task that is `starting`, and return the updated task. For `go` see
        Provisioner.launch.
        """
        try:
            launch = functools.partial(self._provisioners.of(task).launch, task, lock, env, go)
            started = await asyncio.get_running_loop().run_in_executor(self._threads, launch)
        except StartUnknown:
            return task  # the supervisor will find out
        if isinstance(started, Submitted):
            return await self._store.observe(task.id, task.attempt, **started.changes)
        facts = started.facts()
        try:
            return await self._store.observe(task.id, task.attempt, State.RUNNING, **facts)
        except (InternalError, TaskNotFound):
            # It is running, even if that cannot be stored; the supervisor will store it as soon as possible.
            return task.with_(state=State.RUNNING, **facts)

    async def _lock_next(self, task: Task) -> Lock | None:
        """Take the lock for the attempt after `task`, once the ptyhost of the previous one has exited; None if another
        server has started it meanwhile. Raises Conflict if that ptyhost does not exit.
        """
        deadline = time.monotonic() + LEAVING
        async with self._control.unless_deleted(task):
            while (lock := await asyncio.to_thread(self._task_dirs.lock, task.id, _LOOKING)) is None:
                await self._store.refresh(0.0)
                now = await self._store.find(task.id)
                if now.attempt != task.attempt:
                    return None
                if time.monotonic() > deadline:
                    raise Conflict("the task's ptyhost has not ended yet; try again")
        return lock

    async def _environment(self, task: Task) -> dict[str, str]:
        """Return the environment of a task's next attempt. Raises InternalError if its spec is missing or damaged,
        SpawnFailed if no program can be started with it.
        """
        async with self._control.unless_deleted(task):
            spec = await asyncio.to_thread(self._task_dirs.specs.read, task.id)
        return specs.environment(spec, self._spawn_defaults(), self._task_dirs.files(task.id).function)

    async def _fail_start(self, task: Task, error: PtyTasksError) -> None:
        reason = "spawn_error" if isinstance(error, SpawnFailed) else error.code
        facts = {"state_reason": reason, "state_message": error.message, "ended": time.time()}
        await self._store.observe(task.id, task.attempt, State.FAILED, **facts)

    # -- restarting -------------------------------------------------------------------------------------------------

    async def restart(self, ref: str, sequence: StopSequence | None = None) -> Task:
        """Run a task again, with the same id, name and output; a running one is stopped first, and restarted when it
        has ended, if necessary by another server.

        Concurrent restarts run it only once. Raises InvalidState for a task that has not started.
        """
        task = await self._control.get(ref)
        if task.pending:
            raise InvalidState(f"the task has not started yet: {task.state.value}", field="state")
        # If it could not be started again, do not stop it.
        await self._environment(task)
        if not task.live:
            return await self._start_again(task)
        if task.id in self._restarts:
            return task
        try:
            stopped = await self._stopper.begin_stop(task.id, sequence, RESTARTING)
        except InvalidState:
            await self._control.ended(task, STOP_SLACK)  # it ended on its own first
            return await self._start_again(task)
        if task.id not in self._restarts:
            self._restart_later(stopped)
        return await self._control.settled(stopped, State.STOPPING)

    def finish_restarts(self) -> None:
        """Finish restarts that were begun by servers that have died since."""
        now = time.time()
        for task in self._stopped.newest_first:
            if task.id not in self._restarts and now - (task.ended or now) > _ORPHANED:
                self._restart_later(task)

    def _restart_later(self, task: Task) -> None:
        self._control.restarting.add(task.id)
        waiting = self._restarts[task.id] = asyncio.create_task(self._restart_when_ended(task))
        waiting.add_done_callback(lambda _: self._restarts.pop(task.id, None))
        waiting.add_done_callback(lambda _: self._control.restarting.discard(task.id))

    async def _restart_when_ended(self, task: Task) -> None:
        await self._control.ended(task, None)
        try:
            await self._start_again(task)
        except PtyTasksError as error:
            _LOG.warning("task %s was stopped for a restart and could not be started: %s", task.id, error)
            await self._give_up_restart(task, error)

    async def _give_up_restart(self, task: Task, error: PtyTasksError) -> None:
        """Record why a task that was stopped for a restart is not restarted."""
        # Before the announcement, at which waiters check this once.
        self._control.restarting.discard(task.id)
        now = self._store.get(task.id)
        if now is None or now.attempt != task.attempt or now.state_reason != RESTARTING:
            return
        message = f"stopped for a restart, but it could not be started: {error.message}"
        try:
            await self._store.change(task.id, state_reason=error.code, state_message=message)
        except PtyTasksError:
            pass  # retried with the restart itself

    async def _start_again(self, ended: Task) -> Task:
        """Start the attempt after `ended`, or queue it, and return the task; unchanged, if another server has done so.
        Raises Conflict if the old ptyhost does not exit.

        """
        env = await self._environment(ended)
        lock = await self._lock_next(ended)
        if lock is None:
            return await self._store.find(ended.id)
        state = State.STARTING
        if self._provisioners.of(ended).waits:
            state = await asyncio.to_thread(self._queue.state_for, ended.group, ended.turn, ended.provisioner)
        also = functools.partial(self._requeued, env=env) if state.pending else self._task_dirs.specs.respec
        with self._claim(ended.id, lock):
            task, begun = await self._store.begin_attempt(ended.id, ended.attempt + 1, self.max_live, also, state)
            if begun and not task.pending:
                return await self._launch_or_fail(task, lock, env)
        if begun:
            await self._queue.wake()
        return task

    def _requeued(self, task: Task, env: Mapping[str, str]) -> AbstractContextManager[None]:
        return self._task_dirs.specs.revised(task, self._task_dirs.specs.read(task.id), env)


def _waiting_for(future: asyncio.Future[Any]) -> Callable[[], None]:
    """Return a function for other threads that waits for a future of the loop, and raises its exception."""
    outcome: concurrent.futures.Future[None] = concurrent.futures.Future()

    def note(done: asyncio.Future[Any]) -> None:
        if done.cancelled():
            outcome.cancel()
        elif (error := done.exception()) is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    future.add_done_callback(note)
    return outcome.result
