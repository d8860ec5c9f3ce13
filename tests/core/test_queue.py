"""Decisions of the queue: limits are kept, no task is overtaken, and none is forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from jupyter_ptytasks.core.model import Exit, Task
from jupyter_ptytasks.core.queue.decisions import awaited, cycle, left_to_place, moved, order, plan
from jupyter_ptytasks.core.queue.gates import Gate
from jupyter_ptytasks.core.queue.groups import Group
from jupyter_ptytasks.core.queue.turn import Dependency, Retry, Turn, When
from jupyter_ptytasks.core.states import ENDED, State
from jupyter_ptytasks.core.sweeps.combinations import Sweep
from tests.core.made_tasks import NOW, make

if TYPE_CHECKING:
    from collections.abc import Collection


def decide(*tasks: Task, groups: dict[str, Group] | None = None, now: float = NOW, limit: int = 100) -> dict[str, str]:
    """Return what becomes of each pending task: `start`, `cancel` or why it waits."""
    found = plan(tasks, groups if groups is not None else {"g": Group("g", 1)}, now, limit)
    decisions = {**dict.fromkeys(found.start, "start"), **dict.fromkeys(found.cancel, "cancel")}
    decisions.update({task_id: wait.reason for task_id, wait in found.waits.items()})
    return {task.name: decisions[task.id] for task in tasks if task.pending}


# -- one by one --------------------------------------------------------------------------------------------------------


def test_the_oldest_with_the_highest_priority_starts_first() -> None:
    tasks = [make(1), make(2, priority=5), make(3, priority=5)]
    assert decide(*tasks) == {"task-1": "slots", "task-2": "start", "task-3": "slots"}


def test_a_group_that_is_not_configured_has_no_limit() -> None:
    assert decide(make(1), make(2), groups={}) == {"task-1": "start", "task-2": "start"}


def test_a_task_that_needs_several_slots_is_not_overtaken() -> None:
    groups = {"g": Group("g", 3)}
    tasks = [make(1, State.RUNNING, slots=2), make(2, slots=2), make(3)]
    assert decide(*tasks, groups=groups) == {"task-2": "slots", "task-3": "slots"}
    # One that can never have them stands in nobody's way.
    tasks[1] = make(2, slots=4)
    assert decide(*tasks, groups=groups) == {"task-2": "slots", "task-3": "start"}


@pytest.mark.parametrize("group", [Group("g", 0), Group("g", None, paused=True, reason="the disk is full")])
def test_a_group_that_starts_nothing(group: Group) -> None:
    found = plan([make(1), make(2)], {"g": group}, NOW, 100)
    assert found.start == []
    assert {wait.reason for wait in found.waits.values()} == {"paused" if group.paused else "slots"}
    if group.paused:
        assert found.waits["00000001"].text == "the group g is paused: the disk is full"


def test_held_and_timed_tasks_do_not_block_others() -> None:
    tasks = [make(1, State.HELD), make(2, not_before=NOW + 5), make(3)]
    assert decide(*tasks) == {"task-1": "held", "task-2": "not_before", "task-3": "start"}
    found = plan(tasks, {}, NOW, 100)
    assert found.look == NOW + 5
    assert decide(*tasks[1:], now=NOW + 5) == {"task-2": "start", "task-3": "slots"}


# -- other places ------------------------------------------------------------------------------------------------------


def there(number: int, state: State = State.QUEUED, submitted: str = "", **turn: object) -> Task:
    """Return a task of the place `far`, which is a job there if `submitted` is its id."""
    job = {"id": submitted} if submitted else {}
    return replace(make(number, state, "g", **turn), provisioner="far", job=job)


def test_a_task_that_was_submitted_uses_its_slots_while_it_waits_there() -> None:
    tasks = [there(1, submitted="7"), there(2), make(3)]
    found = plan(tasks, {"g": Group("g", 1)}, NOW, 100, gates=lambda _: {"far": Gate(20)})
    assert found.start == []
    assert {task_id: wait.reason for task_id, wait in found.waits.items()} == {"00000002": "slots", "00000003": "slots"}


def test_gates_are_requested_only_for_tasks_of_other_places() -> None:
    asked: list[str] = []

    def gates(names: Collection[str]) -> dict[str, Gate]:
        asked.extend(names)
        return {"far": Gate(20)}

    plan([make(1), there(2, State.RUNNING), there(3, submitted="7")], {}, NOW, 100, gates=gates)
    assert not asked
    assert plan([there(4)], {}, NOW, 100, gates=gates).start == ["00000004"]
    assert asked == ["far"]


def test_only_so_many_are_submitted_in_a_minute_and_others_are_not_held_up() -> None:
    tasks = [there(1), there(2), there(3), make(4, group="other")]
    gate = Gate(3, (NOW - 70, NOW - 50, NOW - 20))
    found = plan(tasks, {}, NOW, 100, gates=lambda _: {"far": gate})
    assert found.start == ["00000001", "00000004"]
    assert found.waits["00000002"].text == "far: at most 3 tasks are submitted per minute"
    assert (found.waits["00000002"].reason, found.waits["00000002"].until) == ("pace", NOW + 10)
    assert found.look == NOW + 10
    closed = replace(gate, submitted=(), closed=NOW + 5, problem="it does not answer")
    found = plan(tasks, {}, NOW, 100, gates=lambda _: {"far": closed})
    assert (found.start, found.waits["00000001"].text) == (["00000004"], "far: it does not answer; retrying")
    assert plan(tasks, {}, NOW, 100).waits["00000001"].reason == "place"


def test_only_tasks_on_whose_ends_others_may_depend_are_asked_about() -> None:
    runs = there(1, State.RUNNING)
    again = there(2, State.RUNNING, retry=Retry(1))
    assert awaited([runs, again], [runs, again]) == {again.id}
    for waiting, is_awaited in (
        (make(3, group="other"), False),
        (make(3, State.HELD), False),
        (make(3), True),
        (make(3, group="other", after=(Dependency(runs.id),)), True),
        (replace(there(3), group="other"), True),
    ):
        assert (runs.id in awaited([runs, waiting], [runs])) is is_awaited
    assert awaited([], [there(4, State.STARTING)])


def test_dependencies_within_a_place_are_left_to_it() -> None:
    after = (Dependency("00000001"),)
    gates = {"far": Gate(20)}

    def left(other: Task, task: Task) -> tuple[list[str], list[Dependency]]:
        known = {one.id: one for one in (other, task)}
        return plan([other, task], {}, NOW, 100, gates=lambda _: gates).start, left_to_place(task, known, gates)

    waits = there(2, after=after)
    assert left(there(1, State.RUNNING, "7"), waits) == (["00000002"], list(after))
    assert left(there(1, State.QUEUED, "7"), waits) == (["00000002"], list(after))
    # It was not submitted yet, runs here, or is run again by us.
    assert left(there(1), waits) == (["00000001"], [])
    assert left(make(1, State.RUNNING), waits) == ([], [])
    assert left(there(1, State.RUNNING, "7"), make(2, after=after)) == ([], [])
    assert left(there(1, State.RUNNING, "7", retry=Retry(1)), waits) == ([], [])
    assert left(there(1, State.SUCCEEDED, "7"), waits) == (["00000002"], [])


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("state", sorted(ENDED | {State.RUNNING, State.QUEUED}))
def test_dependencies(when: When, state: State) -> None:
    tasks = [make(1, state, "other"), make(2, after=(Dependency("00000001", when),))]
    if state in (State.RUNNING, State.QUEUED):
        expected = "dependency"
    elif when is When.ANY or (state is State.SUCCEEDED) is (when is When.OK):
        expected = "start"
    else:
        expected = "cancel"
    assert decide(*tasks)["task-2"] == expected


def test_what_a_task_waits_for_may_be_retried_or_deleted() -> None:
    failed = replace(make(1, State.FAILED, retry=Retry(3)), exit=Exit(1))
    waiting = make(2, after=(Dependency("00000001"),))
    assert decide(failed, waiting)["task-2"] == "dependency"
    assert decide(replace(failed, attempt=4), waiting)["task-2"] == "cancel"
    assert decide(waiting)["task-2"] == "cancel"


def test_enough_failures_of_a_sweep_cancel_the_rest_of_it() -> None:
    sweep = Sweep("0000000s", "s", 2)
    ends = [State.FAILED, State.SUCCEEDED, State.CANCELLED, State.TIMED_OUT]
    tasks = [replace(make(number, end), sweep=sweep) for number, end in enumerate(ends, 1)]
    rest = [replace(make(5, State.HELD), sweep=sweep), replace(make(6), sweep=sweep)]
    other = [make(7), replace(make(8), sweep=replace(sweep, id="0000000t"))]
    groups = {"g": Group("g", None)}
    assert decide(*tasks, *rest, *other, groups=groups) == {
        "task-5": "cancel", "task-6": "cancel", "task-7": "start", "task-8": "start",
    }  # fmt: skip
    found = plan([*tasks, *rest], groups, NOW, 100)
    wait = found.cancel["00000006"]
    assert (wait.reason, wait.text) == ("max_failures", "2 tasks have failed in the sweep s")
    # What runs again by itself has not failed; nor has what was stopped by its user.
    tasks[0] = replace(tasks[0], turn=Turn(retry=Retry(1)))
    assert decide(*tasks, *rest, groups=groups) == {"task-5": "held", "task-6": "start"}
    unlimited = [replace(task, sweep=replace(sweep, max_failures=None)) for task in (*tasks, *rest)]
    assert decide(*unlimited, groups=groups)["task-6"] == "start"


def test_retries() -> None:
    failed = replace(make(1, State.FAILED), exit=Exit(3))
    assert Retry(2).wants(failed)
    assert not Retry(2).wants(replace(failed, attempt=3))
    assert not Retry(2).wants(replace(failed, state=State.CANCELLED))
    assert Retry(2, codes=frozenset({3})).wants(failed)
    assert not Retry(2, codes=frozenset({4})).wants(failed)
    assert not Retry(2, states=frozenset({State.LOST})).wants(failed)
    retry = Retry(9, delay=2, factor=3, longest=50)
    assert [retry.delay_after(attempt) for attempt in range(1, 6)] == [2, 6, 18, 50, 50]


def test_no_more_than_the_limit() -> None:
    running = make(1, State.RUNNING, "other")
    assert decide(running, make(2), make(3), groups={}, limit=2) == {"task-2": "start", "task-3": "limit"}


def test_cycles_are_found() -> None:
    tasks = {
        task.id: task for task in (make(1, after=(Dependency("00000002"),)), make(2, after=(Dependency("00000003"),)))
    }
    tasks["00000003"] = make(3)
    assert cycle("00000003", [Dependency("00000001")], tasks.get) == ["00000003", "00000001", "00000002", "00000003"]
    assert cycle("00000003", [Dependency("00000009")], tasks.get) == []
    assert cycle("00000001", [Dependency("00000001")], tasks.get) == ["00000001", "00000001"]


@given(st.integers(0, 1000))
def test_turns_come_back_from_json(seed: int) -> None:
    turn = Turn(
        priority=seed % 7 - 3,
        rank="ab" if seed % 5 else "",
        slots=seed % 3 + 1,
        after=tuple(Dependency(str(number), list(When)[number % 3]) for number in range(seed % 4)),
        not_before=NOW if seed % 2 else None,
        retry=Retry(seed % 5 + 1, 1.0, 2.0, 9.0, frozenset({State.FAILED}), frozenset({seed % 256}))
        if seed % 3
        else None,
    )
    assert Turn.from_json(turn.to_json()) == turn
    assert Turn().to_json() == {}


# -- an evening -------------------------------------------------------------------------------------------------------


class Evening(RuleBasedStateMachine):
    """Tasks come, end, are held and released; groups change; whatever is decided is done at once."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[str, Task] = {}
        self.groups = {"a": Group("a", 1), "b": Group("b", 3)}
        self.now = NOW
        self.number = 0

    @rule(
        group=st.sampled_from("abc"),
        priority=st.integers(-1, 1),
        slots=st.integers(1, 4),
        delay=st.sampled_from([None, 1.0, 5.0]),
        held=st.booleans(),
        data=st.data(),
    )
    def submit(
        self, group: str, priority: int, slots: int, delay: float | None, held: bool, data: st.DataObject
    ) -> None:
        after = data.draw(st.lists(st.sampled_from(sorted(self.tasks)), max_size=2, unique=True)) if self.tasks else []
        when = data.draw(st.sampled_from(When))
        self.number += 1
        task = make(
            self.number,
            State.HELD if held else State.QUEUED,
            group,
            priority=priority,
            slots=slots,
            after=tuple(Dependency(one, when) for one in after),
            not_before=None if delay is None else self.now + delay,
        )
        self.tasks[task.id] = task

    @rule(data=st.data(), state=st.sampled_from(sorted(ENDED)))
    def end(self, data: st.DataObject, state: State) -> None:
        active = sorted(task.id for task in self.tasks.values() if task.active)
        if active:
            chosen = data.draw(st.sampled_from(active))
            self.tasks[chosen] = replace(self.tasks[chosen], state=state)

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        held = sorted(task.id for task in self.tasks.values() if task.state is State.HELD)
        if held:
            chosen = data.draw(st.sampled_from(held))
            self.tasks[chosen] = replace(self.tasks[chosen], state=State.QUEUED)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        ended = sorted(task.id for task in self.tasks.values() if not task.live)
        if ended:
            del self.tasks[data.draw(st.sampled_from(ended))]

    @rule(name=st.sampled_from("ab"), slots=st.one_of(st.none(), st.integers(0, 4)), paused=st.booleans())
    def configure(self, name: str, slots: int | None, paused: bool) -> None:
        self.groups[name] = Group(name, slots, paused)

    @rule(seconds=st.floats(0, 3))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    def used(self, group: str) -> int:
        return sum(task.turn.slots for task in self.tasks.values() if task.active and task.group == group)

    @invariant()
    def decisions_keep_the_laws(self) -> None:
        limit = 5
        found = plan(self.tasks.values(), self.groups, self.now, limit)
        pending = {task.id for task in self.tasks.values() if task.pending}
        # Who needs no reasons gets the same decisions.
        terse = plan(self.tasks.values(), self.groups, self.now, limit, explain=False)
        assert (terse.start, terse.cancel, terse.look, terse.waits) == (found.start, found.cancel, found.look, {})
        # Each pending task has one fate.
        assert sorted([*found.start, *found.cancel, *found.waits]) == sorted(pending)
        for task_id in found.start:
            task = self.tasks[task_id]
            assert task.state is State.QUEUED
            assert task.turn.not_before is None or task.turn.not_before <= self.now
            assert all(not self.tasks[one.id].live for one in task.turn.after)
            self.tasks[task_id] = replace(task, state=State.RUNNING)
        for name in "abc":
            group = self.groups.get(name, Group(name, None))
            started = [self.tasks[one] for one in found.start if self.tasks[one].group == name]
            # Never more than there is room for, unless there was less room than was used already.
            if started:
                assert not group.paused
                assert group.slots is None or self.used(name) <= group.slots
            # Nobody that waits for slots alone is overtaken.
            for task_id, wait in found.waits.items():
                waits = self.tasks[task_id]
                if waits.group == name and wait.reason in ("slots", "limit") and wait.position:
                    assert all((-one.turn.priority, one.id) < (-waits.turn.priority, waits.id) for one in started)
            # Whoever is next goes as soon as there is room.
            first = next(
                (one for one, wait in found.waits.items() if self.tasks[one].group == name and wait.position == 1), None
            )
            active = sum(task.active for task in self.tasks.values())
            if first is not None and not group.paused and active < limit:
                assert group.slots is not None
                assert self.used(name) + self.tasks[first].turn.slots > group.slots
        assert sum(task.active for task in self.tasks.values()) <= limit
        for task_id in found.cancel:
            self.tasks[task_id] = replace(self.tasks[task_id], state=State.CANCELLED)
        # What has been done is not decided again.
        again = plan(self.tasks.values(), self.groups, self.now, limit)
        assert again.start == []


TestEvening = Evening.TestCase
TestEvening.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


# -- moved by people ---------------------------------------------------------------------------------------------------


def line(*tasks: Task) -> list[str]:
    return [task.name for task in sorted(tasks, key=order)]


def test_a_moved_task_takes_the_place_and_the_priority_of_its_neighbor() -> None:
    first, second, third, urgent = make(1), make(2), make(3), make(4, priority=5)
    others = [urgent, first, second]
    third = replace(third, turn=moved(third, others, 1, urgent))
    assert third.turn.priority == 5
    assert line(first, second, third, urgent) == ["task-4", "task-3", "task-1", "task-2"]
    third = replace(third, turn=moved(third, others, 2, second))
    assert third.turn.priority == 0
    assert line(first, second, third, urgent) == ["task-4", "task-1", "task-3", "task-2"]
    assert decide(first, second, third, groups={"g": Group("g", 2)}) == {
        "task-1": "start", "task-2": "slots", "task-3": "start",
    }  # fmt: skip


def test_two_tasks_with_one_rank_have_room_behind_them() -> None:
    twins = [make(1, rank="5"), make(2, rank="5")]
    new = make(3)
    assert line(*twins, replace(new, turn=moved(new, twins, 1, twins[0]))) == ["task-1", "task-2", "task-3"]
