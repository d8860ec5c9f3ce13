"""When tasks that wait will start, judged by how long such tasks have taken. Pure arithmetic; a guess, told as one."""

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

    #: What tasks that take as long have in common: its kind and its value.
    RunKey = tuple[str, str]
    PastRuns = Callable[[RunKey, int], Iterable[Task]]

#: How many of the last runs of a command count.
_RUNS = 20
#: How long a chain of tasks that wait for each other is followed.
_ROUNDS = 20


@dataclass
class Estimates:
    """When each pending task starts, by its id, and when the last task of each group ends, by its name (Unix seconds).
    What cannot be told is not there.
    """

    starts: dict[str, float] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)


class RunTimes:
    """How long tasks take: the median of the newest successful runs of the same command, else of the same group, unless
    that is where tasks of all kinds are. `past_runs` returns the newest tasks that succeeded with one of the
    `run_keys`, at most so many.
    """

    def __init__(self, past_runs: PastRuns) -> None:
        self._past_runs = past_runs
        self._medians: dict[RunKey, float | None] = {}

    def of(self, task: Task) -> float | None:
        """Return the seconds that a task will take; None if that is not known."""
        return next((takes for key in run_keys(task) if (takes := self._median(key)) is not None), None)

    def _median(self, key: RunKey) -> float | None:
        if key not in self._medians:
            runs = self._past_runs(key, _RUNS)
            took = [max(run.ended - run.started, 0.0) for run in runs if run.started and run.ended]
            self._medians[key] = median(took) if took else None
        return self._medians[key]


def run_keys(task: Task) -> tuple[RunKey, ...]:
    """Return what a task has in common with those that take as long, the most telling first."""
    command = task.command if isinstance(task.command, str) else "\0".join(map(str, task.command))
    if task.group == DEFAULT_GROUP:
        return (("command", command),)
    return ("command", command), ("group", task.group)


def estimate(
    tasks: Iterable[Task], plan: Plan, groups: Mapping[str, Group], now: float, past_runs: PastRuns
) -> Estimates:
    """Return when those of `tasks` that wait will start and groups will be done, if everything goes as it did. For
    `past_runs` see RunTimes.

    Of a running task that tells its progress, that says when it ends. Each group is played forward by itself: the limit
    of all tasks and GPUs, which groups share, are not looked at.
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
        # Those that wait for these are next.
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
        #: When those that run end, infinity if that is not known, and the slots they leave.
        self._running: list[tuple[float, int]] = []

    def occupy(self, end: float | None, slots: int) -> None:
        """Count a task that runs until `end`."""
        heapq.heappush(self._running, (inf if end is None else end, slots))
        self._used += slots

    def start(self, moment: float, takes: float | None, slots: int) -> float | None:
        """Return when a task starts that may do so from `moment` on; None if that cannot be told."""
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
    """Return from when on nothing but its group keeps a task from starting; None if that is not known."""
    wait = plan.waits.get(task.id)
    if wait is None or wait.position:
        # A group that is paused may be so for ever.
        return None if wait is not None and wait.reason == "paused" else now
    if wait.reason == "not_before":
        return wait.until
    if wait.reason == "dependency":
        live = [one.id for one in task.turn.after if one.id in known and known[one.id].live]
        if any(one not in ends for one in live):
            return None
        return max([now, task.turn.not_before or now, *(ends[one] for one in live)])
    return None
