"""Cleaning up on request: which finished tasks would be deleted, the space they use, and deleting them, all or none."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from ..core.errors import TaskNotFound
from ..core.metrics.names import less_is_better
from ..core.queue.turn import runs_again
from ..core.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..core.model import Task
    from ..core.states import State
    from .control import Control
    from .housekeeping import Housekeeping
    from .removing import Remover
    from .store import Store

#: The reasons why tasks are spared, by which they are counted.
SPARED = ("running", "waiting", "pinned", "needed", "best", "newest", "unmeasured")


@dataclass(frozen=True)
class Rules:
    """Which ended tasks are deleted: those that match all rules; by default all of them.

    `older_than` is in seconds since their end; `states` are final states, empty for any; of the matching tasks the
    newest `keep` are kept. With `best`, the name of a metric, the task with its best value and all tasks without that
    metric are kept: the best value is the lowest if `lower` is set; None depends on the name.
    """

    older_than: float | None = None
    states: frozenset[State] = frozenset()
    keep: int = 0
    best: str | None = None
    lower: bool | None = None

    def apply(
        self,
        tasks: Sequence[Task],
        now: float,
        *,
        obstacle: Callable[[Task], str | None],
        metrics: Callable[[Task], Mapping[str, Any]],
    ) -> tuple[list[Task], Counter[str]]:
        """Return the tasks to delete, in order, and how many others are spared, by reason.

        Args:
            tasks: newest first.
            now: Unix seconds.
            obstacle: returns why a task must not be deleted at all; None if it may.
            metrics: returns the metrics of a task by name.
        """
        spared: Counter[str] = Counter()
        ended: list[Task] = []
        for task in tasks:
            why = obstacle(task)
            if why in ("running", "waiting"):
                spared[why] += 1
            elif not self.states or task.state in self.states:
                ended.append(task)
        best, values = self._best(ended, metrics)
        gone: list[Task] = []
        left = self.keep
        for task in ended:
            why = obstacle(task)
            if why is None and self.best is not None:
                why = "unmeasured" if task.id not in values else "best" if task.id == best else None
            if why is None and left:
                left -= 1
                why = "newest"
            if self.older_than is not None and now - (task.ended or task.created) <= self.older_than:
                continue
            if why is None:
                gone.append(task)
            else:
                spared[why] += 1
        return gone, spared

    def _best(
        self, tasks: Iterable[Task], metrics: Callable[[Task], Mapping[str, Any]]
    ) -> tuple[str | None, dict[str, float | None]]:
        """Return the id of the task with the best value of the metric, and the best value of each task that has it;
        None if it was never finite.
        """
        if self.best is None:
            return None, {}
        lower = less_is_better(self.best) if self.lower is None else self.lower
        found = {task.id: metrics(task).get(self.best) for task in tasks}
        values = {task_id: _finite(one["min" if lower else "max"]) for task_id, one in found.items() if one is not None}
        known = {task_id: value for task_id, value in values.items() if value is not None}
        choose = min if lower else max
        return choose(known, key=known.__getitem__, default=None), values


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


class Cleaner:
    """Previews and deletes tasks: never those that have not ended, are pinned, or are needed by a pending task.
    Results are JSON (client.types.CleanUp).

    """

    def __init__(
        self,
        store: Store,
        control: Control,
        remover: Remover,
        housekeeping: Housekeeping,
        metrics: Callable[[Task], Mapping[str, Any]],
    ) -> None:
        self._store = store
        self._control = control
        self._remover = remover
        self._housekeeping = housekeeping
        self._metrics = metrics

    async def preview(self, tasks: Sequence[Task], rules: Rules, now: float) -> dict[str, Any]:
        """Return which of `tasks`, newest first, these rules would delete, and what is kept and why."""
        obstacle = self._obstacle(self._needed())
        gone, spared = await asyncio.to_thread(rules.apply, tasks, now, obstacle=obstacle, metrics=self._metrics)
        return await self._told(gone, spared)

    async def delete(self, task_ids: Iterable[str]) -> dict[str, Any]:
        """Delete the tasks with these ids, all or none; those that may no longer be deleted are spared and counted,
        missing ones are left out. Raises InvalidState if one has just been restarted, Conflict.
        """
        tasks = [task for one in dict.fromkeys(task_ids) if (task := self._store.get(one)) is not None]
        obstacle = self._obstacle(self._needed())
        reasons = {task.id: obstacle(task) for task in tasks}
        gone = [task for task in tasks if reasons[task.id] is None]
        told = await self._told(gone, Counter(why for why in reasons.values() if why is not None))
        try:
            removed = set(await self._remover.delete_unpinned(gone)) if gone else set()
        except TaskNotFound:
            removed = set()  # another server was faster
        if len(removed) < len(gone):
            pinned = sum(self._store.get(task.id) is not None for task in gone if task.id not in removed)
            told["tasks"] = [one for one in told["tasks"] if one["id"] in removed]
            told["size"] = sum(one["size"] for one in told["tasks"])
            told["spared"]["pinned"] += pinned
        return told

    def _needed(self) -> frozenset[str]:
        """Return the ids of the tasks that others wait for."""
        return frozenset(one.id for task in self._store.live if task.pending for one in task.turn.after)

    def _obstacle(self, needed: frozenset[str]) -> Callable[[Task], str | None]:
        def obstacle(task: Task) -> str | None:
            if task.pending or runs_again(task):
                return "waiting"
            if task.live or self._control.is_restarting(task):
                return "running"
            if task.pinned:
                return "pinned"
            return "needed" if task.id in needed else None

        return obstacle

    async def _told(self, tasks: Sequence[Task], spared: Counter[str]) -> dict[str, Any]:
        sizes = await self._housekeeping.sizes(tasks)
        return {
            "tasks": [
                {
                    "id": task.id,
                    "name": task.name,
                    "state": task.state.value,
                    "ended": iso(task.ended),
                    "size": sizes[task.id],
                }
                for task in tasks
            ],
            "size": sum(sizes.values()),
            "spared": {why: spared[why] for why in SPARED},
        }
