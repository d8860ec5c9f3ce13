"""Changes of the list of tasks since it was last requested."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from jupyter_ptytasks.core.model import Kind, Task, new_id
from jupyter_ptytasks.core.states import State
from tests.client.live import ended, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.live import LiveServer
    from tests.server.conftest import Rest

NOW = 1.8e9
#: The most that a list of so many tasks costs for each change of one of them.
TASKS, BYTES = 200, 3000


class Follower:
    """A list of tasks that is kept up to date, as clients do it. `received` counts the bytes of all responses."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self.received = 0
        self.tasks: dict[str, dict[str, Any]] = {}
        self._revision = ""

    async def _ask(self, *route: str, **query: Any) -> dict[str, Any]:
        answer = await self._rest("GET", *route, **query)
        assert answer.code == 200, answer.body
        self.received += len(answer.body)
        told: dict[str, Any] = answer.json
        return told

    async def list(self) -> None:
        """Request the whole list."""
        told = await self._ask("tasks")
        self.tasks = {task["id"]: task for task in told["tasks"]}
        self._revision = told["revision"]

    async def look(self, **query: Any) -> dict[str, Any]:
        """Request what has changed."""
        told = await self._ask("changes", since=self._revision, **query)
        assert told["complete"]
        for task_id in told["deleted"]:
            self.tasks.pop(task_id, None)
        self.tasks.update((task["id"], task) for task in told["tasks"])
        for task_id, wait in told["waits"].items():
            self.tasks[task_id]["queue"] = wait
        self._revision = told["revision"]
        return told


def essence(tasks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the tasks without the fields that changes omit by default."""
    others = ("progress", "metrics", "usage", "output", "last_activity")
    return {one: {name: task[name] for name in task if name not in others} for one, task in tasks.items()}


async def follow(rest: Rest) -> Follower:
    follower = Follower(rest)
    await follower.list()
    return follower


async def same(rest: Rest, follower: Follower) -> dict[str, dict[str, Any]]:
    """Wait until what was followed is what a new list is, and return that."""
    for _ in range(500):
        await follower.look()
        whole = await follow(rest)
        if essence(follower.tasks) == essence(whole.tasks):
            return whole.tasks
        await asyncio.sleep(0.02)
    assert essence(follower.tasks) == essence(whole.tasks)
    return whole.tasks


async def test_a_list_with_its_changes_is_the_list(rest: Rest) -> None:
    follower = await follow(rest)
    task = await rest.create("read line", name="asks", tags=["a"])
    assert len(await same(rest, follower)) == 1
    await rest("PATCH", "tasks", "asks", body={"name": "asked", "group": "b"})
    assert (await same(rest, follower))[task["id"]]["name"] == "asked"
    await rest("POST", "tasks", "asked", "input", body={"data": "x\r"})
    await rest.wait("asked")
    assert (await same(rest, follower))[task["id"]]["state"] == "succeeded"
    other = await rest.create("true")
    await rest.wait(other["id"])
    await rest("DELETE", "tasks", task["id"])
    assert set(await same(rest, follower)) == {other["id"]}
    # Nothing is told twice.
    assert (await follower.look())["tasks"] == []


async def test_pending_tasks_move_up_and_changes_are_small(rest: Rest) -> None:
    await rest("PUT", "groups", "one", body={"slots": 1})
    await rest.create("sleep 1000", name="first", group="one")
    for number in range(5):
        await rest.create("sleep 1000", name=f"next {number}", group="one")
    await rest.until("first", lambda task: task["connected"])
    follower = await follow(rest)
    await same(rest, follower)
    await rest("POST", "tasks", "first", "stop", body={"signals": ["SIGKILL"]})
    await rest.until("next 0", lambda task: task["connected"])
    found = await same(rest, follower)
    line = sorted((task["queue"]["position"], task["name"]) for task in found.values() if task["state"] == "queued")
    assert line == [(number, f"next {number}") for number in range(1, 5)]
    await rest("DELETE", "groups", "one")


async def test_running_tasks_are_included_on_request(rest: Rest) -> None:
    task = await rest.create("read line; echo told; exec sleep 1000")
    await rest.until(task["id"], lambda task: task["connected"])
    follower = await follow(rest)
    await rest("POST", "tasks", task["id"], "input", body={"data": "x\r"})
    await rest.until(task["id"], lambda task: task["output"]["lines"] >= 2)
    await follower.look(active=1)
    assert follower.tasks[task["id"]]["output"]["lines"] >= 2


async def test_a_revision_that_is_not_remembered_says_so(rest: Rest, jp_serverapp: Any) -> None:
    revision = (await rest("GET", "tasks")).json["revision"]
    run = revision.partition("-")[0]
    for unknown in ("", "1", f"{run}-", f"{run}-x", f"{run}x-1", "é-1"):
        told = (await rest("GET", "changes", since=unknown)).json
        assert told == {**told, "complete": False, "tasks": [], "deleted": []}, unknown
    refused = await rest("GET", "changes")
    assert (refused.code, refused.json["field"]) == (400, "since")
    store = jp_serverapp.web_app.settings["ptytasks_store"]
    await store.put(made(number) for number in range(1100))
    assert not (await rest("GET", "changes", since=revision)).json["complete"]


async def test_a_change_among_many_tasks_is_cheap(rest: Rest, jp_serverapp: Any) -> None:
    store = jp_serverapp.web_app.settings["ptytasks_store"]
    await store.put(made(number) for number in range(TASKS))
    follower = await follow(rest)
    assert follower.received > TASKS * 1000
    follower.received = 0
    task = await rest.create("python -c 'input()'", name="train-resnet50-lr1e-4-seed17", tags=["resnet", "night"])
    await rest.until(task["id"], lambda task: task["connected"])
    await same_as(rest, follower, task["id"], "running")
    await rest("POST", "tasks", task["id"], "stop", body={"signals": ["SIGKILL"]})
    await rest.wait(task["id"])
    await same_as(rest, follower, task["id"], "cancelled")
    looks = 2
    assert follower.received <= looks * BYTES, follower.received / looks


async def same_as(rest: Rest, follower: Follower, task_id: str, state: str) -> None:
    """Look once, when the task has come to a state."""
    await rest.until(task_id, lambda task: task["state"] == state)
    await follower.look()
    assert follower.tasks[task_id]["state"] == state
    assert len(follower.tasks) == TASKS + 1


def made(number: int) -> Task:
    return Task(
        id=new_id(NOW + number), name=f"train-resnet50-lr1e-4-seed{number}", command=f"python train.py --seed {number}",
        kind=Kind.COMMAND, cwd="/home/ada/runs", state=State.SUCCEEDED, created=NOW, started=NOW, ended=NOW + 60,
        provisioner="local", metrics={},
    )  # fmt: skip


def test_two_servers_and_a_restart(start_server: Callable[..., LiveServer]) -> None:
    one, other = start_server(), start_server()
    with one.client() as here, other.client() as there:
        revision = here.list()["revision"]
        assert not there.changes(revision)["complete"]
        task = there.create("true", name="made there")
        told = until(lambda: found if (found := here.changes(revision))["tasks"] else None)
        assert [found["name"] for found in told["tasks"]] == ["made there"]
        ended(there, task["id"])
        there.delete(task["id"])
        until(lambda: task["id"] in here.changes(revision)["deleted"])
        one.kill9()
        one.start()
    with one.client() as here:
        assert not here.changes(revision)["complete"]
        assert here.changes(here.list()["revision"])["complete"]
