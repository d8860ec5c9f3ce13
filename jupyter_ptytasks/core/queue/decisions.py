"""What the queue does next: pure decisions from tasks, groups and the time. Starts nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..names import LOCAL
from ..states import State
from .gpus import Given, NoGpu, Pool
from .groups import group_of
from .ranks import between, is_after
from .turn import FAILURES, When, runs_again

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from .gates import Gate
    from .gpus import Gpu
    from .groups import Group
    from .turn import Dependency, Queueable, Turn


@dataclass(frozen=True)
class Wait:
    """Why a task is not running: a `reason` for programs (held, dependency, not_before, paused, slots, gpus, limit,
    pace, max_failures), the same in words, and its `position` among the tasks that wait only for their group (1: the
    next), 0 for others. `until` is the time (Unix seconds) at which the wait ends, if known. A task that is `given_up`
    will never run.
    """

    reason: str
    text: str
    position: int = 0
    until: float | None = None
    given_up: bool = False


@dataclass
class Plan:
    """What to do now: the ids of tasks to start, in order, with their GPUs; tasks that will never run, and why; why
    each other task waits; and when to decide again (Unix seconds) if nothing changes before. `needs_gpus` says whether
    a task would start if GPUs allow it, `is_counting` whether the GPUs are not known yet.
    """

    start: list[str] = field(default_factory=list)
    gpus: dict[str, Given] = field(default_factory=dict)
    cancel: dict[str, Wait] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)
    look: float | None = None
    needs_gpus: bool = False
    is_counting: bool = False


def plan(
    tasks: Iterable[Queueable],
    groups: Mapping[str, Group],
    now: float,
    limit: int,
    gpus: Callable[[], Sequence[Gpu] | None] = tuple,
    gates: Callable[[Collection[str]], Mapping[str, Gate]] = lambda names: {},  # noqa: ARG005  there are none
    *,
    explain: bool = True,
) -> Plan:
    """Decide about all pending tasks in `tasks` at `now` (Unix seconds). `tasks` must also have all active tasks, all
    dependencies of the pending ones, and all tasks of their sweeps. At most `limit` tasks are active at a time. `gpus`
    returns the GPUs of the machine, None while they are not known; it is called if a task needs one. `gates`
    returns the gates of other places by name: tasks for these places are started there, and dependencies at the
    same place are left to the place (`left_to_place`); it is called if a task in this queue is for another place.
    Within a group no task starts before another one with a higher priority, or with the same priority and a lower rank,

    that waits only for slots or GPUs; and no task of any group takes the GPUs that such a task waits for. Without
    `explain`, `waits` is left empty.
    """
    known = {task.id: task for task in tasks}
    failures = _failures(known.values())
    result = Plan()
    ready: list[Queueable] = []
    pending = sorted((task for task in known.values() if waits_here(task)), key=order)
    elsewhere = {task.provisioner for task in pending} - {LOCAL}
    ways = gates(elsewhere) if elsewhere else {}
    for task in pending:
        wait = _sweep_wait(task, failures) or _own_wait(task, known, now, ways)
        if wait is None:
            ready.append(task)
        elif wait.given_up:
            result.cancel[task.id] = wait
        else:
            if explain:
                result.waits[task.id] = wait
            if wait.until is not None:
                result.look = wait.until if result.look is None else min(result.look, wait.until)
    active = sum(task.active for task in known.values())
    used: dict[str, int] = {}
    pool = Pool(gpus)
    for task in known.values():
        if task.active or (task.pending and not waits_here(task)):
            used[task.group] = used.get(task.group, 0) + task.turn.slots
            pool.take(Given(task.gpus, task.gpu_share))
    #: How many tasks of each group wait for slots, and how many start at each place.
    waiting: dict[str, int] = {}
    submitted: dict[str, int] = {}
    for task in ready:
        group = group_of(groups, task.group)
        before = waiting.get(group.name, 0)
        if before and not explain and (group.paused or group.slots is not None):
            continue  # another one is next
        wait = _group_wait(task, group, used.get(group.name, 0), before)
        if wait is None and active >= limit:
            wait = Wait("limit", f"{active} tasks are running, which is the limit", before + 1)
        if wait is None and task.provisioner != LOCAL:
            wait = _gate_wait(task, ways.get(task.provisioner), submitted.get(task.provisioner, 0), before, now)
            if wait is not None and wait.until is not None:
                result.look = wait.until if result.look is None else min(result.look, wait.until)
        amount = group.gpus_of(task) if task.provisioner == LOCAL else 0.0
        if wait is None and amount:
            try:
                result.gpus[task.id] = pool.give(amount, group.gpus or None)
            except NoGpu as error:
                wait = Wait("gpus", str(error), 0 if error.for_ever else before + 1)
        if wait is None:
            result.start.append(task.id)
            active += 1
            used[group.name] = used.get(group.name, 0) + task.turn.slots
            submitted[task.provisioner] = submitted.get(task.provisioner, 0) + 1
            continue
        if explain:
            result.waits[task.id] = wait
        if wait.position:
            waiting[group.name] = before + 1
    result.needs_gpus, result.is_counting = pool.is_needed, pool.is_needed and not pool.is_known
    return result


def waits_here(task: Queueable) -> bool:
    """Return whether a task waits in this queue, and was not submitted to another place, where it is pending."""
    return task.pending and not task.is_submitted


def left_to_place(task: Queueable, known: Mapping[str, Queueable], gates: Mapping[str, Gate]) -> list[Dependency]:
    """Return the dependencies of a task that its place handles: tasks that were submitted to the same place, and that
    we will not retry, since the place does not know about retries.
    """
    if task.provisioner not in gates:
        return []
    found = []
    for dependency in task.turn.after:
        other = known.get(dependency.id)
        is_there = other is not None and other.live and other.is_submitted and other.provisioner == task.provisioner
        if other is not None and is_there and other.turn.retry is None:
            found.append(dependency)
    return found


def awaited(tasks: Iterable[Queueable], among: Iterable[Queueable]) -> set[str]:
    """Return the ids of the tasks in `among`, which are not pending here, that are being started or will be retried by
    us, or on whose ends others in `tasks` may depend.
    """
    waiting = [task for task in tasks if task.state is State.QUEUED and waits_here(task)]
    places, groups = {task.provisioner for task in waiting}, {task.group for task in waiting}
    sweeps = {task.sweep.id for task in waiting if task.sweep is not None}
    after = {dependency.id for task in waiting for dependency in task.turn.after}
    return {
        task.id
        for task in among
        if task.state is State.STARTING
        or task.turn.retry is not None
        or task.id in after
        or task.provisioner in places
        or task.group in groups
        or (task.sweep is not None and task.sweep.id in sweeps)
    }


def order(task: Queueable) -> tuple[int, str, str]:
    """Return the key by which the pending tasks of a group are sorted."""
    return -task.turn.priority, rank(task), task.id


def rank(task: Queueable) -> str:
    """Return the rank of a task among those of the same priority."""
    return task.turn.rank or task.id


def moved(task: Queueable, others: Iterable[Queueable], place: int, anchor: Queueable) -> Turn:
    """Return the turn that puts `task` at index `place` of `others`, the other pending tasks of its group in order. It
    takes the priority of `anchor`, its new neighbor.
    """
    priority = anchor.turn.priority
    line = list(others)
    before = [rank(one) for one in line[:place] if one.turn.priority == priority]
    low = before[-1] if before else ""
    # Two servers may have given two tasks the same rank.
    after = (rank(one) for one in line[place:] if one.turn.priority == priority and is_after(rank(one), low))
    return replace(task.turn, priority=priority, rank=between(low, next(after, "")))


def _failures(tasks: Iterable[Queueable]) -> dict[str, int]:
    """Return how many tasks of each sweep have failed and will not be retried, by the id of the sweep."""
    found: dict[str, int] = {}
    for task in tasks:
        if task.sweep is not None and task.state in FAILURES and not runs_again(task):
            found[task.sweep.id] = found.get(task.sweep.id, 0) + 1
    return found


def _sweep_wait(task: Queueable, failures: Mapping[str, int]) -> Wait | None:
    """Return why a task is not started because too many of its sweep have failed."""
    if task.sweep is None or task.sweep.max_failures is None:
        return None
    failed = failures.get(task.sweep.id, 0)
    if failed < task.sweep.max_failures:
        return None
    tasks = "1 task has" if failed == 1 else f"{failed} tasks have"
    return Wait("max_failures", f"{tasks} failed in the sweep {task.sweep.name}", given_up=True)


def _own_wait(task: Queueable, known: Mapping[str, Queueable], now: float, gates: Mapping[str, Gate]) -> Wait | None:
    """Return what keeps a task from starting regardless of its group."""
    if task.state is State.HELD:
        return Wait("held", "held until it is released")
    left = left_to_place(task, known, gates)
    for dependency in task.turn.after:
        if dependency in left:
            continue
        other = known.get(dependency.id)
        if other is None:
            return Wait("dependency", "the task that it waits for was deleted", given_up=True)
        if other.live or runs_again(other):
            return Wait("dependency", f"waits for {other.name}, which is {other.state.value}")
        ok = other.state is State.SUCCEEDED
        if dependency.when is not When.ANY and ok is not (dependency.when is When.OK):
            wanted = "succeed" if dependency.when is When.OK else "fail"
            text = f"{other.name} did not {wanted}: it is {other.state.value.replace('_', ' ')}"
            return Wait("dependency", text, given_up=True)
    moment = task.turn.not_before
    if moment is not None and now < moment:
        return Wait("not_before", "waits for its time", until=moment)
    return None


def _group_wait(task: Queueable, group: Group, used: int, before: int) -> Wait | None:
    """Return why a group does not let a task start, with `before` others of the group ahead of it; None if it does."""
    if group.paused:
        why = f": {group.reason}" if group.reason else ""
        return Wait("paused", f"the group {group.name} is paused{why}", before + 1)
    if group.slots is None:
        return None
    if task.turn.slots > group.slots:
        needs = "a slot" if task.turn.slots == 1 else f"{task.turn.slots} slots"
        return Wait("slots", f"needs {needs}, and the group {group.name} has {group.slots}")
    if before or used + task.turn.slots > group.slots:
        return Wait("slots", f"{used} of {group.slots} slots of the group {group.name} are used", before + 1)
    return None


def _gate_wait(task: Queueable, gate: Gate | None, more: int, before: int, now: float) -> Wait | None:
    """Return why a task cannot be submitted to its place, with `more` others being submitted and `before` others of its
    group ahead of it; None if it can.
    """
    if gate is None:
        return Wait("place", f"waits for a Jupyter server that has the place {task.provisioner}")
    found = gate.opens(more, now)
    return None if found is None else Wait("pace", f"{task.provisioner}: {found[1]}", before + 1, found[0])


def cycle(task_id: str, after: Sequence[Dependency], known: Callable[[str], Queueable | None]) -> list[str]:
    """Return the ids of the dependency cycle that would result if the task waited for `after`, with the first id at
    both ends; empty if there is none. `known` returns the task with an id, None if it does not exist.
    """
    stack: list[tuple[str, Iterator[str]]] = [(task_id, iter([one.id for one in after]))]
    done: set[str] = set()
    while stack:
        _, nexts = stack[-1]
        other = next(nexts, None)
        if other is None:
            done.add(stack.pop()[0])
        elif other == task_id:
            return [*(one for one, _ in stack), task_id]
        elif other not in done and all(one != other for one, _ in stack) and (task := known(other)) is not None:
            stack.append((other, iter([one.id for one in task.turn.after])))
    return []
