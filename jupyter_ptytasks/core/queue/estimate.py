"""Estimates when pending tasks will start, from how long similar tasks have taken. Pure arithmetic."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from math import inf
from statistics import median

from .decisions import order, waits_here
from .groups import DEFAULT_GROUP, Group, group_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..model import Task
    from .decisions import Plan

    #: What similar tasks have in common: its kind and its value.
    RunKey = tuple[str, str]
    PastRuns = Callable[[RunKey, int], Iterable[Task]]

#: How many of the last runs of a command are considered.
_RUNS = 20
#: Maximum length of a dependency chain that is followed.
_ROUNDS = 20


@dataclass
class Estimates:
    """When each pending task starts, by id, and when the last task of each group ends, by name (Unix seconds). Unknown
    times are missing.
    """

    starts: dict[str, float] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)


class RunTimes:
    """How long tasks take: the median of the newest successful runs of the same command, else of the same group, unless
    that is the default group. `past_runs` returns the newest successful tasks with one of the `run_keys`, up to a
    maximum.
    """

    def __init__(self, past_runs: PastRuns) -> None:
        self._past_runs = past_runs
        self._medians: dict[RunKey, float | None] = {}

    def of(self, task: Task) -> float | None:
        """Return how many seconds a task will take; None if unknown."""
        return next((takes for key in run_keys(task) if (takes := self._median(key)) is not None), None)

    def _median(self, key: RunKey) -> float | None:
        if key not in self._medians:
            runs = self._past_runs(key, _RUNS)
            took = [max(run.ended - run.started, 0.0) for run in runs if run.started and run.ended]
            self._medians[key] = median(took) if took else None
        return self._medians[key]


def run_keys(task: Task) -> tuple[RunKey, ...]:
    """Return the keys by which similar tasks are found, the most specific first."""
    command = task.command if isinstance(task.command, str) else "\0".join(map(str, task.command))
    if task.group == DEFAULT_GROUP:
        return (("command", command),)
    return ("command", command), ("group", task.group)


def estimate(
    tasks: Iterable[Task], plan: Plan, groups: Mapping[str, Group], now: float, past_runs: PastRuns
) -> Estimates:
    """Return when the pending tasks in `tasks` will start, and when groups will be done, judging by past runs. For
    `past_runs` see RunTimes.

    The end of a running task with progress is taken from its progress. Each group is simulated separately: the limit of
    active tasks and the GPUs, which groups share, are ignored.
    """
    known = {task.id: task for task in tasks}
    times = RunTimes(past_runs)
    result = Estimates()
    ends: dict[str, float] = {}
    lanes: dict[str, _Lane] = {}
    for task in known.values():
        if task.live:
            lanes.setdefault(task.group, _Lane(group_of(groups, task.group), now))
        if task.live and not waits_here(task):
            end = _end(task, times, now) if task.active else None
            lanes[task.group].occupy(end, task.turn.slots)
            if end is not None:
                ends[task.id] = end
    waiting = sorted((task for task in known.values() if waits_here(task)), key=order)
    for _ in range(_ROUNDS):
        ready = [(moment, task) for task in waiting if (moment := _ready(task, plan, known, ends, now)) is not None]
        for moment, task in sorted(ready, key=lambda one: one[0]):
            takes = times.of(task)
            start = lanes[task.group].start(moment, takes, task.turn.slots)
            if start is not None:
                result.starts[task.id] = start
                if takes is not None:
                    ends[task.id] = start + takes
        if not ready:
            break
        # Tasks that depend on these are next.
        done = {task.id for _, task in ready}
        waiting = [task for task in waiting if task.id not in done]
    unknown = {task.group for task in known.values() if task.live and task.id not in ends}
    for task_id, end in ends.items():
        group = known[task_id].group
        if group not in unknown:
            result.ends[group] = max(end, result.ends.get(group, now))
    return result


class _Lane:
    """The slots of a group over time."""

    def __init__(self, group: Group, now: float) -> None:
        self._slots = group.slots
        self._now = now
        self._used = 0
        #: When running tasks end, infinity if unknown, and the slots that they free.
        self._running: list[tuple[float, int]] = []

    def occupy(self, end: float | None, slots: int) -> None:
        """Count a task that runs until `end`."""
        heapq.heappush(self._running, (inf if end is None else end, slots))
        self._used += slots

    def start(self, moment: float, takes: float | None, slots: int) -> float | None:
        """Return when a task starts that is ready at `moment`; None if unknown."""
        if self._slots is not None:
            if slots > self._slots:
                return None
            while self._used + slots > self._slots:
                if self._running[0][0] == inf:
                    return None
                end, left = heapq.heappop(self._running)
                self._used -= left
                self._now = max(self._now, end)
        start = max(moment, self._now)
        self.occupy(None if takes is None else start + takes, slots)
        return start


def _end(task: Task, times: RunTimes, now: float) -> float | None:
    left = (task.progress or {}).get("eta")
    if isinstance(left, (int, float)):
        return now + left
    takes = times.of(task)
    return None if takes is None else max((task.started or now) + takes, now)


def _ready(task: Task, plan: Plan, known: Mapping[str, Task], ends: Mapping[str, float], now: float) -> float | None:
    """Return when a task will wait only for its group; None if unknown."""
    wait = plan.waits.get(task.id)
    if wait is None or wait.position:
        # A group may stay paused forever.
        return None if wait is not None and wait.reason == "paused" else now
    if wait.reason == "not_before":
        return wait.until
    if wait.reason == "dependency":
        live = [one.id for one in task.turn.after if one.id in known and known[one.id].live]
        if any(one not in ends for one in live):
            return None
        return max([now, task.turn.not_before or now, *(ends[one] for one in live)])
    return None
