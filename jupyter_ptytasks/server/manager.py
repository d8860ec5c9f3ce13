"""The verbs: what can be done with tasks. REST, terminals and the rest of the server all come through here."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

from . import spec as specs
from ..core import wire
from ..core.errors import (
    Conflict,
    HostUnreachable,
    IllegalMove,
    InputRefused,
    PtyTasksError,
    ServiceFault,
    SpawnFailed,
)
from ..core.model import IfExists, new_id
from ..core.states import State, check
from .hosts.link import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..storage.task_dirs import Catalogue
    from ..core.model import Request, Task
    from .hosts.supervisor import Hosts
    from .hosts.link import Link
    from .provision.base import Provisioner
    from .spec import Surroundings
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


class TaskManager:
    """Starts, stops and changes tasks. Every verb takes an id or a name and raises errors of core.errors, TaskNotFound
    among them.

    `surroundings` is asked anew for every start; `runtime_dir` holds the sockets; `max_live` limits the live tasks of
    the user.
    """

    def __init__(
        self,
        *,
        store: Store,
        catalogue: Catalogue,
        hosts: Hosts,
        provisioners: Mapping[str, Provisioner],
        surroundings: Callable[[], Surroundings],
        runtime_dir: str,
        max_live: int = 100,
    ) -> None:
        self.store = store
        self.catalogue = catalogue
        self.hosts = hosts
        self.provisioners = provisioners
        self.max_live = max_live
        self._surroundings = surroundings
        self._runtime_dir = runtime_dir
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

        Raises BadRequest, SpawnFailed, NameInUse, TooManyTasks, StorageFull: then nothing has been started, and nothing
        is left (but for a failed task, where a full disk has no room even for its removal).
        """
        await self.store.refresh()
        spec, lock = await asyncio.to_thread(self._prepare, request)
        task = specs.task_of(spec)
        self.hosts.launching.add(task.id)
        try:
            found, added = await self.store.add(task, request.if_exists, self.max_live)
        except BaseException:
            await self._undo(task.id, lock)
            raise
        if not added:
            await self._undo(task.id, lock)
            if request.if_exists is IfExists.RESTART:
                found = await self.restart(found.id)
            return found, False
        try:
            return await self._launch(task, lock), True
        except PtyTasksError as error:
            try:
                await self._fail_start(task, error)
                await self._forget(task.id)
            except ServiceFault:
                pass  # a full disk; `hosts` finds that nothing ran, as soon as there is room to say so
            raise

    def _prepare(self, request: Request) -> tuple[dict[str, Any], int]:
        now = time.time()
        tasks = self.store.tasks
        task_id = new_id(now, tasks[0].id if tasks else "")
        spec = specs.build(request, task_id, now, self._surroundings(), (task.name for task in tasks if task.live))
        return spec, self.catalogue.create(spec)

    async def _undo(self, task_id: str, lock: int) -> None:
        self.hosts.launching.discard(task_id)
        await asyncio.to_thread(self.catalogue.remove, task_id)
        os.close(lock)
        await asyncio.to_thread(self.catalogue.sweep)

    async def _launch(self, task: Task, lock: int) -> Task:
        """Start the ptyhost of a task that is `starting`, and close the lock."""
        self.hosts.launching.add(task.id)
        try:
            provisioner = self.provisioners[task.provisioner]
            socket_path = os.path.join(self._runtime_dir, f"{task.id}.sock")
            started = await asyncio.to_thread(provisioner.launch, self.catalogue.files(task.id), socket_path, lock)
        finally:
            os.close(lock)
            self.hosts.launching.discard(task.id)
        news = {"pid": started.pid, "host_pid": started.host_pid, "started": started.started}
        try:
            return await self.store.change(task.id, state=State.RUNNING, attempt=task.attempt, **news)
        except ServiceFault:
            # It runs, whether that can be written down just now or not; `hosts` does so as soon as there is room.
            return task.with_(state=State.RUNNING, **news)

    async def restart(self, ref: str, ladder: Ladder | None = None) -> Task:
        """Run a task once more, with the same id, name and output; a live one is stopped first, and restarted when
        it has ended.

        Where somebody else starts it again meanwhile, that is it: it runs once more, not twice.
        """
        task = await self.get(ref)
        if not task.live:
            return await self._start_again(task)
        if task.id in self._restarts:
            return task
        try:
            stopped = await self._begin_stop(task.id, ladder, "restarting")
        except IllegalMove:
            await self._ended(task, _STOP_SLACK)  # it was quicker
            return await self._start_again(task)
        if task.id not in self._restarts:
            waiting = self._restarts[task.id] = asyncio.create_task(self._restart_when_ended(stopped))
            waiting.add_done_callback(lambda _: self._restarts.pop(task.id, None))
        return await self._settled(stopped, State.STOPPING)

    def is_restarting(self, task_id: str) -> bool:
        """Tell whether the task will be started again as soon as it has ended."""
        return task_id in self._restarts

    async def _restart_when_ended(self, task: Task) -> None:
        await self._ended(task, None)
        try:
            await self._start_again(task)
        except PtyTasksError:
            pass  # the task's state tells why

    async def _start_again(self, ended: Task) -> Task:
        """Start the attempt that follows `ended`, and give the task; as it is, where somebody else has done so.

        Raises Conflict when the old ptyhost does not leave.
        """
        deadline = time.monotonic() + _LEAVING
        while (lock := await asyncio.to_thread(self.catalogue.lock, ended.id, _LOOKING)) is None:
            await self.store.refresh(0.0)
            task = await self.store.find(ended.id)
            if task.attempt != ended.attempt:
                return task
            if time.monotonic() > deadline:
                raise Conflict("the task's ptyhost has not left yet")
        try:
            spec = await asyncio.to_thread(self.catalogue.read_spec, ended.id)
            self.hosts.launching.add(ended.id)
            task, begun = await self.store.begin_attempt(ended.id, ended.attempt + 1, self.max_live)
        except BaseException:
            self.hosts.launching.discard(ended.id)
            os.close(lock)
            raise
        if not begun:
            self.hosts.launching.discard(ended.id)
            os.close(lock)
            return task
        try:
            await asyncio.to_thread(
                self.catalogue.write_spec, specs.next_attempt(spec, task.attempt, self._surroundings())
            )
        except PtyTasksError as error:
            os.close(lock)
            self.hosts.launching.discard(task.id)
            await self._fail_start(task, error)
            raise
        try:
            return await self._launch(task, lock)
        except PtyTasksError as error:
            await self._fail_start(task, error)
            raise

    async def _fail_start(self, task: Task, error: PtyTasksError) -> None:
        reason = "spawn_error" if isinstance(error, SpawnFailed) else error.code
        await self.store.change(
            task.id,
            state=State.FAILED,
            attempt=task.attempt,
            state_reason=reason,
            state_message=error.message,
            ended=time.time(),
        )

    # -- stopping ---------------------------------------------------------------------------------------------------

    async def stop(self, ref: str, ladder: Ladder | None = None) -> Task:
        """Begin to stop a task: its ptyhost sends the signals of `ladder` (or the task's own) until the whole tree is
        gone.

        A task that is stopping already goes on with the new ladder. Raises IllegalMove when it has ended,
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
            spec = await asyncio.to_thread(self.catalogue.read_spec, task.id)
        except ServiceFault:
            return self._surroundings().ladder
        return tuple((str(name), float(grace)) for name, grace in spec["ladder"])

    async def stop_unless_ended(self, ref: str) -> None:
        """Begin to stop a task, which may just be ending by itself. Raises HostUnreachable."""
        try:
            await self.stop(ref)
        except IllegalMove:
            pass  # it was quicker

    def ladder(self, signals: list[str] | None, grace: float | None) -> Ladder | None:
        """Give the ladder of these signals, each with this many seconds of grace; None where neither is given."""
        if signals is None and grace is None:
            return None
        usual = self._surroundings().ladder
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
        await self._until(task.id, lambda now: now.state is state or _is_over(task, now), _SETTLING)
        return self.store.get(task.id) or task

    async def wait(self, ref: str, timeout: float) -> Task:
        """Give the task when it has ended (and is not about to be restarted), or as it is after `timeout` seconds."""
        task = await self.get(ref)
        await self._until(task.id, lambda now: not (now.live or now.id in self._restarts), timeout)
        return self.store.get(task.id) or task

    async def _ended(self, task: Task, timeout: float | None) -> None:
        """Wait for the end of the task's present attempt."""
        await self._until(task.id, lambda now: _is_over(task, now), timeout)

    async def _until(self, task_id: str, done: Callable[[Task], bool], timeout: float | None) -> None:
        """Wait until a condition holds for a task, or it is deleted, or `timeout` seconds have passed."""
        changed = asyncio.Event()

        def listen(old: Task | None, new: Task | None) -> None:
            if any(task is not None and task.id == task_id for task in (old, new)):
                changed.set()

        self.store.listeners.append(listen)
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            while (task := self.store.get(task_id)) is not None and not done(task):
                changed.clear()
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return
                try:
                    await asyncio.wait_for(changed.wait(), left)
                except asyncio.TimeoutError:
                    return
        finally:
            self.store.listeners.remove(listen)

    async def delete(self, ref: str, *, stop: bool = False) -> None:
        """Forget a task that has ended, and its output; with `stop` a live one is stopped first. Raises IllegalMove."""
        task = await self.get(ref)
        if task.live:
            if not stop:
                raise IllegalMove(
                    f"the task is {task.state.value}; stop it first, or ask for that with stop=1", field="state"
                )
            ladder = await self._ladder_of(task)
            await self.stop_unless_ended(task.id)
            await self._ended(task, sum(grace for _, grace in ladder) + _STOP_SLACK)
        await self._forget(task.id)

    async def _forget(self, task_id: str) -> None:
        lock = await asyncio.to_thread(self.catalogue.lock, task_id, _LEAVING)
        try:
            await self.store.remove(task_id)
            await asyncio.to_thread(self.catalogue.remove, task_id)
        finally:
            if lock is not None:
                os.close(lock)
        await asyncio.to_thread(self.catalogue.sweep)

    # -- the rest ---------------------------------------------------------------------------------------------------

    async def update(self, ref: str, **changes: Any) -> Task:
        """Change what a task is called: `name`, `tags`, `group`, `metadata`."""
        task = await self.get(ref)
        task = await self.store.change(task.id, **changes)
        spec = await asyncio.to_thread(self.catalogue.read_spec, task.id)
        spec.update(name=task.name, tags=list(task.tags), group=task.group, metadata=dict(task.metadata))
        await asyncio.to_thread(self.catalogue.write_spec, spec)
        return task

    async def signal(self, ref: str, name: str, target: str) -> None:
        """Send a signal to the `foreground` group, the whole `tree` or the command itself (`leader`)."""
        _, link = await self._reach(ref)
        link.signal(name, target)

    async def resize(self, ref: str, rows: int, cols: int) -> None:
        """Give the task's terminal a size."""
        _, link = await self._reach(ref)
        link.resize(rows, cols)

    async def input(self, ref: str, data: bytes) -> None:
        """Type `data`. Returns when the terminal has taken it; raises InputRefused when the program does not read."""
        task, _ = await self._reach(ref)
        taken = asyncio.Event()
        greetings = 1  # the STATUS that every connection begins with

        def on_frame(kind: int, _: bytes) -> None:
            nonlocal greetings
            if kind == wire.STATUS:
                greetings -= 1
                if greetings < 0:
                    taken.set()

        channel = await self.open_channel(task, on_frame, taken.set, role="input")
        try:
            for start in range(0, len(data), wire.MAX_PAYLOAD):
                channel.send(wire.frame(wire.INPUT, data[start : start + wire.MAX_PAYLOAD]))
            channel.send(wire.frame(wire.ASK_STATUS))
            await asyncio.wait_for(taken.wait(), _INPUT_PATIENCE)
        except asyncio.TimeoutError as error:
            raise InputRefused("the program does not read its input; some of it may have been taken") from error
        finally:
            channel.close()

    async def open_channel(
        self, task: Task, on_frame: Callable[[int, bytes], None], on_lost: Callable[[], None], **about: Any
    ) -> Channel:
        """Open a connection of its own to the ptyhost, for somebody who types. Raises HostUnreachable. The caller
        closes it.
        """
        host = await asyncio.to_thread(self.catalogue.host, task)
        if host is None:
            raise HostUnreachable("the task has no ptyhost")
        return await Channel.open(host["socket"], on_frame, on_lost, **about)

    async def _reach(self, ref: str) -> tuple[Task, Link]:
        """Give a task that runs, and its link. Raises IllegalMove when it has ended, HostUnreachable."""
        task = await self.get(ref)
        if not task.live:
            raise IllegalMove(f"the task has ended: it is {task.state.value}", field="state")
        link = await self.hosts.connected(task.id)
        # It may have come out of `starting` while we waited.
        return self.store.get(task.id) or task, link


def _is_over(task: Task, now: Task) -> bool:
    """Tell whether the attempt of `task` has ended: another server may have begun the next before we look."""
    return not now.live or now.attempt != task.attempt
