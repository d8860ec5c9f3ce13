"""The verbs: what can be done with tasks. REST, terminals and the rest of the server all come through here."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from ..core import leftovers, wire
from ..core.errors import (
    Conflict,
    HostUnreachable,
    InputRefused,
    InternalError,
    InvalidState,
    PtyTasksError,
    SpawnFailed,
    StorageFull,
    TaskNotFound,
)
from ..core.model import IfExists, new_id
from ..core.states import State, check
from ..storage.task_dirs import RESTARTING, task_of
from . import spec as specs
from .hosts.link import Channel
from .hosts.supervisor import state_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from ..core.model import Request, Task
    from ..storage.locks import Lock
    from ..storage.task_dirs import TaskDirs
    from .hosts.link import Link
    from .hosts.supervisor import Supervisor
    from .provision.base import Provisioner
    from .spec import SpawnDefaults
    from .store import Store

    Ladder = tuple[tuple[str, float], ...]

#: Seconds for an old ptyhost to be gone after it told its end.
_LEAVING = 5.0
#: Seconds between two looks whether somebody else has started the task that we wait for.
_LOOKING = 0.1
#: Seconds for a program to take what is typed through REST.
_INPUT_PATIENCE = 5.0
#: Seconds for a ptyhost to tell that it did what it was asked.
_SETTLING = 2.0
#: Seconds beyond a ladder's graces until we stop believing that a stop will ever end.
_STOP_SLACK = 30.0
#: Seconds that processes have to end which a command left running, before they are killed.
_LEFTOVER_GRACE = 5.0
#: Seconds after a task was stopped to be restarted until a server takes over from the one that was to do it.
_ORPHANED = 5.0

_LOG = logging.getLogger(__name__)


class TaskManager:
    """Starts, stops and changes tasks. Every verb takes an id or a name and raises errors of core.errors, TaskNotFound
    among them.

    `spawn_defaults` is asked anew for every start; `max_live` limits the live tasks of the user.
    """

    def __init__(
        self,
        *,
        store: Store,
        task_dirs: TaskDirs,
        supervisor: Supervisor,
        provisioners: Mapping[str, Provisioner],
        spawn_defaults: Callable[[], SpawnDefaults],
        max_live: int = 100,
    ) -> None:
        self.store = store
        self.task_dirs = task_dirs
        self.supervisor = supervisor
        self.provisioners = provisioners
        self.max_live = max_live
        self._spawn_defaults = spawn_defaults
        #: Tasks that are started again as soon as they have ended.
        self._restarts: dict[str, asyncio.Task[None]] = {}

    def close(self) -> None:
        """Give up the restarts that wait."""
        for restart in self._restarts.values():
            restart.cancel()

    async def get(self, ref: str) -> Task:
        """Give a task."""
        await self.store.refresh()
        return await self.store.find(ref)

    async def list_all(self) -> list[Task]:
        """Give all tasks, newest first."""
        await self.store.refresh()
        return self.store.tasks

    # -- starting ---------------------------------------------------------------------------------------------------

    async def create(self, request: Request) -> tuple[Task, bool]:
        """Start a task and give it, running; with False if `if_exists` found one that is there already.

        Raises BadRequest, SpawnFailed, NameInUse, TooManyTasks, StorageFull, StoreUnavailable: then nothing runs, and
        nothing is left (but for a failed task, where a full disk has no room even for its removal).
        """
        await self.store.refresh()
        spec, env, lock = await asyncio.to_thread(self._prepare, request)
        task = task_of(spec)
        with self._claim(task.id, lock):
            try:
                found, added = await self.store.add(task, request.if_exists, self.max_live)
            except BaseException:
                await asyncio.to_thread(self._discard, task.id)
                raise
            if added:
                return await self._launch_new(task, lock, env), True
            await asyncio.to_thread(self._discard, task.id)
        if request.if_exists is IfExists.RESTART:
            found = await self.restart(found.id)
        return found, False

    def _prepare(self, request: Request) -> tuple[dict[str, Any], dict[str, str], Lock]:
        now = time.time()
        tasks = self.store.tasks
        task_id = new_id(now, tasks[0].id if tasks else "")
        defaults = self._spawn_defaults()
        spec = specs.build(request, task_id, now, defaults, (task.name for task in tasks if task.live))
        env = specs.environment(spec, defaults)
        return spec, env, self.task_dirs.create(spec)

    def _discard(self, task_id: str) -> None:
        """Delete the directory of a task that never was, whose lock we hold."""
        self.task_dirs.remove(task_id)
        self.task_dirs.purge_trash()

    @contextmanager
    def _claim(self, task_id: str, lock: Lock) -> Iterator[None]:
        """Keep this server's link away from a task while it starts it, and let go of its lock in the end."""
        self.supervisor.starting.add(task_id)
        try:
            with lock:
                yield
        finally:
            self.supervisor.starting.discard(task_id)
            task = self.store.get(task_id)
            if task is not None and task.live:
                self.supervisor.keep(task)

    async def _launch_new(self, task: Task, lock: Lock, env: Mapping[str, str]) -> Task:
        """Start a new task. If that fails, nothing is left of it, unless it runs all the same: then this returns it."""
        try:
            return await self._launch(task, lock, env)
        except PtyTasksError as error:
            lock.close()
            own = await asyncio.to_thread(self.task_dirs.lock, task.id, _LEAVING)
            if own is None:
                # Whatever went wrong, somebody holds the task: it is told to run, and not deleted under whoever does.
                return await self.store.find(task.id)
            with own:
                try:
                    await self._fail_start(task, error)
                    await self._erase(task.id)
                except InternalError:
                    pass  # a full disk; the supervisor finds that nothing ran, as soon as there is room to say so
            raise

    async def _launch(self, task: Task, lock: Lock, env: Mapping[str, str]) -> Task:
        """Start the ptyhost of a task that is `starting`, and return the task as it is then."""
        provisioner = self.provisioners[task.provisioner]
        files, socket_path = self.task_dirs.files(task.id), self.supervisor.socket_path(task.id)
        started = await asyncio.to_thread(provisioner.launch, files, socket_path, lock.fd, env)
        facts = {"pid": started.pid, "host_pid": started.host_pid, "started": started.started}
        try:
            return await self.store.observe(task.id, task.attempt, State.RUNNING, **facts)
        except (InternalError, TaskNotFound):
            # It runs, whether that can be written down now or not; the supervisor does so as soon as there is room.
            return task.with_(state=State.RUNNING, **facts)

    async def again(self, ref: str, name: str | None = None) -> Task:
        """Start another task like this one, live or not, under `name` or the same name, and give it. Raises what
        `create` raises, InternalError where nothing tells any more how it was started.
        """
        task = await self.get(ref)
        spec = await asyncio.to_thread(self.task_dirs.read_spec, task.id)
        started, _ = await self.create(specs.request_of(spec, name))
        return started

    async def restart(self, ref: str, ladder: Ladder | None = None) -> Task:
        """Run a task once more, with the same id, name and output; a live one is stopped first, and restarted when
        it has ended, if need be by another server.

        Where somebody else starts it again meanwhile, that is it: it runs once more, not twice.
        """
        task = await self.get(ref)
        # Whatever would keep it from being started again must not have it stopped.
        await self._environment(task)
        if not task.live:
            return await self._start_again(task)
        if task.id in self._restarts:
            return task
        try:
            stopped = await self._begin_stop(task.id, ladder, RESTARTING)
        except InvalidState:
            await self._ended(task, _STOP_SLACK)  # it was quicker
            return await self._start_again(task)
        if task.id not in self._restarts:
            self._restart_later(stopped)
        return await self._settled(stopped, State.STOPPING)

    def is_restarting(self, task: Task) -> bool:
        """Return whether the task will be started again as soon as it has ended, by this server or another."""
        return task.id in self._restarts or (task.state is State.CANCELLED and task.state_reason == RESTARTING)

    def finish_restarts(self) -> None:
        """Start the tasks again that were stopped for that by a server which has died since."""
        now = time.time()
        for task in self.store.tasks:
            overdue = now - (task.ended or now) > _ORPHANED
            if task.id not in self._restarts and overdue and self.is_restarting(task):
                self._restart_later(task)

    def _restart_later(self, task: Task) -> None:
        waiting = self._restarts[task.id] = asyncio.create_task(self._restart_when_ended(task))
        waiting.add_done_callback(lambda _: self._restarts.pop(task.id, None))

    async def _restart_when_ended(self, task: Task) -> None:
        await self._ended(task, None)
        try:
            await self._start_again(task)
        except PtyTasksError as error:
            _LOG.warning("task %s: it was stopped to be restarted, and cannot be: %s", task.id, error)
            await self._give_up_restart(task, error)

    async def _give_up_restart(self, task: Task, error: PtyTasksError) -> None:
        """Note why a task that was stopped to be restarted stays as it is."""
        now = self.store.get(task.id)
        if now is None or now.attempt != task.attempt or now.state_reason != RESTARTING:
            return
        message = f"stopped to be restarted, but it could not be started: {error.message}"
        try:
            await self.store.change(task.id, state_reason=error.code, state_message=message)
        except PtyTasksError:
            pass  # tried again with the restart itself

    async def _start_again(self, ended: Task) -> Task:
        """Start the attempt that follows `ended`, and give the task; as it is, where somebody else has done so.

        Raises Conflict when the old ptyhost does not leave.
        """
        env = await self._environment(ended)
        deadline = time.monotonic() + _LEAVING
        async with self._unless_deleted(ended):
            while (lock := await asyncio.to_thread(self.task_dirs.lock, ended.id, _LOOKING)) is None:
                await self.store.refresh(0.0)
                task = await self.store.find(ended.id)
                if task.attempt != ended.attempt:
                    return task
                if time.monotonic() > deadline:
                    raise Conflict("the task's ptyhost has not left yet")
        with self._claim(ended.id, lock):
            task, begun = await self.store.begin_attempt(ended.id, ended.attempt + 1, self.max_live, self._next_spec)
            if not begun:
                return task
            try:
                return await self._launch(task, lock, env)
            except PtyTasksError as error:
                await self._fail_start(task, error)
                raise

    async def _environment(self, task: Task) -> dict[str, str]:
        """Return the environment of a task's next attempt. Raises InternalError if its spec is gone or damaged,
        SpawnFailed if no program can be started with it.
        """
        async with self._unless_deleted(task):
            spec = await asyncio.to_thread(self.task_dirs.read_spec, task.id)
        return specs.environment(spec, self._spawn_defaults())

    def _next_spec(self, task: Task) -> AbstractContextManager[None]:
        """Give a task's directory the spec of its next attempt. In the transaction that begins it."""
        spec = self.task_dirs.read_spec(task.id)
        return self.task_dirs.replaced_spec(specs.next_attempt(spec, task.attempt))

    async def _fail_start(self, task: Task, error: PtyTasksError) -> None:
        reason = "spawn_error" if isinstance(error, SpawnFailed) else error.code
        facts = {"state_reason": reason, "state_message": error.message, "ended": time.time()}
        await self.store.observe(task.id, task.attempt, State.FAILED, **facts)

    # -- stopping ---------------------------------------------------------------------------------------------------

    async def stop(self, ref: str, ladder: Ladder | None = None) -> Task:
        """Begin to stop a task: its ptyhost sends the signals of `ladder` (or the task's own) until the whole tree is
        gone.

        A task that is stopping already goes on with the new ladder. Raises InvalidState when it has ended,
        HostUnreachable.
        """
        return await self._settled(await self._begin_stop(ref, ladder, "cancelled"), State.STOPPING)

    async def _begin_stop(self, ref: str, ladder: Ladder | None, reason: str) -> Task:
        """Tell the ptyhost to stop the task, and give the task: its attempt is the one that stops."""
        ladder = ladder or await self._ladder_of(await self.get(ref))
        task, link = await self._reach(ref)
        link.stop(ladder, reason)
        return task

    async def _ladder_of(self, task: Task) -> Ladder:
        """Give a task's own ladder; the usual one where its spec is gone, for it must be possible to stop it."""
        try:
            spec = await asyncio.to_thread(self.task_dirs.read_spec, task.id)
        except InternalError:
            return self._spawn_defaults().ladder
        return tuple((str(name), float(grace)) for name, grace in spec["ladder"])

    async def end_leftover(self, ref: str) -> Task:
        """End the processes that a command has left running: SIGTERM, and SIGKILL for those that are still there after
        some seconds. Returns when none is left, or there is nothing to be done about it. Raises InvalidState for a task
        that has not ended.
        """
        task = await self.get(ref)
        if task.live:
            raise InvalidState("the task has not ended; what it runs ends with it", field="state")
        deadline = time.monotonic() + _LEFTOVER_GRACE
        number = signal.SIGTERM
        while left := await asyncio.to_thread(self.task_dirs.leftover, task):
            now = time.monotonic()
            if now > deadline + _LEFTOVER_GRACE:
                break  # they sleep in the kernel
            if now > deadline:
                number = signal.SIGKILL
            await asyncio.to_thread(leftovers.send, left, number)
            await asyncio.sleep(_LOOKING)
        return await self.store.change(task.id, leftover=len(left))

    async def stop_unless_ended(self, ref: str) -> None:
        """Begin to stop a task, which may just be ending by itself. Raises HostUnreachable."""
        try:
            await self.stop(ref)
        except InvalidState:
            pass  # it was quicker

    def ladder(self, signals: list[str] | None, grace: float | None) -> Ladder | None:
        """Give the ladder of these signals, each with this many seconds of grace; None where neither is given."""
        if signals is None and grace is None:
            return None
        usual = self._spawn_defaults().ladder
        names = signals if signals is not None else [name for name, _ in usual]
        return tuple((name, usual[0][1] if grace is None else grace) for name in names)

    async def pause(self, ref: str) -> Task:
        """Stop the whole tree in its tracks (SIGSTOP), until `resume`."""
        return await self._halt(ref, State.PAUSED, "SIGSTOP")

    async def resume(self, ref: str) -> Task:
        """Let a paused task go on."""
        return await self._halt(ref, State.RUNNING, "SIGCONT")

    async def _halt(self, ref: str, state: State, signal: str) -> Task:
        task, link = await self._reach(ref)
        if task.state is not state:
            check(task.state, state)
        link.signal(signal, "tree")
        return await self._settled(task, state)

    async def _settled(self, task: Task, state: State) -> Task:
        """Wait until the ptyhost has told that it did what it was asked, and give the task as it is then.

        It is the one who knows: were the state changed here, what it tells of a moment before would change it back.
        """

        def told() -> bool:
            """Whether the ptyhost has told, and the database, which somebody else has, takes no note of it."""
            link = self.supervisor.link(task.id)
            status = link.status if link is not None and self.store.stale_since is not None else {}
            return status.get("attempt") == task.attempt and state_of(status)[0] is state

        await self._until(task.id, lambda now: now.state is state or _is_over(task, now), _SETTLING, or_else=told)
        now = self.store.get(task.id) or task
        return now.with_(state=state) if told() and not _is_over(task, now) else now

    async def wait(self, ref: str, timeout: float) -> Task:
        """Give the task when it has ended (and is not about to be restarted), or as it is after `timeout` seconds."""
        task = await self.get(ref)
        await self._until(task.id, lambda now: not (now.live or self.is_restarting(now)), timeout)
        return self.store.get(task.id) or task

    async def _ended(self, task: Task, timeout: float | None) -> None:
        """Wait for the end of the task's present attempt."""
        await self._until(task.id, lambda now: _is_over(task, now), timeout)

    async def _until(
        self,
        task_id: str,
        done: Callable[[Task], bool],
        timeout: float | None,
        or_else: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait until a condition holds for a task or its link, or it is deleted, or `timeout` seconds have passed."""
        changed = asyncio.Event()

        def on_change(old: Task | None, new: Task | None) -> None:
            if any(task is not None and task.id == task_id for task in (old, new)):
                changed.set()

        def on_update(about: str) -> None:
            if about == task_id:
                changed.set()

        self.store.listeners.append(on_change)
        self.supervisor.on_update.append(on_update)
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            while (task := self.store.get(task_id)) is not None and not done(task) and not or_else():
                changed.clear()
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return
                try:
                    await asyncio.wait_for(changed.wait(), left)
                except asyncio.TimeoutError:
                    return
        finally:
            self.store.listeners.remove(on_change)
            self.supervisor.on_update.remove(on_update)

    async def delete(self, ref: str, *, stop: bool = False, force: bool = False) -> None:
        """Forget a task that has ended, and its output; with `stop` a live one is stopped first, with `force` one that
        runs on another machine is given up, whatever becomes of it there. Raises InvalidState, Conflict,
        HostUnreachable.
        """
        task = await self.get(ref)
        machine = self.supervisor.machine(task.id)
        if task.live and force and machine is not None:
            facts = {"state_reason": "given_up", "state_message": f"given up; it ran on {machine}"}
            await self.store.observe(task.id, task.attempt, State.LOST, ended=time.time(), **facts)
        elif task.live:
            if not stop:
                raise InvalidState(
                    f"the task is {task.state.value}; stop it first, or ask for that with stop=1", field="state"
                )
            ladder = await self._ladder_of(task)
            await self.stop_unless_ended(task.id)
            await self._ended(task, sum(grace for _, grace in ladder) + _STOP_SLACK)
        await self._forget(task)

    async def _forget(self, task: Task) -> None:
        """Delete a task that has ended. Raises Conflict if its ptyhost does not leave."""
        if not await asyncio.to_thread(self.task_dirs.exists, task.id):
            await self.store.remove(task.id)
            return
        async with self._unless_deleted(task):
            lock = await asyncio.to_thread(self.task_dirs.lock, task.id, _LEAVING)
        if lock is None:
            raise Conflict("the task's ptyhost has not left yet")
        with lock:
            await self._erase(task.id)

    async def _erase(self, task_id: str) -> None:
        """Delete what is known of a task whose lock we hold."""
        try:
            await self.store.remove(task_id)
        except StorageFull:
            # Not even to note that it is gone: its output makes room for that.
            await asyncio.to_thread(self.task_dirs.remove_output, task_id)
            await self.store.remove(task_id)
        await asyncio.to_thread(self._discard, task_id)

    @asynccontextmanager
    async def _unless_deleted(self, task: Task) -> AsyncIterator[None]:
        """What fails in the block because somebody deletes the task meanwhile raises TaskNotFound."""
        try:
            yield
        except InternalError:
            await self.store.refresh(0.0)
            await self.store.find(task.id)
            raise

    # -- the rest ---------------------------------------------------------------------------------------------------

    async def update(self, ref: str, **changes: Any) -> Task:
        """Change what a task is called (`name`, `tags`, `group`, `metadata`), and whether it is `pinned`."""
        task = await self.get(ref)
        return await self.store.change(task.id, self._changed_spec, **changes)

    def _changed_spec(self, task: Task) -> AbstractContextManager[None]:
        """Say in a task's directory, too, what it is called. In the transaction that changes it."""
        spec = self.task_dirs.read_spec(task.id)
        about = {name: getattr(task, name) for name in ("name", "group", "pinned")}
        return self.task_dirs.replaced_spec({**spec, **about, "tags": list(task.tags), "metadata": dict(task.metadata)})

    async def signal(self, ref: str, name: str, target: str) -> None:
        """Send a signal to the `foreground` group, the whole `tree` or the command itself (`leader`)."""
        _, link = await self._reach(ref)
        link.signal(name, target)

    async def resize(self, ref: str, rows: int, cols: int) -> None:
        """Give the task's terminal a size."""
        _, link = await self._reach(ref)
        link.resize(rows, cols)

    async def input(self, ref: str, data: bytes) -> None:
        """Type `data`. Returns when the terminal has taken it; raises InputRefused when the program does not read, or
        when a line is longer than its terminal takes, InvalidState when the task ends before it has.
        """
        taken = False
        answered = asyncio.Event()
        greetings = 1  # the STATUS that every connection begins with
        refused: list[dict[str, Any]] = []

        def on_frame(kind: int, payload: bytes) -> None:
            nonlocal greetings, taken
            if kind == wire.REFUSED:
                refused.append(wire.fields(payload))
            if kind == wire.STATUS:
                greetings -= 1
                if greetings < 0:
                    taken = True
                    answered.set()

        task, channel = await self._open_input(ref, on_frame, answered.set)
        try:
            parts = [data[start : start + wire.MAX_PAYLOAD] for start in range(0, len(data), wire.MAX_PAYLOAD)]
            # At once: a program that ends by what is typed takes its ptyhost along before that has heard the question.
            channel.send(b"".join(wire.frame(wire.INPUT, part) for part in parts) + wire.frame(wire.ASK_STATUS))
            await asyncio.wait_for(answered.wait(), _INPUT_PATIENCE)
        except asyncio.TimeoutError as error:
            raise InputRefused("the program does not read its input; some of it may have been taken") from error
        finally:
            channel.close()
        if refused:
            raise InputRefused(wire.explain_refusal(refused, len(data)))
        if not taken:
            await self._ended(task, _SETTLING)
            await self._reach(task.id)
            raise HostUnreachable("the ptyhost closed the connection; some of the input may have been taken")

    async def _open_input(
        self, ref: str, on_frame: Callable[[int, bytes], None], on_lost: Callable[[], None]
    ) -> tuple[Task, Channel]:
        """Open a connection for input, and return the task with it. Raises InvalidState when the task has ended, also
        if it ends just now: its ptyhost stops answering a moment before that is known. Raises HostUnreachable.
        """
        deadline = time.monotonic() + _SETTLING
        while True:
            task, _ = await self._reach(ref)
            try:
                return task, await self.open_channel(task, on_frame, on_lost, role="input")
            except HostUnreachable:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_LOOKING)

    async def open_channel(
        self, task: Task, on_frame: Callable[[int, bytes], None], on_lost: Callable[[], None], **about: Any
    ) -> Channel:
        """Open a connection of its own to the ptyhost, for somebody who types. Raises HostUnreachable. The caller
        closes it.
        """
        host = await asyncio.to_thread(self.task_dirs.host, task)
        path = host["socket"] if host is not None else self.supervisor.socket_path(task.id)
        return await Channel.open(path, on_frame, on_lost, **about)

    async def _reach(self, ref: str) -> tuple[Task, Link]:
        """Give a task that runs, and its link. Raises InvalidState when it has ended, HostUnreachable."""
        task = await self.get(ref)
        if not task.live:
            raise InvalidState(f"the task has ended: it is {task.state.value}", field="state")
        link = await self.supervisor.connected(task.id)
        # It may have come out of `starting` while we waited.
        return self.store.get(task.id) or task, link


def _is_over(task: Task, now: Task) -> bool:
    """Tell whether the attempt of `task` has ended: another server may have begun the next before we look."""
    return not now.live or now.attempt != task.attempt
