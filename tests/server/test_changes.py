"""Changes announced by a store: exactly one server marks each as its own, with the exact difference."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core.errors import InvalidState, PtyTasksError
from jupyter_ptytasks.core.model import IfExists, Kind, Task, new_id
from jupyter_ptytasks.core.states import PENDING, State
from jupyter_ptytasks.server.store import Store
from jupyter_ptytasks.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from jupyter_ptytasks.server.changes import Change

SERVERS = 3
NOW = 1.8e9

acts = st.lists(
    st.tuples(
        st.integers(0, SERVERS - 1),
        st.sampled_from(["running", "end", "rename", "restart", "launch", "remove", "look"]),
        st.integers(0, 1),
    ),
    max_size=25,
)


def make(number: int, state: State) -> Task:
    return Task(
        id=new_id(NOW + number), name=f"task-{number}", command="true", kind=Kind.COMMAND, cwd="/", state=state,
        created=NOW, provisioner="local",
    )  # fmt: skip


def act(store: Store, verb: str, task: Task) -> Awaitable[object]:
    """Make a change to a task, as a server does that knows it as it was last seen."""
    now = store.get(task.id) or task
    if verb == "running":
        return store.observe(task.id, now.attempt, State.RUNNING, pid=1)
    if verb == "end":
        return store.observe(task.id, now.attempt, State.SUCCEEDED, ended=NOW)
    if verb == "rename":
        return store.change(task.id, group="renamed")
    if verb == "restart":
        return store.begin_attempt(task.id, now.attempt + 1, 10, lambda _: nullcontext(), State.STARTING)
    if verb == "launch":
        return store.move(task.id, PENDING, State.STARTING)
    return store.remove(task.id) if verb == "remove" else store.refresh(0.0)


@settings(max_examples=30, deadline=None)
@given(acts)
def test_every_change_is_announced_once_by_the_server_that_made_it(acts: list[tuple[int, str, int]]) -> None:
    """Several at a time, in any order. Together the announcements of all servers are the history of each task."""
    ours: dict[str, list[tuple[Task | None, Task | None]]] = {}
    seen: list[dict[str, Task]] = [{} for _ in range(SERVERS)]

    def listen(server: int, change: Change) -> None:
        if change.by_us:
            ours.setdefault(change.task_id, []).append((change.old, change.new))
        # What each server sees is a history, too, though it may skip what others did.
        assert seen[server].get(change.task_id) == change.old
        if change.new is None:
            del seen[server][change.task_id]
        else:
            assert change.old is None or change.old.revision < change.new.revision
            seen[server][change.task_id] = change.new

    async def play(path: str) -> None:
        stores = [Store(lambda: Database(path, lambda: ())) for _ in range(SERVERS)]
        for server, store in enumerate(stores):
            store.listeners.append(partial(listen, server))
        tasks = [make(0, State.STARTING), make(1, State.QUEUED)]
        for task in tasks:
            await stores[0].add(task, IfExists.NEW, 10)
        for start in range(0, len(acts), 3):
            doing = [act(stores[server], verb, tasks[which]) for server, verb, which in acts[start : start + 3]]
            for result in await asyncio.gather(*doing, return_exceptions=True):
                assert result is None or not isinstance(result, BaseException) or isinstance(result, PtyTasksError)
        for store in stores:
            await store.refresh(0.0)
            assert {task.id: task for task in store.tasks} == {task.id: task for task in stores[0].tasks}
            await store.close()

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(play(str(Path(directory) / "tasks.db")))
    for history in ours.values():
        in_order = sorted(history, key=lambda pair: pair[1].revision if pair[1] is not None else 1 << 60)
        assert in_order[0][0] is None
        assert [old for old, _ in in_order[1:]] == [new for _, new in in_order[:-1]]


async def test_a_caller_that_leaves_does_not_keep_a_change_from_being_announced(tmp_path: Path) -> None:
    store = Store(lambda: Database(str(tmp_path / "tasks.db"), lambda: ()))
    heard: list[Change] = []
    store.listeners.append(heard.append)
    adding = asyncio.create_task(store.add(make(0, State.STARTING), IfExists.NEW, 10))
    await asyncio.sleep(0)
    adding.cancel()
    await asyncio.gather(adding, return_exceptions=True)
    await store.close()
    assert [(change.old, change.by_us) for change in heard] == [(None, True)]


@asynccontextmanager
async def opened(tmp_path: Path) -> AsyncIterator[tuple[Store, Database]]:
    """Open the store of a server, and the database of another one."""
    path = str(tmp_path / "tasks.db")
    store, other = Store(lambda: Database(path, lambda: ())), Database(path, lambda: ())
    yield store, other
    other.close()
    await store.close()


async def test_data_read_by_a_write_does_not_replace_newer_data(tmp_path: Path) -> None:
    """While this server is writing, updates of the task are deferred, and only the newest is applied."""
    async with opened(tmp_path) as (store, other):
        task, _ = await store.add(make(0, State.RUNNING), IfExists.NEW, 10)
        until_then = threading.Event()
        store._writer._thread.submit(until_then.wait)
        begun = asyncio.ensure_future(store.remove(task.id))  # is refused: the task runs
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        theirs = other.change(task.id, group="theirs")
        await store.refresh(0.0)
        store._now(task)
        until_then.set()
        with pytest.raises(InvalidState):
            await begun
        assert store.get(task.id) == theirs


async def test_tasks_removed_by_another_server_do_not_reappear(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, other):
        task, _ = await store.add(make(0, State.SUCCEEDED), IfExists.NEW, 10)
        await store.refresh(0.0)
        other.remove(task.id)
        await store.refresh(0.0)
        store._now(task)
        assert store.get(task.id) is None
        # Unless it is there again: a server has found its directory.
        other.put([task])
        await store.refresh(0.0)
        assert store.get(task.id) == task.with_(revision=3)
