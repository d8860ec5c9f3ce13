"""The index of tasks is right after every change, at no cost for unchanged tasks."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.model import IfExists, Kind, Task
from jupyter_ptytasks.core.queue import decisions
from jupyter_ptytasks.core.queue.turn import Dependency, Turn
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.provision.base import Provisioners
from jupyter_ptytasks.server import queueing, serialize
from jupyter_ptytasks.server.index import Index
from jupyter_ptytasks.server.queueing import Queue
from jupyter_ptytasks.server.serialize import TaskSerializer
from jupyter_ptytasks.server.store import Store
from jupyter_ptytasks.storage.database import Database
from jupyter_ptytasks.storage.groups import Groups
from jupyter_ptytasks.storage.locks import Locks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Rest

MANY = 2000
changes = st.lists(
    st.tuples(
        st.integers(1, 6), st.none() | st.sampled_from([State.QUEUED, State.RUNNING, State.FAILED]), st.booleans()
    )
)


def made(number: int, state: State = State.SUCCEEDED, **about: Any) -> Task:
    return Task(
        id=f"{number:012}", name=f"t{number % 3}", command="true", kind=Kind.COMMAND, cwd="/", state=state,
        created=1.8e9, provisioner="local", **about,
    )  # fmt: skip


def tags(task: Task) -> tuple[str, ...]:
    return (task.name, task.state.value) if task.pinned else ()


@given(changes)
def test_it_equals_a_new_index(changes: list[tuple[int, State | None, bool]]) -> None:
    index = Index()
    index.put(made(3))
    live, tagged = index.where(lambda task: task.live), index.by(tags)
    known = {3: made(3)}
    for number, state, pinned in changes:
        if state is None:
            index.discard(f"{number:012}")
            known.pop(number, None)
        else:
            known[number] = made(number, state, pinned=pinned)
            index.put(known[number])
    newest_first = [known[number] for number in sorted(known, reverse=True)]
    assert index.newest_first == newest_first
    assert index.newest == (newest_first[0] if newest_first else None)
    assert index.ids == {task.id for task in newest_first}
    assert live.newest_first == [task for task in newest_first if task.live]
    assert len(live) == sum(task.live for task in newest_first)
    assert live.last(2) == live.newest_first[:2]
    wanted = {key for task in newest_first for key in tags(task)}
    assert {key: found.newest_first for key, found in tagged.items()} == {
        key: [task for task in newest_first if key in tags(task)] for key in wanted
    }


def test_one_change_asks_about_one_task() -> None:
    index = Index()
    for number in range(MANY):
        index.put(made(number))
    asked: list[str] = []

    def is_live(task: Task) -> bool:
        asked.append(task.id)
        return task.live

    live = index.where(is_live)
    asked.clear()
    index.put(made(7, State.RUNNING))
    index.put(made(MANY, State.RUNNING))
    index.discard(f"{9:012}")
    assert [task.id for task in live.newest_first] == [f"{MANY:012}", f"{7:012}"] == asked[::-1]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of very many tasks that have ended, and of few others."""
    history = [made(number, started=1.8e9, ended=1.8e9 + 9) for number in range(MANY)]
    waits = made(MANY, State.QUEUED, turn=Turn(after=(Dependency(f"{5:012}"),)), group="g")
    return Store(lambda: Database(str(tmp_path / "tasks.db"), lambda: [*history, waits, made(MANY + 1, State.RUNNING)]))


def made_queue(store: Store, directory: Path) -> Queue:
    return Queue(
        store=store,
        groups=Groups(str(directory), Locks(str(directory))),
        provisioners=Provisioners(),
        data_dir=str(directory),
        runtime_dir=str(directory),
        max_live=9,
    )


async def test_decisions_are_made_of_what_has_not_ended(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = made_queue(store, tmp_path)
    await store.refresh()
    seen: list[int] = []

    def plan(tasks: list[Task], *args: Any) -> decisions.Plan:
        seen.append(len(tasks))
        return original(tasks, *args)

    original = decisions.plan
    monkeypatch.setattr(decisions, "plan", plan)
    waiting = store.live[1]
    assert queue.to_json(waiting) == {"position": 0, "reason": "starting", "text": "about to start", "starts": None}
    assert [group["pending"] for group in await queue.groups()] == [0, 1]
    assert seen == [3], "two that have not ended, and what one of them waits for"
    queue.close()
    await store.close()


async def test_decisions_about_very_many_are_made_in_a_thread(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = made_queue(store, tmp_path)
    monkeypatch.setattr(queueing, "_PLAN_AT_ONCE", 2)
    monkeypatch.setattr(queueing, "_PLAN_SHARE", 1e9)
    await store.refresh()
    await queue.groups()  # the first time, nothing is known
    await queue.look()
    Groups(str(tmp_path), Locks(str(tmp_path))).change("g", paused=True)
    await queue.look()
    threads: list[int] = []
    original = decisions.plan

    def plan(*args: Any) -> decisions.Plan:
        threads.append(threading.get_ident())
        return original(*args)

    monkeypatch.setattr(decisions, "plan", plan)
    waiting = await store.find(f"{MANY:012}")
    before = queue.to_json(waiting)
    assert before is not None
    assert before["reason"] == "starting"
    assert queue._deciding is not None
    await asyncio.wait_for(queue._deciding, 30)
    assert (queue.to_json(waiting) or {})["reason"] == "paused"
    assert threads
    assert threading.get_ident() not in threads
    queue.close()
    await store.close()


async def test_a_change_is_a_change_of_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.refresh()
    put: set[str] = set()
    monkeypatch.setattr(store.index, "put", lambda task: put.add(task.id))
    task, _ = await store.add(made(MANY + 2, State.QUEUED), IfExists.NEW, 9)
    await store.refresh(0.0)
    assert put == {task.id}
    await store.close()


async def test_no_field_is_computed_unless_requested(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    await rest.create("sleep 1000", name="s")
    made: list[object] = []
    monkeypatch.setattr(TaskSerializer, "usage", lambda _, task: made.append(task.id))
    monkeypatch.setattr(TaskSerializer, "queue", lambda _, task: made.append(task.id))
    (task,) = (await rest("GET", "tasks", fields="name,state,id")).json["tasks"]
    assert (task.keys(), made) == ({"id", "name", "state"}, [])


async def test_the_json_of_a_task_that_has_ended_is_made_once(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, jp_serverapp: Any
) -> None:
    task_id = (await rest.create("true"))["id"]
    await rest.wait(task_id)
    deadline = time.monotonic() + 10
    while (before := (await rest("GET", "tasks")).json["tasks"][0])["connected"] and time.monotonic() < deadline:
        pass
    row = {name: before[name] for name in ("id", "name", "tags")}
    assert (await rest("GET", "tasks", fields="name,tags")).json["tasks"] == [row]
    with monkeypatch.context() as patched:
        patched.setattr(TaskSerializer, "to_json", None)
        assert (await rest("GET", "tasks")).json["tasks"] == [before]
        assert (await rest("GET", "tasks", fields="name,tags")).json["tasks"] == [row]
    await rest("PATCH", "tasks", task_id, body={"tags": ["x"]})
    assert (await rest("GET", "tasks")).json["tasks"] == [{**before, "tags": ["x"]}]
    assert (await rest("GET", "tasks", fields="name,tags")).json["tasks"] == [{**row, "tags": ["x"]}]
    serializer = jp_serverapp.web_app.settings["ptytasks_serializer"]
    monkeypatch.setattr(serialize, "_KEPT", 600)
    assert (await rest("GET", "tasks", fields="name")).json["tasks"] == [{"id": task_id, "name": row["name"]}]
    assert list(serializer._encoded) == [(task_id, ("id", "name", "tags")), (task_id, ("id", "name"))], "the last two"
