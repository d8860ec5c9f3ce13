"""The server's side of the queue: which tasks wait, why, and waking the scheduler."""

from __future__ import annotations

import asyncio
import importlib.util
import math
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core import wake
from ..core.errors import BadRequest, GroupNotFound, PlaceUnreachable, PtyTasksError, TaskNotFound, storage_fault
from ..core.names import LOCAL, did_you_mean
from ..core.queue import decisions as queue
from ..core.queue.estimate import Estimates, estimate, run_keys
from ..core.queue.groups import group_of
from ..core.queue.turn import Dependency, Turn, runs_again
from ..core.states import State
from ..core.times import iso
from ..storage.records import RESTARTING
from ..storage.scheduling import Settings, is_scheduled, read_gpus, write_settings
from .listeners import Listeners

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ..core.model import Task
    from ..core.queue.estimate import RunKey
    from ..core.queue.gpus import Gpu
    from ..core.queue.groups import Group
    from ..provision.base import Provisioners
    from ..storage.groups import Groups
    from .changes import Change
    from .store import Store

#: Seconds for which the reasons why tasks wait remain valid if nothing changes.
_PLAN_AGE = 1.0
#: Fraction of the time that may be spent on computing them: with very many tasks they are a bit older, but other
#: requests are not delayed.
_PLAN_SHARE = 0.05
#: From this many tasks on, they are computed in a thread.
_PLAN_AT_ONCE = 500


@dataclass(frozen=True)
class Reason:
    """Why a pending task is not running, for programs and in words, its position in its group (1 is the next one), and
    when it is expected to start (Unix seconds).
    """

    position: int
    reason: str
    text: str
    starts: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON."""
        return {"position": self.position, "reason": self.reason, "text": self.text, "starts": iso(self.starts)}


class Queue:
    """Decides which new tasks wait, explains why, and wakes the scheduler. `close` it.

    `max_live` is the maximum number of active tasks. `listeners` are called with each group before and after a change
    of its configuration by any server; None for a group that is not configured.
    """

    def __init__(
        self,
        *,
        store: Store,
        groups: Groups,
        provisioners: Provisioners,
        data_dir: str,
        runtime_dir: str,
        max_live: int,
    ) -> None:
        self._store = store
        self._groups = groups
        self._provisioners = provisioners
        self._data_dir = data_dir
        self._runtime_dir = runtime_dir
        self._settings = Settings(
            max_live, _find_nvml(), os.environ.get("CUDA_VISIBLE_DEVICES"), provisioners.for_scheduler()
        )
        self._waits: Mapping[str, Reason] = {}
        #: The tasks for which this was computed.
        self._decided: Collection[str] = ()
        self._estimates = Estimates()
        self._is_stale = True
        #: Whether anything has changed since the scheduler was woken.
        self._is_news = True
        #: When the plan was made, and how long that took.
        self._planned = 0.0
        self._took = 0.0
        self._deciding: asyncio.Task[None] | None = None
        self._known: dict[str, Group] | None = None
        #: Tasks that need the scheduler; live tasks by group and whether they are active; tasks that are pending at
        #: their places, by group; and successful tasks by the keys for estimating run times.
        index = store.index
        self._urgent = index.where(_needs_scheduler)
        self._in_group = index.by(_group_key)
        self._submitted = index.by(lambda task: (task.group,) if task.pending and not queue.waits_here(task) else ())
        self._runs = index.by(lambda task: run_keys(task) if task.state is State.SUCCEEDED else ())
        self._looking = asyncio.Lock()
        self.listeners: Listeners[Group | None, Group | None] = Listeners()
        store.listeners.append(self._on_change)

    def close(self) -> None:
        """Stop listening."""
        if self._deciding is not None:
            self._deciding.cancel()
        self._store.listeners.remove(self._on_change)

    def _on_change(self, change: Change) -> None:  # noqa: ARG002
        self._is_stale = self._is_news = True

    # -- tasks ------------------------------------------------------------------------------------------------------

    def state_for(self, group: str, turn: Turn, place: str = LOCAL) -> State:
        """Return whether a task of a group must be queued or starts immediately at its place. Blocking."""
        found = self._groups.all().get(group)
        limited = found is not None and not found.is_free
        gate = self._provisioners.at(place).gate()
        is_late = gate is not None and gate.opens(0, time.time()) is not None
        return State.QUEUED if limited or is_late or turn != Turn() else State.STARTING

    async def resolved(self, turn: Turn, task_id: str = "") -> Turn:
        """Return a turn with the names of dependencies replaced by ids. Raises BadRequest for a task that does not
        exist, and for circular dependencies.
        """
        after = []
        for number, dependency in enumerate(turn.after):
            try:
                found = await self._store.find(dependency.id)
            except TaskNotFound as error:
                raise BadRequest(error.message, field=f"after.{number}") from error
            after.append(Dependency(found.id, dependency.when))
        circle = queue.cycle(task_id, after, self._store.get) if task_id else []
        if circle:
            names = [task.name if (task := self._store.get(one)) is not None else one for one in circle]
            raise BadRequest(f"after: these tasks would wait for each other: {' → '.join(names)}", field="after")
        return replace(turn, after=tuple(after))

    def moved(self, task: Task, target: str, *, after: bool) -> Turn:
        """Return the turn that puts a pending task right before or `after` the one with the id `target`; if that is
        empty, before or after all of its group. Raises BadRequest if the target is not pending in that group.
        """
        pending = self._tasks_of(task.group, active=False)
        line = [one for one in pending if queue.waits_here(one) and one.id != task.id]
        line.sort(key=queue.order)
        if not target:
            place = len(line) if after else 0
            return queue.moved(task, line, place, line[-1 if after else 0]) if line else task.turn
        field = "after" if after else "before"
        for place, other in enumerate(line):
            if other.id == target:
                return queue.moved(task, line, place + after, other)
        raise BadRequest(f"{field}: the task does not wait in the group {task.group}", field=field)

    async def wake(self) -> None:
        """Wake the scheduler; start one if none is running.

        Queued tasks are not lost if no scheduler can be started now: every periodic check of this server retries
        (`wake_if_needed`), and reports the problem.
        """
        with suppress(PtyTasksError):
            await self._try_to_wake()

    async def _try_to_wake(self) -> None:
        is_news, self._is_news = self._is_news, False
        try:
            await asyncio.to_thread(self._wake)
        except OSError as error:
            self._is_news = is_news
            raise storage_fault(error, "the scheduler could not be started") from error

    def _wake(self) -> None:
        write_settings(self._data_dir, self._settings)
        wake.mark(self._data_dir)
        wake.wake(self._data_dir, self._runtime_dir)

    async def wake_if_needed(self) -> None:
        """Wake the scheduler if tasks wait for it or will be retried: their ptyhosts, which would have woken it, may
        have died. It is not woken again if nothing has changed since. Raises StorageFull or InternalError.
        """
        if self._urgent and (self._is_news or not await asyncio.to_thread(is_scheduled, self._data_dir)):
            await self._try_to_wake()

    @property
    def waiting(self) -> int:
        """How many tasks wait for the scheduler, or will be retried by it."""
        return len(self._urgent)

    def to_json(self, task: Task) -> dict[str, Any] | None:
        """Return why a pending task is not running; None for others."""
        if not task.pending:
            return None
        if not queue.waits_here(task):
            # Its place says why.
            return Reason(0, "place", task.state_message, task.job.get("starts")).to_json()
        if (wait := self._wait_of(task)) is not None:
            return wait.to_json()
        # It will start now, or its place did not respond.
        said = task.state_reason, task.state_message
        reason, text = said if task.state_reason == PlaceUnreachable.code else ("starting", "about to start")
        return Reason(0, reason, text, None).to_json()

    @property
    def waits(self) -> Mapping[str, Reason]:
        """Why tasks in this queue wait, by id; the same object until it is computed again."""
        self._decide()
        return self._waits

    def _wait_of(self, task: Task) -> Reason | None:
        """Return why a task waits in this queue; computed immediately for a new task, unless there are very many."""
        wait = self.waits.get(task.id)
        if wait is None and task.id not in self._decided and self._deciding is None:
            if len(self._store.live) <= _PLAN_AT_ONCE:
                self._is_stale = False
                self._make_plan(self._concerned())
            wait = self._waits.get(task.id)
        return wait

    def _gpus(self) -> list[Gpu] | None:
        return read_gpus(self._runtime_dir)

    def _decide(self) -> None:
        """Compute why tasks wait, unless that is up to date. If it takes long, this is done in a thread, and the
        previous result is used until then.
        """
        age = time.monotonic() - self._planned
        if self._deciding is not None or age < (self._took / _PLAN_SHARE if self._is_stale else _PLAN_AGE):
            return
        tasks = self._concerned()
        self._is_stale = False
        if len(tasks) > _PLAN_AT_ONCE and self._planned:
            self._deciding = asyncio.create_task(self._decide_later(tasks))
        else:
            self._make_plan(tasks)

    async def _decide_later(self, tasks: Sequence[Task]) -> None:
        try:
            await asyncio.to_thread(self._make_plan, tasks)
        finally:
            self._deciding = None

    def _make_plan(self, tasks: Sequence[Task]) -> None:
        begun, groups, now = time.monotonic(), self._groups.all(), time.time()
        plan = queue.plan(tasks, groups, now, self._settings.max_live_tasks, self._gpus, self._provisioners.gates)
        self._estimates = estimates = estimate(tasks, plan, groups, now, self._past_runs)
        self._waits = {
            task_id: Reason(wait.position, wait.reason, wait.text, estimates.starts.get(task_id, wait.until))
            for task_id, wait in plan.waits.items()
        }
        self._decided = {task.id for task in tasks}
        self._planned = time.monotonic()
        self._took = self._planned - begun

    def _concerned(self) -> list[Task]:
        """Return the tasks that affect decisions: live tasks, their dependencies, and those of their sweeps."""
        found = {task.id: task for task in self._store.live}
        pending = [task for task in found.values() if task.pending]
        for sweep_id in {task.sweep.id for task in pending if task.sweep is not None}:
            found.update((task.id, task) for task in self._store.by_sweep[sweep_id].newest_first)
        for task_id in {dependency.id for task in pending for dependency in task.turn.after}:
            task = self._store.get(task_id)
            if task is not None:
                found[task_id] = task
        return list(found.values())

    def _past_runs(self, key: RunKey, count: int) -> list[Task]:
        found = self._runs.get(key)
        return found.last(count) if found is not None else []

    # -- groups -----------------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Check for changes of groups by other processes, and notify the listeners."""
        async with self._looking:
            groups = await asyncio.to_thread(self._groups.all)
            known, self._known = self._known, groups
        if known is None:
            return
        for name in sorted(known.keys() | groups.keys()):
            if known.get(name) != groups.get(name):
                self._is_stale = True
                self.listeners(known.get(name), groups.get(name))

    async def groups(self) -> list[dict[str, Any]]:
        """Return all groups that are configured or have tasks that have not ended, by name."""
        await self._store.refresh()
        groups = dict(await asyncio.to_thread(self._groups.all))
        for name in {name for name, _ in self._in_group}:
            groups[name] = group_of(groups, name)
        return [self._group_to_json(groups[name]) for name in sorted(groups)]

    async def group(self, name: str) -> dict[str, Any]:
        """Return a group. Raises GroupNotFound if it is neither configured nor in use."""
        known = {group["name"]: group for group in await self.groups()}
        if name not in known:
            raise GroupNotFound(f"no group has the name {name!r}{did_you_mean(name, known)}", field="name")
        return known[name]

    async def change_group(self, name: str, **changes: Any) -> dict[str, Any]:
        """Configure a group; a new one has one slot. Raises StorageFull, StoreUnavailable."""
        group = await asyncio.to_thread(self._groups.change, name, **changes)
        self._note_change()
        await self.look()
        with suppress(PtyTasksError):  # as `wake`
            await self.wake_if_needed()
        return self._group_to_json(group)

    async def remove_group(self, name: str) -> None:
        """Delete the configuration of a group; its tasks are no longer limited."""
        await asyncio.to_thread(self._groups.remove, name)
        self._note_change()
        await self.look()
        with suppress(PtyTasksError):  # as `wake`
            await self.wake_if_needed()

    def _note_change(self) -> None:
        """Recompute why tasks wait, immediately unless there are very many: a client that changes a group should see
        the effect.
        """
        self._is_stale = self._is_news = True
        if len(self._store.live) <= _PLAN_AT_ONCE:
            self._planned = -math.inf

    def tasks_of(self, name: str) -> list[Task]:
        """Return the active tasks of a group."""
        return self._tasks_of(name, active=True)

    def _tasks_of(self, name: str, *, active: bool) -> list[Task]:
        """Return the tasks of a group that are active, or pending."""
        found = self._in_group.get((name, active))
        return found.newest_first if found is not None else []

    def _group_to_json(self, group: Group) -> dict[str, Any]:
        self._decide()
        active = self.tasks_of(group.name)
        submitted = self._submitted.get(group.name)
        used = [*active, *(submitted.newest_first if submitted is not None else ())]
        return {
            **group.to_json(),
            "used": sum(task.turn.slots for task in used),
            "active": len(active),
            "pending": len(self._in_group.get((group.name, False), ())),
            "ends": iso(self._estimates.ends.get(group.name)),
        }


def _group_key(task: Task) -> tuple[tuple[str, bool], ...]:
    return ((task.group, task.active),) if task.live else ()


def _needs_scheduler(task: Task) -> bool:
    """Return whether a task waits in this queue, or will be retried."""
    if task.state is State.QUEUED:
        return queue.waits_here(task)
    return runs_again(task) and task.state_reason != RESTARTING  # the server that stopped it does this


def _find_nvml() -> str:
    """Return the directory of pynvml; empty if it is not installed."""
    try:
        found = importlib.util.find_spec("pynvml")
    except ValueError:
        return ""
    return os.path.dirname(found.origin) if found is not None and found.origin else ""
