"""Sweeps: many tasks from one command, which are created, retried, canceled and deleted together."""

from __future__ import annotations

import asyncio
import functools
import secrets
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core.errors import InternalError, SweepNotFound, TooLarge
from ..core.model import new_id
from ..core.names import LOCAL, did_you_mean
from ..core.states import State
from ..core.sweeps import combinations as sweeps
from ..core.sweeps import placeholders
from ..core.sweeps.combinations import Mode, Sweep
from ..core.times import iso
from ..storage.drafts import in_parallel
from ..storage.records import task_of
from . import spec as specs
from .placing import check_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..core.model import Task, TaskRequest
    from ..core.sweeps.combinations import Value
    from .context import Context
    from .many import Many
    from .queueing import Queue

#: Maximum total number of characters in the commands and environments of a sweep's tasks.
_SIZE_MAX = 64 << 20


@dataclass(frozen=True)
class SweepRequest:
    """A request for a sweep: `task` is the common request of its tasks, with placeholders in its command; see `Sweep`
    for the other fields. Without a `random_seed`, one is chosen.
    """

    task: TaskRequest
    params: Mapping[str, str | Sequence[Value]]
    mode: Mode = Mode.GRID
    count: int | None = None
    random_seed: int | None = None
    max_failures: int | None = None


class Sweeps:
    """Creates sweeps, and finds them through their tasks. Every verb raises errors of core.errors; a sweep is given by
    its id, or by its name, which means the newest with that name.
    """

    def __init__(self, context: Context, many: Many, queue: Queue) -> None:
        self._many = many
        self._queue = queue
        self._store = context.store
        self._task_dirs = context.task_dirs
        self._provisioners = context.provisioners
        self._spawn_defaults = context.spawn_defaults
        #: The immutable records of sweeps, by id.
        self._records: dict[str, dict[str, Any]] = {}

    # -- finding ----------------------------------------------------------------------------------------------------

    async def all(self) -> list[dict[str, Any]]:
        """Return all sweeps that have tasks, newest first, as JSON."""
        await self._store.refresh()
        found = sorted(self._store.by_sweep, reverse=True)
        await self._read_records(found)
        return [self._to_json(sweep_id, tasks) for sweep_id in found if (tasks := self._tasks_of(sweep_id))]

    async def get(self, ref: str) -> dict[str, Any]:
        """Return a sweep as JSON."""
        await self._store.refresh()
        sweep_id, tasks = self._find(ref)
        await self._read_records([sweep_id])
        return self._to_json(sweep_id, tasks)

    def id_of(self, ref: str) -> str | None:
        """Return the id of a sweep; None if there is none."""
        try:
            return self._find(ref)[0]
        except SweepNotFound:
            return None

    def _find(self, ref: str) -> tuple[str, list[Task]]:
        """Return the id and the tasks of a sweep. Raises SweepNotFound."""
        sweep_id = ref if ref in self._store.by_sweep else max(self._named(ref), default="")
        if not sweep_id:
            names = (task.sweep.name for task in self._newest_ones() if task.sweep is not None)
            raise SweepNotFound(f"no sweep has the id or name {ref!r}{did_you_mean(ref, names)}", field="ref")
        return sweep_id, self._tasks_of(sweep_id)

    def _named(self, name: str) -> list[str]:
        """Return the ids of the sweeps with this name."""
        return [task.sweep.id for task in self._newest_ones() if task.sweep is not None and task.sweep.name == name]

    def _newest_ones(self) -> Iterator[Task]:
        """Yield one task of each sweep."""
        return (task for tasks in self._store.by_sweep.values() if (task := tasks.newest) is not None)

    def _tasks_of(self, sweep_id: str) -> list[Task]:
        """Return the tasks of a sweep, oldest first."""
        found = self._store.by_sweep.get(sweep_id)
        return found.newest_first[::-1] if found is not None else []

    async def _read_records(self, wanted: Iterable[str]) -> None:
        for sweep_id in set(wanted) - self._records.keys():
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

        Raises BadRequest, SpawnFailed, TooLarge, StorageFull, StoreUnavailable, and leaves nothing behind.
        """
        await self._store.refresh()
        turn = await self._queue.resolved(request.task.turn)
        request = replace(request, task=replace(request.task, turn=turn))
        check_place(request.task, self._provisioners, waits=True)
        record, drafts = await asyncio.to_thread(self._draft, request)
        ids = [spec["id"] for spec, _ in drafts]
        try:
            function = request.task.function
            create = functools.partial(self._task_dirs.create_pending, function=function)
            await asyncio.to_thread(in_parallel, lambda draft: create(*draft), drafts)
            await self._store.add_all((task_of(spec) for spec, _ in drafts), lambda _: self._complete(record, ids))
        except BaseException:
            with suppress(InternalError):  # the next cleanup does it
                await asyncio.to_thread(self._task_dirs.trash.discard, *ids)
            raise
        await self._queue.wake()
        return await self.get(record["id"])

    def _draft(self, request: SweepRequest) -> tuple[dict[str, Any], list[tuple[dict[str, Any], dict[str, str]]]]:
        """Return the record of a sweep, and the specs and environments of its tasks."""
        command = request.task.command
        assert command is not None
        values = sweeps.read(request.params)
        if request.task.function is None:  # a function gets the parameters as arguments
            sweeps.check_use(command, values)
        seed = request.random_seed
        if seed is None and request.mode is Mode.RANDOM:
            seed = secrets.randbits(32)
        combinations = sweeps.combine(values, request.mode, request.count, seed or 0)
        _check_size(request, len(combinations))
        now = time.time()
        last = self._store.index.newest
        newest = new_id(now, last.id if last is not None else "")
        sweep = Sweep(newest, request.task.name or specs.command_name(command), request.max_failures)
        state = State.HELD if request.task.hold else State.QUEUED
        defaults = self._spawn_defaults()
        shares_files = self._provisioners.at(request.task.place or LOCAL).shares_files
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
            spec = specs.build(task, newest, now, defaults, (), shares_files=shares_files)
            spec["state"] = state.value
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
        """Make a sweep's task directories valid, in the transaction that inserts the tasks into the database."""
        self._task_dirs.renew(ids)
        with self._task_dirs.sweeps.written(record):
            yield

    # -- all of its tasks -------------------------------------------------------------------------------------------

    async def retry(self, ref: str, states: frozenset[State]) -> tuple[dict[str, Any], list[str]]:
        """Requeue the tasks of a sweep that ended in one of these states; see Many.retry. Return the sweep as JSON, and
        their ids.
        """
        sweep_id, tasks = await self._look_for(ref)
        changed = await self._many.retry(tasks, states)
        return await self.get(sweep_id), changed

    async def release(self, ref: str) -> tuple[dict[str, Any], list[str]]:
        """Release the held tasks of a sweep. Return the sweep as JSON, and their ids."""
        sweep_id, tasks = await self._look_for(ref)
        changed = await self._many.release(tasks)
        return await self.get(sweep_id), changed

    async def cancel(self, ref: str) -> tuple[dict[str, Any], list[str]]:
        """Cancel the pending tasks of a sweep, and begin to stop the running ones. Return the sweep as JSON, and their
        ids.
        """
        sweep_id, tasks = await self._look_for(ref)
        changed = await self._many.cancel(tasks, "canceled with its sweep")
        return await self.get(sweep_id), changed

    async def delete(self, ref: str, *, stop: bool, force: bool) -> None:
        """Delete the tasks of a sweep, and so the sweep; see Many.delete."""
        _, tasks = await self._look_for(ref)
        await self._many.delete(tasks, stop=stop, force=force)

    async def _look_for(self, ref: str) -> tuple[str, list[Task]]:
        await self._store.refresh()
        return self._find(ref)


def _check_size(request: SweepRequest, count: int) -> None:
    """Raise TooLarge for tasks that would fill the disk with their commands, environments and functions."""
    command = request.task.command or ""
    size = sum(map(len, [command] if isinstance(command, str) else command))
    size += sum(len(name) + len(value) for name, value in request.task.env.items())
    size += len(request.task.function or b"")
    if size * count > _SIZE_MAX:
        raise TooLarge(f"{count} tasks of {size} characters each are too large; {_SIZE_MAX} in total are possible")
