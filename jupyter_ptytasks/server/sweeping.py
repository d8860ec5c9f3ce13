"""Sweeps: many tasks from one command, which are created, run again and canceled together."""

from __future__ import annotations

import asyncio
import functools
import logging
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core import placeholders, sweeps
from ..core.errors import PtyTasksError, TaskNotFound, TooLarge
from ..core.model import new_id
from ..core.states import State
from ..core.sweeps import Mode, Sweep
from ..core.times import iso
from ..core.turn import runs_again
from ..storage.database import next_attempt
from ..storage.records import task_of
from . import spec as specs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..core.model import Task, TaskRequest
    from ..core.sweeps import Value
    from ..storage.task_dirs import TaskDirs
    from .control import Control
    from .queueing import Queue
    from .spec import SpawnDefaults
    from .store import Store

#: Threads that write the files of tasks: each waits for the disk, which serves several in one go.
_WRITERS = 8
#: How many tasks are canceled in one transaction.
_TURN = 50
#: Characters of commands and environments that all tasks of a sweep may take together.
_SIZE_MAX = 64 << 20

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SweepRequest:
    """A request for a sweep: `task` is what its tasks have in common, with placeholders in its command; see core.sweeps
    for the others. Without a `random_seed`, one is chosen.
    """

    task: TaskRequest
    params: Mapping[str, str | Sequence[Value]]
    mode: Mode = Mode.GRID
    count: int | None = None
    random_seed: int | None = None
    max_failures: int | None = None


class Sweeps:
    """Creates sweeps, and finds them by what their tasks say. Every verb raises errors of core.errors; a sweep is given
    by its id or its name, then it is the newest of that name.

    `spawn_defaults` is asked again for every sweep.
    """

    def __init__(
        self,
        *,
        control: Control,
        queue: Queue,
        store: Store,
        task_dirs: TaskDirs,
        spawn_defaults: Callable[[], SpawnDefaults],
    ) -> None:
        self._control = control
        self._queue = queue
        self._store = store
        self._task_dirs = task_dirs
        self._spawn_defaults = spawn_defaults
        #: What the sweeps were made of, by id: it does not change.
        self._records: dict[str, dict[str, Any]] = {}

    # -- finding ----------------------------------------------------------------------------------------------------

    async def all(self) -> list[dict[str, Any]]:
        """Return all sweeps that have tasks, newest first, as JSON."""
        await self._store.refresh()
        found = self._by_id()
        await self._read_records(found)
        return [self._to_json(sweep_id, found[sweep_id]) for sweep_id in sorted(found, reverse=True)]

    async def get(self, ref: str) -> dict[str, Any]:
        """Return a sweep as JSON."""
        await self._store.refresh()
        sweep_id, tasks = self._find(ref)
        await self._read_records({sweep_id: tasks})
        return self._to_json(sweep_id, tasks)

    def id_of(self, ref: str) -> str | None:
        """Return the id of a sweep; None if there is none."""
        try:
            return self._find(ref)[0]
        except TaskNotFound:
            return None

    def _find(self, ref: str) -> tuple[str, list[Task]]:
        """Return the id and the tasks of a sweep. Raises TaskNotFound."""
        found = self._by_id()
        named = [sweep_id for sweep_id, (task, *_) in found.items() if task.sweep and task.sweep.name == ref]
        sweep_id = ref if ref in found else max(named, default="")
        if not sweep_id:
            raise TaskNotFound(f"no sweep has the id or name {ref!r}", field="ref")
        return sweep_id, found[sweep_id]

    def _by_id(self) -> dict[str, list[Task]]:
        """Return the tasks of each sweep, oldest first."""
        found: dict[str, list[Task]] = {}
        for task in reversed(self._store.tasks):
            if task.sweep is not None:
                found.setdefault(task.sweep.id, []).append(task)
        return found

    async def _read_records(self, wanted: Mapping[str, object]) -> None:
        for sweep_id in wanted.keys() - self._records.keys():
            self._records[sweep_id] = await asyncio.to_thread(self._task_dirs.sweeps.read, sweep_id)

    def _to_json(self, sweep_id: str, tasks: list[Task]) -> dict[str, Any]:
        about = tasks[0].sweep
        assert about is not None
        record = self._records[sweep_id]
        states = [task.state for task in tasks]
        return {
            "id": sweep_id,
            "name": about.name,
            "command": record.get("command"),
            "params": record.get("params"),
            "mode": record.get("mode"),
            "random_seed": record.get("random_seed"),
            "max_failures": about.max_failures,
            "group": tasks[0].group,
            "created": iso(record.get("created", tasks[0].created)),
            "size": record.get("size", len(tasks)),
            "states": {state.value: states.count(state) for state in State},
        }

    # -- creating ---------------------------------------------------------------------------------------------------

    async def create(self, request: SweepRequest) -> dict[str, Any]:
        """Create the tasks of a sweep, all or none of them, and return the sweep as JSON. The scheduler starts them.

        Raises BadRequest, SpawnFailed, TooLarge, StorageFull, StoreUnavailable: then nothing is left.
        """
        await self._store.refresh()
        turn = await self._queue.resolved(request.task.turn)
        request = replace(request, task=replace(request.task, turn=turn))
        record, drafts = await asyncio.to_thread(self._draft, request)
        ids = [spec["id"] for spec, _ in drafts]
        try:
            function = request.task.function
            create = functools.partial(self._task_dirs.create_pending, function=function)
            await asyncio.to_thread(_in_parallel, lambda draft: create(*draft), drafts)
            await self._store.add_all((task_of(spec) for spec, _ in drafts), lambda _: self._complete(record, ids))
        except BaseException:
            await asyncio.to_thread(self._task_dirs.discard_all, ids)
            raise
        await self._queue.wake()
        return await self.get(record["id"])

    def _draft(self, request: SweepRequest) -> tuple[dict[str, Any], list[tuple[dict[str, Any], dict[str, str]]]]:
        """Return the record of a sweep, and the specs and environments of its tasks."""
        command = request.task.command
        assert command is not None
        values = sweeps.read(request.params)
        if request.task.function is None:  # that has the parameters as arguments
            sweeps.check_use(command, values)
        seed = request.random_seed
        if seed is None and request.mode is Mode.RANDOM:
            seed = secrets.randbits(32)
        combinations = sweeps.combine(values, request.mode, request.count, seed or 0)
        _check_size(request, len(combinations))
        now = time.time()
        tasks = self._store.tasks
        newest = new_id(now, tasks[0].id if tasks else "")
        sweep = Sweep(newest, request.task.name or specs.command_name(command), request.max_failures)
        state = State.HELD if request.task.hold else State.QUEUED
        defaults = self._spawn_defaults()
        drafts = []
        for number, params in enumerate(combinations, 1):
            newest = new_id(now, newest)
            said = {name: sweeps.text(value) for name, value in params.items()}
            task = replace(
                request.task,
                command=placeholders.fill(command, said),
                name=sweeps.task_name(sweep.name, params, number),
                sweep=sweep,
                params=params,
            )
            spec = {**specs.build(task, newest, now, defaults, ()), "state": state.value}
            drafts.append((spec, specs.environment(spec, defaults, self._task_dirs.files(newest).function)))
        record = {
            "version": 1,
            **sweep.to_json(),
            "command": command,
            "params": dict(request.params),
            "mode": request.mode.value,
            "random_seed": seed,
            "created": now,
            "size": len(drafts),
        }
        return record, drafts

    @contextmanager
    def _complete(self, record: Mapping[str, Any], ids: Sequence[str]) -> Iterator[None]:
        """Make the directories of a sweep's tasks tasks, in the transaction that adds them to the database."""
        self._task_dirs.renew(ids)
        with self._task_dirs.sweeps.written(record):
            yield

    # -- running again and canceling --------------------------------------------------------------------------------

    async def retry(self, ref: str, states: frozenset[State]) -> tuple[dict[str, Any], list[str]]:
        """Queue the tasks of a sweep again that have ended in one of these states, all or none of them. They get the
        server's environment as it is now. Return the sweep as JSON, and their ids.
        """
        await self._store.refresh()
        sweep_id, tasks = self._find(ref)
        ended = [task for task in tasks if task.state in states and not self._control.is_restarting(task)]
        attempts = {task.id: task.attempt for task in ended}
        environments = await asyncio.to_thread(self._environments, list(attempts))

        def next_of(task: Task) -> Task | None:
            if task.state not in states or task.attempt != attempts[task.id]:
                return None  # another request was quicker
            turn = replace(task.turn, not_before=None)
            return next_attempt(task, task.attempt + 1, State.QUEUED, turn=turn)

        changed = await self._store.change_all(list(attempts), next_of, lambda new: self._rewritten(new, environments))
        if changed:
            await self._queue.wake()
        return await self.get(sweep_id), [task.id for task in changed]

    async def cancel(self, ref: str) -> tuple[dict[str, Any], list[str]]:
        """Cancel the tasks of a sweep that wait, and begin to stop those that run. Return the sweep as JSON, and their
        ids.
        """
        await self._store.refresh()
        sweep_id, tasks = self._find(ref)
        facts = {"state_reason": "cancelled", "state_message": "canceled with its sweep", "ended": time.time()}

        def canceled(task: Task) -> Task | None:
            if task.pending:
                return task.with_(state=State.CANCELLED, **facts)
            return task.with_(turn=replace(task.turn, retry=None)) if runs_again(task) else None

        changed: list[Task] = []
        # Not all at once, for which others would wait too long.
        for start in range(0, len(tasks), _TURN):
            ids = [task.id for task in tasks[start : start + _TURN] if task.pending or runs_again(task)]
            changed += await self._store.change_all(ids, canceled, self._rewritten) if ids else []
        await asyncio.to_thread(_in_parallel, self._task_dirs.specs.forget_environment, [task.id for task in changed])
        await self._store.refresh(0.0)  # the scheduler may have started one meanwhile
        active = [task.id for task in self._by_id().get(sweep_id, ()) if task.active]
        for task_id, error in zip(active, await asyncio.gather(*map(self._stop, active)), strict=True):
            if error is not None:
                _LOG.warning("task %s is not stopped with its sweep: %s", task_id, error)
        return await self.get(sweep_id), sorted({*(task.id for task in changed), *active})

    async def _stop(self, task_id: str) -> PtyTasksError | None:
        try:
            await self._control.stop_unless_ended(task_id)
        except PtyTasksError as error:
            return error
        return None

    def _environments(self, task_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        defaults = self._spawn_defaults()
        return {task_id: specs.environment(self._task_dirs.specs.read(task_id), defaults) for task_id in task_ids}

    @contextmanager
    def _rewritten(
        self, tasks: list[Task], environments: Mapping[str, Mapping[str, str]] | None = None
    ) -> Iterator[None]:
        """Write the specs and environments of tasks, in the transaction that changes them; undo that if it fails."""

        def rewrite(task: Task) -> None:
            if environments is not None:
                together.enter_context(self._kept(task.id, environments[task.id]))
            together.enter_context(self._task_dirs.specs.respec(task))

        with ExitStack() as together:
            _in_parallel(rewrite, tasks)
            yield

    @contextmanager
    def _kept(self, task_id: str, env: Mapping[str, str]) -> Iterator[None]:
        """Keep the environment of a task's next attempt, unless the block raises."""
        try:
            self._task_dirs.specs.write_environment(task_id, env)
            yield
        except BaseException:
            self._task_dirs.specs.forget_environment(task_id)
            raise


def _in_parallel(write: Callable[[Any], None], items: Sequence[Any]) -> None:
    """Call `write` for each item, several at a time; raise what the first one that fails raises, when all are done."""
    with ThreadPoolExecutor(_WRITERS, "ptytasks-sweep") as pool:
        for _ in pool.map(write, items):
            pass


def _check_size(request: SweepRequest, count: int) -> None:
    """Raise TooLarge for tasks that would fill the disk with their commands, environments and functions."""
    command = request.task.command or ""
    size = sum(map(len, [command] if isinstance(command, str) else command))
    size += sum(len(name) + len(value) for name, value in request.task.env.items())
    size += len(request.task.function or b"")
    if size * count > _SIZE_MAX:
        raise TooLarge(f"{count} tasks of {size} characters each are too large; {_SIZE_MAX} in total are possible")
