"""Why tasks failed: explained once at their end, or by the next server if none saw it."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.server.events import TASK_STATE
from jupyter_ptytasks.storage import endings
from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.server.conftest import Rest

SCRIPT = "def step(rate):\n    raise ValueError('bad rate')\n\nprint('begins')\nstep(-1)\n"
COMMAND = [sys.executable, "-c", SCRIPT]
SAID = {"kind": "exception", "message": "ValueError: bad rate"}


async def why(rest: Rest, ref: str) -> dict[str, Any]:
    """Ask why."""
    answer = await rest("GET", "tasks", ref, "why")
    assert answer.code == 200, answer.body
    told: dict[str, Any] = answer.json
    return told


async def test_a_failure_is_explained_at_its_end_with_lines_on_request(rest: Rest) -> None:
    await rest.create(COMMAND, name="train")
    task = await rest.wait("train")
    assert (task["state"], task["state_reason"]) == ("failed", "nonzero_exit")
    assert task["state_message"] == "ValueError: bad rate"
    told = await why(rest, "train")
    assert told.items() >= {**SAID, "id": task["id"], "state": "failed", "attempt": 1}.items()
    said = told["lines"][-1]
    assert said["text"] == "ValueError: bad rate"
    # The numbers are those of the output.
    output = await rest.output("train", since=said["line"], max_lines=1)
    assert (output["first_line"], output["output"]) == (said["line"], "ValueError: bad rate\n")


async def test_the_event_of_the_end_has_the_reason(rest: Rest, jp_serverapp: Any) -> None:
    seen = []

    async def listener(logger: Any, schema_id: str, data: Any) -> None:
        seen.append((data["state"], data["state_message"]))

    jp_serverapp.event_logger.add_listener(schema_id=TASK_STATE, listener=listener)
    await rest.create(COMMAND, name="train")
    await rest.wait("train")
    assert [message for state, message in seen if state == "failed"] == ["ValueError: bad rate"]


async def test_each_attempt_has_its_own_reason(rest: Rest, tmp_path: Path) -> None:
    first = tmp_path / "first"
    await rest.create(f"[ -e {first} ] && exit 5; touch {first}; cat /no/such/file", name="twice")
    assert "No such file" in (await rest.wait("twice"))["state_message"]
    await rest("POST", "tasks", "twice", "restart")
    task = await rest.until("twice", lambda task: task["attempt"] == 2 and task["state"] == "failed")
    # Not what the first one wrote, which is still in the log.
    assert task["state_message"] == "exited with code 5"
    assert (await why(rest, "twice")).items() >= {"kind": "exit", "attempt": 2, "lines": []}.items()


async def test_a_task_that_did_not_fail_has_no_reason(rest: Rest) -> None:
    await rest.create("echo 'ValueError: only a word'", name="fine")
    await rest.create("exec sleep 1000", name="runs")
    await rest.create("echo 'Error: not now'; exec sleep 1000", name="stopped")
    await rest.create("true", name="held", hold=True)
    assert (await rest.wait("fine"))["state_message"] == ""
    await rest("POST", "tasks", "stopped", "stop", body={"signals": ["KILL"]})
    assert (await rest.wait("stopped"))["state_message"] == "stopped"
    for name, message in (("fine", ""), ("runs", ""), ("stopped", "stopped")):
        assert (await why(rest, name)).items() >= {"kind": None, "message": message, "lines": []}.items()
    held = await why(rest, "held")
    assert held["kind"] == "queue"
    assert held["message"]


async def test_a_signal_sent_by_a_user_is_reported(rest: Rest) -> None:
    await rest.create("echo ready; exec sleep 1000", name="victim")
    await rest.until("victim", lambda task: task["output"]["lines"])
    await rest("POST", "tasks", "victim", "signal", body={"signal": "SIGTERM", "target": "tree"})
    task = await rest.wait("victim")
    assert task["state_message"] == "ended by SIGTERM, which was sent through the server"
    assert (await why(rest, "victim"))["kind"] == "signal"


async def test_a_time_limit_is_reported_with_its_length(rest: Rest) -> None:
    await rest.create("exec sleep 1000", name="long", timeout=0.5)
    task = await rest.wait("long")
    assert (task["state"], task["state_message"]) == ("timed_out", "stopped at its time limit of 0.5 s")


async def test_leftover_processes_are_reported(rest: Rest) -> None:
    await rest.create("(trap '' HUP; exec sleep 1000) & sleep 0.2; echo 'Error: no more disks'; exit 1", name="leaves")
    task = await rest.wait("leaves")
    assert task["state_message"] == "Error: no more disks; a process is still running"
    await rest("DELETE", "tasks", "leaves", "leftover")


async def test_commands_in_a_shell_do_not_explain_its_end(rest: Rest) -> None:
    answer = await rest("POST", "tasks", body={"name": "shell"})
    assert answer.code == 201
    await rest("POST", "tasks", "shell", "input", body={"data": "cat /no/such/file; exit 1", "newline": True})
    assert (await rest.wait("shell"))["state_message"] == "exited with code 1"


async def test_after_a_success_no_output_is_read(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("the output was read")

    monkeypatch.setattr(endings, "_last_lines", refuse)
    await rest.create("echo fine", name="fine")
    assert (await rest.wait("fine"))["state"] == "succeeded"
    # And where it cannot be read, the task has ended all the same.
    await rest.create("exit 3", name="fails")
    task = await rest.wait("fails")
    assert (task["state"], task["state_message"]) == ("failed", "exited with code 3")


# -- without a server -------------------------------------------------------------------------------------------------


@pytest.fixture
def live(start_server: Callable[..., LiveServer]) -> LiveServer:
    """A server that can be killed."""
    return start_server()


SAYS = "fatal: the remote hung up"
FAILS = f"echo '{SAYS}'; exit 2"
WAITS = "until [ -e go ]; do sleep 0.02; done; "


def test_an_end_that_no_server_saw_is_explained_later(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create(f"{WAITS}{FAILS}", name="unseen")
        until(lambda: client.get("unseen")["state"] == "running")
        live.kill9()
        (live.home / "go").touch()
        until((live.home / "data" / "ptytasks" / "tasks" / task["id"] / "exit.json").exists)
        live.start()
        assert ended(client, "unseen")["state_message"] == SAYS


def test_an_end_without_an_explanation_gets_one(live: LiveServer) -> None:
    """Servers of earlier versions store none."""
    with live.client() as client:
        task = client.create(FAILS, name="unexplained")
        ended(client, "unexplained")
        live.kill9()
        sql = sqlite3.connect(live.home / "data" / "ptytasks" / "tasks.db")
        ((body,),) = sql.execute("SELECT body FROM tasks WHERE id = ?", (task["id"],))
        old = json.loads(body)
        assert (old.pop("why"), old["state_message"]) == ("error", SAYS)
        sql.execute("UPDATE tasks SET body = ?", (json.dumps({**old, "state_message": "exited with code 2"}),))
        sql.commit()
        sql.close()
        live.start()
        until(lambda: client.get("unexplained")["state_message"] == SAYS)


def test_it_is_found_again_without_a_database(live: LiveServer) -> None:
    with live.client() as client:
        client.create(FAILS, name="rebuilt")
        ended(client, "rebuilt")
        live.kill9()
        os.unlink(live.home / "data" / "ptytasks" / "tasks.db")
        live.start()
        until(lambda: client.get("rebuilt")["state_message"] == SAYS)


def test_the_scheduler_explains_what_ends_without_a_server(live: LiveServer) -> None:
    with live.client() as client:
        client.set_group("one", slots=1)
        task = client.create(f"{WAITS}{FAILS}", name="first", group="one")
        second = client.create("exec sleep 1000", name="second", group="one")
        until(lambda: client.get("first")["state"] == "running")
        live.kill9()
        (live.home / "go").touch()
        directory = live.home / "data" / "ptytasks" / "tasks"
        # It has been started by the scheduler, which had noted the end of the first.
        until((directory / second["id"] / "host.json").exists)
        sql = sqlite3.connect(live.home / "data" / "ptytasks" / "tasks.db")
        ((body,),) = sql.execute("SELECT body FROM tasks WHERE id = ?", (task["id"],))
        sql.close()
        assert (json.loads(body)["why"], json.loads(body)["state_message"]) == ("error", SAYS)
