"""Updates from a place are stored only for tasks that have not changed since the request."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.model import job
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.provision.base import Launched, Submitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jupyter_ptytasks.core.model import Task
    from jupyter_ptytasks.server.parts import Parts
    from tests.server.conftest import Rest

    Answer = Callable[[Iterable[Task]], dict[str, dict[str, Any]]]

LONGEST = 30.0


@pytest.fixture
def answers(jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], None]:
    """Make this machine a place that is asked about its tasks, and answers so."""
    place = jp_serverapp.web_app.settings["ptytasks_provisioners"].at("local")

    def answer(poll: Answer) -> None:
        monkeypatch.setattr(place, "queues", True)
        monkeypatch.setattr(place, "poll", poll)

    return answer


async def test_an_answer_that_comes_too_late_undoes_nothing(
    rest: Rest, parts: Parts, answers: Callable[[Answer], None]
) -> None:
    await rest.create("sleep 100", name="late")
    await rest.until("late", lambda task: task["connected"])
    asked, may_answer, answered = Event(), Event(), Event()

    def poll(tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        asked.set()
        may_answer.wait(LONGEST)
        answered.set()
        return {task.id: {"state": State.RUNNING, "state_message": "as it was"} for task in tasks}

    answers(poll)
    parts.supervisor.lookout.look()
    assert await asyncio.to_thread(asked.wait, LONGEST)
    await rest("POST", "tasks", "late", "pause")
    await rest.until("late", lambda task: task["state"] == "paused")
    may_answer.set()
    assert await asyncio.to_thread(answered.wait, LONGEST)
    # What is said the next time is taken: by then the first answer was, too.
    answers(lambda tasks: {task.id: {"state": task.state, "state_message": "news"} for task in tasks})

    def is_new(task: dict[str, Any]) -> bool:
        parts.supervisor.lookout.look()
        return bool(task["state_message"] == "news")

    assert (await rest.until("late", is_new))["state"] == "paused"


async def test_a_place_that_fails_is_asked_again(
    rest: Rest, parts: Parts, answers: Callable[[Answer], None], caplog: pytest.LogCaptureFixture
) -> None:
    task_id = (await rest.create("sleep 100", name="asked"))["id"]
    await rest.until("asked", lambda task: task["connected"])
    failed = Event()

    def fail(_: Iterable[Task]) -> dict[str, dict[str, Any]]:
        failed.set()
        raise ValueError("not what squeue says")

    answers(fail)
    parts.supervisor.lookout.look()
    assert await asyncio.to_thread(failed.wait, LONGEST)
    answers(lambda tasks: {task.id: {"state": task.state, "state_message": "news"} for task in tasks})

    def is_new(task: dict[str, Any]) -> bool:
        parts.supervisor.lookout.look()
        return bool(task["state_message"] == "news")

    await rest.until("asked", is_new)
    assert f"task {task_id}" in caplog.text
    assert "not what squeue says" in caplog.text


async def test_one_that_has_started_before_that_is_known_is_stopped(
    rest: Rest, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = jp_serverapp.web_app.settings["ptytasks_provisioners"].at("local")
    started: dict[str, Launched] = {}
    wanted = Event()
    launch = place.launch

    def submit(task: Task, *about: Any) -> Submitted:
        started[task.id] = launch(task, *about)
        return Submitted({"state": State.QUEUED, "job": job("1")})

    def refuse(_: Task) -> bool:
        wanted.set()
        return False

    def poll(tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        if not wanted.is_set():
            return {}
        return {task.id: {"state": State.RUNNING, **started[task.id].facts()} for task in tasks if task.pending}

    for name, does in (("queues", True), ("launch", submit), ("cancel", refuse), ("poll", poll)):
        monkeypatch.setattr(place, name, does)
    assert (await rest.create("sleep 100", name="quick"))["state"] == "queued"
    answer = await rest("POST", "tasks", "quick", "stop")
    assert answer.json.get("state") in ("stopping", "cancelled"), answer.json
    monkeypatch.undo()
    await rest.until("quick", lambda task: task["state"] == "cancelled")
