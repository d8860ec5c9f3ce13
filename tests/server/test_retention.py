"""Retention of finished tasks: by age, number and size, regardless of the clock."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.model import Kind, Task, new_id
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.server.retention import Retention

NOW = 1.8e9
DAY = 86400.0


def make(name: str, *, age: float, state: State = State.SUCCEEDED, **about: Any) -> Task:
    """Return a task that was made, and has ended unless it is live, `age` seconds ago."""
    moment = NOW - age
    return Task(
        provisioner="local",
        id=new_id(moment), name=name, command="true", kind=Kind.COMMAND, cwd="/", state=state, created=moment,
        ended=None if state.live else moment, **about,
    )  # fmt: skip


def names(tasks: list[Task]) -> list[str]:
    return [task.name for task in tasks]


#: So many others that a tenth of all is more than what a test is about.
YOUNG = [make(f"young {number}", age=0.0) for number in range(40)]


def test_by_age() -> None:
    tasks = [make(f"{age}", age=age) for age in (1, 2, 3, 4)] + [make("live", age=1000.0, state=State.RUNNING)]
    assert names(Retention(10.0, 100).surplus(tasks + YOUNG, {}, NOW)) == []
    assert names(Retention(2.5, 100).surplus(tasks + YOUNG, {}, NOW)) == ["4", "3"]
    assert names(Retention(2.5, 100).surplus(tasks + YOUNG, {}, NOW, by_age=False)) == []


def test_by_number() -> None:
    tasks = [make(f"{age}", age=age) for age in (1, 2, 3, 4)]
    assert names(Retention(10.0, 42).surplus(tasks + YOUNG, {}, NOW)) == ["4", "3"]


def test_by_size() -> None:
    tasks = [make(f"{age}", age=age) for age in (1, 2, 3, 4)]
    sizes = {task.id: 10 for task in tasks}
    assert names(Retention(10.0, 100, size=25).surplus(tasks + YOUNG, sizes, NOW)) == ["4", "3"]
    assert names(Retention(10.0, 100, size=40).surplus(tasks + YOUNG, sizes, NOW)) == []


def test_a_task_counts_from_its_end() -> None:
    long = make("long", age=1000.0).with_(ended=NOW - 1)
    short = make("short", age=500.0)
    assert names(Retention(100.0, 100).surplus([short, long, *YOUNG], {}, NOW)) == ["short"]


def test_failed_tasks_are_kept_three_times_as_long() -> None:
    failed = [make(state.value, age=250.0, state=state) for state in (State.FAILED, State.LOST, State.TIMED_OUT)]
    rest = [make(state.value, age=110.0, state=state) for state in (State.SUCCEEDED, State.CANCELLED)]
    gone = Retention(100.0, 100).surplus([*failed, *rest, *YOUNG], {}, NOW)
    assert sorted(names(gone)) == ["cancelled", "succeeded"]


def test_pinned_tasks_are_kept() -> None:
    pinned = make("pinned", age=1e6, pinned=True)
    assert Retention(1.0, 0, size=0).surplus([pinned], {pinned.id: 10}, NOW) == []


def test_a_clock_that_jumps_ahead_makes_nothing_old() -> None:
    tasks = [make(f"{age}", age=age * DAY) for age in range(20)]
    later = NOW + 40 * DAY
    assert names(Retention(30 * DAY, 100).surplus(tasks, {}, later)) == []
    # Unless something was seen to happen meanwhile; and then not all at once.
    assert names(Retention(30 * DAY, 100).surplus(tasks, {}, later, seen=later)) == ["19", "18"]


@given(
    tasks=st.lists(
        st.builds(
            make,
            st.text(max_size=3),
            age=st.floats(0, 1e7),
            state=st.sampled_from(list(State)),
            pinned=st.booleans(),
        ),
        max_size=30,
        unique_by=lambda task: task.id,
    ),
    sizes=st.lists(st.integers(0, 100), min_size=30, max_size=30),
    retention=st.builds(Retention, st.floats(0, 1e7), st.integers(0, 30), st.none() | st.integers(0, 1000)),
    ahead=st.floats(-1e7, 1e7),
    by_age=st.booleans(),
)
def test_laws(tasks: list[Task], sizes: list[int], retention: Retention, ahead: float, by_age: bool) -> None:
    """Whatever the clock says: only finished tasks go, none that is pinned, a tenth at a time, and in the end all that
    has to.
    """
    known = {task.id: size for task, size in zip(tasks, sizes, strict=False)}
    left = tasks
    while gone := retention.surplus(left, known, NOW + ahead, by_age=by_age):
        ended = [task for task in left if not task.live]
        assert all(task in ended and not task.pinned for task in gone)
        assert len(gone) <= max(len(ended) // 10, 1)
        left = [task for task in left if task not in gone]
    loose = [task for task in left if not task.live and not task.pinned]
    assert len(loose) <= retention.count
    total = sum(known[task.id] for task in left if not task.live)
    assert retention.size is None or total <= retention.size or not loose
