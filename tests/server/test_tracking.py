"""Progress of tasks: reported while they run, stored at their end, and restored after restarts."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from jupyter_ptytasks.core.progress import ProgressReader
from jupyter_ptytasks.server.events import SCHEMA_FILES, TASK_PROGRESS
from jupyter_ptytasks.server.monitor import progress as tracking
from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_ptytasks.client import Client
    from tests.server.conftest import Rest
    from tests.server.serving import Served

SCHEMA = yaml.safe_load(Path(SCHEMA_FILES[1]).read_text(encoding="utf-8"))
#: Shell lines: tell a percentage, and wait for a file.
SAY = r"say() { printf '\033]9;4;1;%s\007' $1; }; "
WAIT = 'until [ -e "$PTYTASK_ID.go" ]; do sleep 0.02; done; '


def fraction(task: Any) -> float | None:
    """Return the progress of a task, from 0 to 1."""
    progress = task["progress"]
    return None if progress is None else progress["fraction"]


def until_fraction(client: Client, ref: str, expected: float) -> None:
    """Wait until a task is so far."""
    until(lambda: fraction(client.get(ref)) == expected)


def let_go(live: LiveServer, task: Any) -> None:
    """Let a task that waits go on."""
    (live.home / f"{task['id']}.go").touch()


@pytest.fixture
def live(start_server: Callable[..., LiveServer]) -> LiveServer:
    """A server that can be killed."""
    return start_server()


# -- while it runs, and after -----------------------------------------------------------------------------------------


async def test_it_moves_while_the_task_runs_and_is_whole_at_its_success(rest: Rest, served: Served) -> None:
    task = await rest.create(f"{SAY}say 10; {WAIT}say 60; rm $PTYTASK_ID.go; {WAIT}", name="train")
    moving = await rest.until("train", lambda task: fraction(task) == 0.1)
    assert moving["progress"].items() >= {"state": "normal", "source": "osc"}.items()
    (served.root_dir / f"{task['id']}.go").touch()
    await rest.until("train", lambda task: fraction(task) == 0.6)
    assert [fraction(one) for one in (await rest("GET", "tasks")).json["tasks"]] == [0.6]
    (served.root_dir / f"{task['id']}.go").touch()
    # Those who are notified of the end have been notified of all progress.
    assert fraction(await rest.wait("train")) == 1.0


async def test_after_a_failure_it_stays_where_it_was(rest: Rest) -> None:
    await rest.create(f"{SAY}say 30; exit 1", name="broken")
    task = await rest.wait("broken")
    assert (fraction(task), task["progress"]["eta"]) == (0.3, None)


async def test_there_is_no_estimate_for_a_paused_one(rest: Rest) -> None:
    await rest.create("for i in $(seq 1000); do echo step $i/1000; sleep 0.05; done", name="train")
    moving = await rest.until("train", lambda task: task["progress"] and task["progress"]["eta"])
    await rest("POST", "tasks", "train", "pause")
    paused = await rest.until("train", lambda task: task["state"] == "paused")
    assert paused["progress"]["eta"] is None
    assert paused["progress"]["fraction"] >= moving["progress"]["fraction"]
    await rest("POST", "tasks", "train", "resume")
    await rest.until("train", lambda task: task["progress"]["eta"])


async def test_a_task_that_reports_nothing_has_none(rest: Rest, jp_serverapp: Any) -> None:
    await rest.create("echo hello; exec sleep 1000", name="talks")
    await rest.create("exec sleep 1000", name="is silent")
    await rest.until("talks", lambda task: task["output"]["lines"])
    await rest("POST", "tasks", "talks", "stop", body={"signals": ["KILL"]})
    assert fraction(await rest.wait("talks")) is None
    assert fraction(await rest.get("is silent")) is None


async def test_the_next_attempt_starts_over(rest: Rest) -> None:
    await rest.create(f"{SAY}[ -e second ] || say 40; touch second; exec sleep 1000", name="twice")
    await rest.until("twice", lambda task: fraction(task) == 0.4)
    await rest("POST", "tasks", "twice", "restart", body={"signals": ["KILL"]})
    again = await rest.until("twice", lambda task: task["attempt"] == 2 and task["output"]["lines"])
    assert fraction(again) is None
    await rest("POST", "tasks", "twice", "stop", body={"signals": ["KILL"]})
    # Nor is what the first one told found behind its heading at the end.
    assert fraction(await rest.wait("twice")) is None


async def test_a_shell_forgets_what_ran_in_it(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "_FORGOTTEN_COMPLETE", 0.3)
    monkeypatch.setattr(tracking, "_FORGOTTEN", 1000.0)
    await rest.create(name="sh")
    for line in (SAY.rstrip("; "), "say 50"):
        await rest("POST", "tasks", "sh", "input", body={"data": line, "newline": True})
    await rest.until("sh", lambda task: fraction(task) == 0.5)
    await rest("POST", "tasks", "sh", "input", body={"data": "say 100", "newline": True})
    await rest.until("sh", lambda task: fraction(task) is None)
    await rest("POST", "tasks", "sh", "input", body={"data": "say 20", "newline": True})
    await rest.until("sh", lambda task: fraction(task) == 0.2)
    await rest("POST", "tasks", "sh", "input", body={"data": "exit", "newline": True})
    assert (await rest.wait("sh"))["progress"] is None


async def test_read_only_viewers_are_notified(rest: Rest, attach: Any, served: Served) -> None:
    task = await rest.create(f"{SAY}{WAIT}say 70; exec sleep 1000", name="seen")
    viewer = await (await attach("seen")).attached()
    (served.root_dir / f"{task['id']}.go").touch()
    await viewer.until(lambda viewer: fraction(viewer.task) == 0.7)


async def test_a_reader_that_fails_does_not_keep_a_task_from_ending(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(ProgressReader, "end", fail)
    await rest.create(f"{SAY}say 30; exit 4", name="ends")
    task = await rest.wait("ends")
    assert (task["exit"], task["progress"]) == ({"code": 4, "signal": None}, None)
    assert "no such luck" in caplog.text


# -- events -----------------------------------------------------------------------------------------------------------


async def test_events_are_few_and_as_their_schema_says(rest: Rest, jp_serverapp: Any) -> None:
    heard: list[tuple[float, dict[str, Any]]] = []

    async def hear(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        heard.append((time.monotonic(), data))

    jp_serverapp.event_logger.add_listener(schema_id=TASK_PROGRESS, listener=hear)
    line = f"{SAY}n=0; while [ $n -lt 99 ]; do n=$((n+1)); say $n; sleep 0.05; done; exec sleep 1000"
    task = await rest.create(line, name="counts")
    deadline = time.monotonic() + 60
    while not any(fraction(data) == 0.99 for _, data in heard):
        assert time.monotonic() < deadline, heard
        await asyncio.sleep(0.01)
    for _, data in heard:
        jsonschema.validate(data, {**SCHEMA, "additionalProperties": False})
        assert (data["id"], data["attempt"]) == (task["id"], 1)
    told = [fraction(data) or 0.0 for _, data in heard]
    assert told == sorted(told)
    assert len(told) > 3
    gaps = [after - before for (before, _), (after, _) in itertools.pairwise(heard)]
    assert min(gaps) > 0.8


# -- what happens to servers ------------------------------------------------------------------------------------------


def test_kill9_in_the_middle_and_a_new_server_continues(live: LiveServer) -> None:
    with live.client() as client:
        line = f"{SAY}say 10; until [ -e later ]; do sleep 0.02; done; say 20; {WAIT}"
        task = client.create(line, name="train")
        until(lambda: fraction(client.get("train")) == 0.1)
        live.kill9()
        (live.home / "later").touch()
        live.start()
        until(lambda: fraction(client.get("train")) == 0.2)
        live.kill9()
        live.start()
        # Also where it writes nothing more.
        until(lambda: fraction(client.get("train")) == 0.2)
        let_go(live, task)
        assert fraction(ended(client, "train")) == 1.0
        live.kill9()
        live.start()
        assert fraction(client.get("train")) == 1.0


def test_a_task_that_ended_without_a_server_has_its_last_progress(live: LiveServer) -> None:
    with live.client() as client:
        tasks = [client.create(f"{SAY}{WAIT}say 35; exit {code}", name=f"exit {code}") for code in (0, 5)]
        live.kill9()
        for task in tasks:
            let_go(live, task)
            until((live.home / "data" / "ptytasks" / "tasks" / task["id"] / "exit.json").exists)
        live.start()
        assert [fraction(ended(client, task["id"])) for task in tasks] == [1.0, 0.35]


def test_a_database_that_is_lost_costs_no_progress(live: LiveServer) -> None:
    with live.client() as client:
        client.create(f"{SAY}say 35; exit 5", name="failed")
        ended(client, "failed")
        live.kill9()
        os.unlink(live.home / "data" / "ptytasks" / "tasks.db")
        live.start()
        assert fraction(client.get("failed")) == 0.35


def test_records_of_older_servers_are_read(live: LiveServer) -> None:
    with live.client() as client:
        client.create("exit 5", name="old")
        ended(client, "old")
        live.kill9()
        sql = sqlite3.connect(live.home / "data" / "ptytasks" / "tasks.db")
        ((body,),) = sql.execute("SELECT body FROM tasks")
        older = {name: value for name, value in json.loads(body).items() if name != "progress"}
        assert older != json.loads(body)
        sql.execute("UPDATE tasks SET body = ?", (json.dumps(older),))
        sql.commit()
        sql.close()
        live.start()
        task = client.get("old")
        assert (task["state"], task["progress"]) == ("failed", None)
        client.restart("old")
        assert ended(client, "old")["attempt"] == 2


def test_two_servers_say_the_same(start_server: Callable[..., LiveServer]) -> None:
    servers = [start_server(), start_server()]
    with servers[0].client() as one, servers[1].client() as other:
        task = one.create(f"{SAY}say 10; {WAIT}say 80; exit 1", name="shared")
        for client in (one, other):
            until_fraction(client, "shared", 0.1)
        let_go(servers[0], task)
        ends = [ended(client, "shared") for client in (one, other)]
        assert ends[0] == ends[1]
        assert fraction(ends[0]) == 0.8
        os.unlink(servers[0].home / f"{task['id']}.go")
        other.restart("shared")
        until(lambda: {client.get("shared")["attempt"] for client in (one, other)} == {2})
        for client in (one, other):
            until_fraction(client, "shared", 0.1)
        other.stop("shared", signals=["SIGKILL"])
        assert [fraction(ended(client, "shared")) for client in (one, other)] == [0.1, 0.1]


def test_a_ring_that_is_dropped_under_the_reader(start_server: Callable[..., LiveServer]) -> None:
    """The oldest output is dropped while it is followed, and finally all of it is removed."""
    live = start_server("--PtyTasksApp.ring_size=65536", "--PtyTasksApp.segment_size=4096")
    with live.client() as client:
        line = f"{SAY}say 10; sleep 1; seq 100000; say 50; {WAIT}say 90; exec sleep 1000"
        task = client.create(line, name="long")
        until(lambda: fraction(client.get("long")) == 0.1)
        until(lambda: fraction(client.get("long")) == 0.5)
        # Without viewers, the bounds of the ring are announced once a second.
        until(lambda: client.get("long")["output"]["start"] > 0)
        shutil.rmtree(live.home / "data" / "ptytasks" / "tasks" / task["id"] / "output")
        let_go(live, task)
        client.stop("long", signals=["SIGKILL"])
        task = ended(client, "long")
        assert (task["state"], fraction(task)) == ("cancelled", 0.5)


def test_a_flood_in_another_task_delays_no_viewer(live: LiveServer) -> None:
    with live.client() as client:
        for number in range(3):
            client.create("yes", name=f"flood {number}")
        task = client.create(f"{SAY}say 10; {WAIT}say 20; exec sleep 1000", name="train")
        until(lambda: fraction(client.get("train")) == 0.1)
        let_go(live, task)
        until(lambda: fraction(client.get("train")) == 0.2)
        stop_all(client)


def stop_all(client: Client) -> None:
    """End everything."""
    for task in client.list(state=["running"])["tasks"]:
        client.stop(task["id"], signals=["SIGKILL"])
    for task in client.list()["tasks"]:
        ended(client, task["id"])
