"""Estimated start times, from the run times of similar tasks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.queue.decisions import plan
from jupyter_ptytasks.core.queue.estimate import RunTimes, estimate, run_keys
from jupyter_ptytasks.core.queue.groups import Group
from jupyter_ptytasks.core.queue.turn import Dependency
from jupyter_ptytasks.core.states import State
from tests.core.made_tasks import NOW, make

if TYPE_CHECKING:
    from jupyter_ptytasks.core.model import Task
    from jupyter_ptytasks.core.queue.estimate import PastRuns


def took(number: int, seconds: float, command: str = "true", group: str = "g") -> Task:
    done = make(number, State.SUCCEEDED, group)
    return replace(done, command=command, started=NOW - 1000, ended=NOW - 1000 + seconds)


def runs_of(*tasks: Task) -> PastRuns:
    """Return the newest of the tasks that succeeded, by what they have in common."""
    done = [task for task in tasks if task.state is State.SUCCEEDED]
    return lambda key, count: [task for task in done if key in run_keys(task)][: -count - 1 : -1]


def running(number: int, seconds: float, **about: object) -> Task:
    return replace(make(number, State.RUNNING), started=NOW - seconds, **about)  # type: ignore[arg-type]


def starts(*tasks: Task, slots: int | None = 1) -> dict[str, float]:
    """Return in how many seconds tasks start, by name, and as `end` when the group is done."""
    groups = {"g": Group("g", slots)}
    found = estimate(tasks, plan(tasks, groups, NOW, 100), groups, NOW, runs_of(*tasks))
    seconds = {task.name: found.starts[task.id] - NOW for task in tasks if task.id in found.starts}
    return seconds | ({"end": found.ends["g"] - NOW} if "g" in found.ends else {})


def test_one_after_the_other() -> None:
    tasks = [took(1, 100), running(2, 40), make(3), make(4)]
    assert starts(*tasks) == {"task-3": 60, "task-4": 160, "end": 260}
    assert starts(*tasks, slots=2) == {"task-3": 0, "task-4": 60, "end": 160}


def test_nothing_is_known() -> None:
    assert starts(running(2, 40), make(3), make(4)) == {}
    # The next one starts now, whatever it takes.
    assert starts(make(3), make(4)) == {"task-3": 0}


def test_a_task_that_reports_progress() -> None:
    assert starts(running(2, 40, progress={"eta": 5.0}), make(3)) == {"task-3": 5}


def test_one_that_takes_longer_than_usual() -> None:
    assert starts(took(1, 10), running(2, 500), make(3)) == {"task-3": 0, "end": 10}


def test_what_counts_as_such_a_task() -> None:
    times = RunTimes(runs_of(took(1, 10), took(2, 30), took(3, 20), took(4, 7, "other"), took(5, 9, "else", "default")))
    assert times.of(make(9)) == 20
    assert times.of(replace(make(9), command="other")) == 7
    assert times.of(replace(make(9), command="new")) == 15  # the median of the group
    assert times.of(replace(make(9), command="new", group="default")) is None
    assert times.of(replace(make(9), command="else", group="h")) == 9


def test_what_waits_for_something_else() -> None:
    tasks = [
        took(1, 100), running(2, 40),
        make(3, after=(Dependency("00000002"),)), make(4, after=(Dependency("00000003"),)),
        make(5, not_before=NOW + 50), make(6, State.HELD), make(7, after=(Dependency("00000006"),)),
    ]  # fmt: skip
    assert starts(*tasks, slots=5) == {"task-3": 60, "task-4": 160, "task-5": 50}


def test_a_group_that_is_paused() -> None:
    groups = {"g": Group("g", 1, paused=True)}
    tasks = [took(1, 100), make(2)]
    assert estimate(tasks, plan(tasks, groups, NOW, 100), groups, NOW, runs_of(*tasks)).starts == {}


@given(
    slots=st.integers(1, 5),
    takes=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    sizes=st.lists(st.integers(1, 3), min_size=30, max_size=30),
)
def test_never_more_at_a_time_than_there_is_room_for(slots: int, takes: list[int], sizes: list[int]) -> None:
    history = [took(number, seconds, str(seconds)) for number, seconds in enumerate(sorted(set(takes)))]
    queued = [
        replace(make(100 + number, slots=sizes[number]), command=str(seconds)) for number, seconds in enumerate(takes)
    ]
    found = starts(*history, *queued, slots=slots)
    spans = [
        (found[task.name], found[task.name] + int(str(task.command)), task.turn.slots)
        for task in queued
        if task.name in found
    ]
    assert {task.name for task in queued if task.turn.slots <= slots} == found.keys() - {"end"}
    for moment, _, _ in spans:
        assert sum(size for start, end, size in spans if start <= moment < end) <= slots
    if "end" in found:
        assert found["end"] == pytest.approx(max(end for _, end, _ in spans))
