"""Cleaning up deletes exactly the listed tasks, and none that is live, pinned or needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.server.cleaning import Rules
from tests.core.made_tasks import NOW, make

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.core.model import Task
    from jupyter_ptytasks.server.parts import Parts
    from tests.server.conftest import Rest

ENDS = [State.SUCCEEDED, State.FAILED, State.CANCELLED, State.TIMED_OUT, State.LOST]


@st.composite
def made(draw: st.DrawFn) -> tuple[Task, str | None, dict[str, Any]]:
    """Return a task that has ended, what keeps it from being deleted, and its metrics."""
    task = make(draw(st.integers(0, 10**7)), draw(st.sampled_from(ENDS)))
    task = task.with_(ended=draw(st.none() | st.floats(NOW - 100, NOW)), created=NOW - 50)
    why = draw(st.sampled_from([None, None, None, "running", "waiting", "pinned", "needed"]))
    low = draw(st.none() | st.floats(allow_nan=True))
    return task, why, draw(st.sampled_from([{}, {"loss": {"min": low, "max": low}}]))


@given(
    st.lists(made(), max_size=6, unique_by=lambda one: one[0].id),
    st.builds(
        Rules,
        older_than=st.none() | st.floats(0, 100),
        states=st.frozensets(st.sampled_from(ENDS), max_size=2),
        keep=st.integers(0, 3),
        best=st.sampled_from([None, "loss"]),
        lower=st.sampled_from([None, True, False]),
    ),
)
def test_every_task_is_deleted_or_spared_for_a_reason(
    tasks: list[tuple[Task, str | None, dict[str, Any]]], rules: Rules
) -> None:
    whys = {task.id: why for task, why, _ in tasks}
    measured = {task.id: metrics for task, _, metrics in tasks}
    gone, spared = rules.apply(
        [task for task, _, _ in tasks], NOW, obstacle=lambda task: whys[task.id], metrics=lambda task: measured[task.id]
    )
    for task in gone:
        assert whys[task.id] is None
        assert not rules.states or task.state in rules.states
        assert rules.older_than is None or NOW - (task.ended or task.created) > rules.older_than
        assert rules.best is None or measured[task.id]
    assert spared["newest"] <= rules.keep
    assert spared["best"] <= (rules.best is not None)
    meant = [
        task
        for task, why, _ in tasks
        if why in ("running", "waiting")
        or (
            (not rules.states or task.state in rules.states)
            and (rules.older_than is None or NOW - (task.ended or task.created) > rules.older_than)
        )
    ]
    assert len(gone) + sum(spared.values()) == len(meant)


def test_the_best_of_all_that_are_meant_stays() -> None:
    values = {"a": 0.3, "b": 0.1, "c": float("nan"), "d": None, "e": 0.2}
    tasks = [make(number, State.SUCCEEDED).with_(name=name, ended=NOW) for number, name in enumerate([*values, "f"])]

    def left(name: str, **about: Any) -> set[str]:
        gone, _ = Rules(best=name, **about).apply(
            tasks,
            NOW,
            obstacle=lambda task: "pinned" if task.name == "b" else None,
            metrics=lambda task: (
                {name: {"min": values[task.name], "max": values[task.name]}} if task.name in values else {}
            ),
        )
        return {task.name for task in tasks} - {task.name for task in gone}

    assert left("val_loss") == {"b", "f"}
    assert left("accuracy") == left("val_loss", lower=False) == {"a", "b", "f"}


async def test_exactly_the_given_tasks_are_deleted(rest: Rest, jp_data_dir: Path) -> None:
    group: dict[str, Any] = {"group": "clean"}
    names = ("first", "second", "pinned", "needed", "late")
    ids = {name: (await rest.create("echo hello", name=name, **group))["id"] for name in names}
    for task_id in ids.values():
        await rest.wait(task_id)
    ids["bad"] = (await rest.create("exit 3", name="bad", **group))["id"]
    await rest.wait(ids["bad"])
    await rest.create("sleep 1000", name="lives", **group)
    await rest.create("true", name="waits", hold=True, after=["needed"], **group)
    await rest("PATCH", "tasks", ids["pinned"], body={"pinned": True})

    told = (await rest("GET", "cleanup", state="succeeded", **group)).json
    assert [task["name"] for task in told["tasks"]] == ["late", "second", "first"]
    assert told["spared"] == {
        "running": 1,
        "waiting": 1,
        "pinned": 1,
        "needed": 1,
        "best": 0,
        "newest": 0,
        "unmeasured": 0,
    }
    sizes = [(await rest("GET", "tasks", task["id"], "details")).json["disk"] for task in told["tasks"]]
    assert (told["size"], [task["size"] for task in told["tasks"]]) == (sum(sizes), sizes)
    if hasattr(os, "geteuid"):
        # As `du` counts.
        roots = [jp_data_dir / "ptytasks" / "tasks" / task["id"] for task in told["tasks"]]
        assert sizes == [sum(path.lstat().st_blocks * 512 for path in (root, *root.rglob("*"))) for root in roots]
    assert (await rest("GET", "cleanup", older_than=3600, **group)).json["tasks"] == []
    kept = (await rest("GET", "cleanup", keep=2, **group)).json
    assert [task["name"] for task in kept["tasks"]] == ["second", "first"]

    # What has changed since it was named stays, and what was not named, too.
    await rest("PATCH", "tasks", ids["late"], body={"pinned": True})
    named = [task["id"] for task in told["tasks"]]
    done = (await rest("POST", "cleanup", body={"tasks": [*named, ids["pinned"], ids["needed"], "a" * 12]})).json
    assert [task["name"] for task in done["tasks"]] == ["second", "first"]
    assert done["size"] == sum(sizes[1:])
    assert done["spared"]["pinned"] == 2
    assert done["spared"]["needed"] == 1
    left = (await rest("GET", "tasks", **group)).json["tasks"]
    assert {task["name"] for task in left} == {"lives", "waits", "pinned", "needed", "late", "bad"}
    # Nothing is left to do.
    again = (await rest("POST", "cleanup", body={"tasks": named[1:]})).json
    assert (again["tasks"], again["size"]) == ([], 0)


async def test_what_cannot_be_meant_is_refused(rest: Rest) -> None:
    for field, query in (
        ("state.0", "state=running"),
        ("better", "better=lower"),
        ("older_than", "older_than=-1"),
        ("keep", "keep=x"),
        ("soon", "soon=1"),
    ):
        answer = await rest.at("GET", f"cleanup?{query}")
        assert (answer.code, answer.json["field"]) == (400, field)
    for body in ({}, {"tasks": "all"}, {"tasks": ["a"] * 10_001}):
        answer = await rest("POST", "cleanup", body=body)
        assert answer.code == 400
        assert answer.json["field"] == "tasks"


async def test_a_pin_during_the_deletion_counts(rest: Rest, parts: Parts) -> None:
    """Even if another server has set it, and this one has not seen it yet."""
    ids = [(await rest.create("true"))["id"] for _ in range(2)]
    tasks = []
    for task_id in ids:
        await rest.wait(task_id)
        tasks.append(parts.store.get(task_id))
    old = [task for task in tasks if task is not None]
    await rest("PATCH", "tasks", ids[0], body={"pinned": True})
    assert await parts.remover.delete_unpinned(old) == ids[1:]
    assert (await rest.get(ids[0]))["pinned"]
