"""Queued and held tasks: none of their commands runs, and none of their data is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.model import TaskRequest
from jupyter_ptytasks.core.states import State

if TYPE_CHECKING:
    from jupyter_ptytasks.core.model import Task
    from jupyter_ptytasks.server.parts import Parts
    from tests.server.conftest import Rest


async def submit(parts: Parts, name: str = "later", state: State = State.QUEUED, **about: Any) -> Task:
    """Submit a task that is held, or queued in a group that is paused, so that no scheduler starts it."""
    await parts.queue.change_group("paused", paused=True)
    about = {"group": "paused", "hold": state is State.HELD, **about}
    task, added = await parts.launcher.create(TaskRequest(command="echo ran; sleep 100", name=name, **about))
    assert added
    assert task.state is state
    return task


async def let_go(rest: Rest, name: str = "later") -> None:
    """Start a task that was submitted."""
    assert (await rest("POST", "tasks", name, "start")).code == 202
    await rest("PATCH", "tasks", name, body={"group": "default"})


@pytest.mark.parametrize("state", [State.QUEUED, State.HELD])
async def test_a_pending_task_has_no_ptyhost_and_gets_one_when_its_turn_comes(
    rest: Rest, parts: Parts, state: State
) -> None:
    task = await submit(parts, state=state)
    found = await rest.get("later")
    assert {name: found[name] for name in ("state", "alive", "connected", "pid", "started", "exit")} == {
        "state": state.value, "alive": False, "connected": False, "pid": None, "started": None, "exit": None,
    }  # fmt: skip
    assert parts.supervisor.link(task.id) is None
    assert (await rest.output("later"))["ended"] is False
    assert (await rest("GET", "tasks", "later", "stats")).json["samples"] == []
    assert parts.activity.busy() == []
    assert await parts.terminals.list() == []
    await let_go(rest)
    found = await rest.until("later", lambda task: task["connected"] and task["state"] == "running")
    assert found["attempt"] == 1
    assert await rest.until_output("later", "ran")
    assert [one.id for one in parts.activity.busy()] == [task.id]
    assert (await rest("POST", "tasks", "later", "start")).code == 409


async def test_viewers_that_attach_early_see_it_begin(rest: Rest, parts: Parts, attach: Any) -> None:
    await submit(parts)
    viewer = await (await attach("later")).attached()
    await let_go(rest)
    await viewer.shows("ran")
    await viewer.type("\x03")
    await rest.until("later", lambda task: task["state"] == "failed")


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("pause", {}),
        ("resume", {}),
        ("restart", {}),
        ("signal", {"signal": "SIGINT"}),
        ("resize", {"rows": 9, "cols": 9}),
        ("input", {}),
    ],
)
async def test_verbs_for_what_runs_are_in_conflict(rest: Rest, parts: Parts, verb: str, body: Any) -> None:
    await submit(parts)
    answer = await rest("POST", "tasks", "later", verb, body=body)
    assert (answer.code, answer.json["code"]) == (409, "invalid_state")
    assert "not started yet: queued" in answer.json["message"]


async def test_stop_cancels_it_and_delete_forgets_it(rest: Rest, parts: Parts) -> None:
    await submit(parts)
    assert (await rest("DELETE", "tasks", "later")).code == 409
    stopped = (await rest("POST", "tasks", "later", "stop")).json
    assert (stopped["state"], stopped["state_reason"]) == ("cancelled", "cancelled")
    assert stopped["started"] is None
    assert stopped["ended"] is not None
    answer = await rest("POST", "tasks", "later", "start")
    assert (answer.code, answer.json["message"]) == (409, "the task is not held: it is cancelled")
    # It can be run all the same, as any task that has ended; but its group is still paused.
    assert (await rest("POST", "tasks", "later", "restart")).json["state"] == "queued"
    await rest("PATCH", "tasks", "later", body={"group": "default"})
    await rest.until("later", lambda task: task["state"] == "running")
    assert (await rest("DELETE", "tasks", "later", stop=1)).code == 204
    other = await submit(parts)
    assert (await rest("DELETE", "tasks", other.id, stop=1)).code == 204
    assert (await rest("GET", "tasks")).json["tasks"] == []
    assert await asyncio.to_thread(parts.launcher._task_dirs.ids) == []


@pytest.mark.parametrize("server_options", [{"PtyTasksApp": {"max_live_tasks": 1}}])
async def test_pending_tasks_are_not_counted_as_running(rest: Rest, parts: Parts) -> None:
    for number in range(3):
        await submit(parts, f"later-{number}")
    await let_go(rest, "later-0")
    await rest.until("later-0", lambda task: task["state"] == "running")
    await let_go(rest, "later-1")
    found = await rest.until("later-1", lambda task: (task["queue"] or {}).get("reason") == "limit")
    assert found["queue"]["text"] == "1 tasks are running, which is the limit"
    await rest("POST", "tasks", "later-0", "stop")
    await rest.until("later-1", lambda task: task["state"] == "running")


async def test_a_task_released_by_several_requests_runs_once(rest: Rest, parts: Parts) -> None:
    await submit(parts, state=State.HELD, group="default")
    await asyncio.gather(*(rest("POST", "tasks", "later", "start") for _ in range(5)))
    found = await rest.until("later", lambda task: task["connected"])
    assert found["attempt"] == 1
    assert (await rest.until_output("later", "ran")) == "ran\n"


async def test_a_failed_start_is_reported(rest: Rest, parts: Parts, jp_root_dir: Any) -> None:
    (jp_root_dir / "away").mkdir()
    await submit(parts, cwd="away")
    (jp_root_dir / "away").rmdir()
    await let_go(rest)
    found = await rest.until("later", lambda task: task["state"] == "failed")
    assert found["state_reason"] == "spawn_error"
    assert "away" in found["state_message"]


async def test_directories_know_what_is_pending(parts: Parts, rest: Rest) -> None:
    """Everything in the database can be reconstructed from the directories of the tasks."""
    await submit(parts, "queued")
    await submit(parts, "held", State.HELD)
    await submit(parts, "gone")
    await rest("POST", "tasks", "gone", "stop")
    await submit(parts, "runs")
    await let_go(rest, "runs")
    # It is seen to run a moment before that is recorded.
    await rest.until("runs", lambda task: (stored := parts.store.get(task["id"])) and stored.state is State.RUNNING)
    task_dirs = parts.launcher._task_dirs
    await parts.store.refresh(0.0)
    told = {task.name: (task.state, task.state_reason) for task in await asyncio.to_thread(list, task_dirs.tasks())}
    known = {task.name: (task.state, task.state_reason) for task in parts.store.tasks}
    assert told == known == {
        "queued": (State.QUEUED, ""),
        "held": (State.HELD, ""),
        "gone": (State.CANCELLED, "cancelled"),
        "runs": (State.RUNNING, ""),
    }  # fmt: skip


async def test_a_task_of_an_unknown_provisioner_is_shown_and_not_touched(
    rest: Rest, parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    task = await submit(parts)
    await parts.store.change(task.id, provisioner="mars")
    await parts.store.observe(task.id, 1, State.STARTING)
    await rest.until("later", lambda _: "mars" in caplog.text)
    found = await rest.get("later")
    assert (found["state"], found["connected"], found["usage"]) == ("starting", False, None)
    assert caplog.text.count("no place 'mars'") == 1
    # Another server may report that it runs: what it uses is not looked for among the processes of this machine.
    await parts.store.observe(task.id, 1, State.RUNNING)
    await parts.sampler._sample([task.id])
    assert (await rest.get("later"))["usage"] is None
