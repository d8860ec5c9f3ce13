"""The queue: groups and their slots, what tasks wait for, and a scheduler that needs no server."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from jupyter_ptytasks.client.errors import RequestFailed
from jupyter_ptytasks.server import queueing
from jupyter_ptytasks.storage.locks import Locks
from tests.client.live import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jupyter_ptytasks.client.api import Client
    from tests.client.live import LiveServer
    from tests.server.conftest import Rest

#: Notes when it begins and ends, in a file; runs until that file's name with `.go` exists.
WATCHED = "echo + >> {0}; while [ ! -e {0}.go ]; do sleep 0.02; done; echo - >> {0}"


async def put_group(rest: Rest, name: str, **about: Any) -> dict[str, Any]:
    answer = await rest("PUT", "groups", name, body=about)
    assert answer.code == 200, answer.body
    group: dict[str, Any] = answer.json
    return group


# -- groups -----------------------------------------------------------------------------------------------------------


async def test_a_group_runs_so_many_tasks_at_a_time(rest: Rest, tmp_path: Path) -> None:
    assert await put_group(rest, "gpu", slots=2) == {
        "name": "gpu", "slots": 2, "gpus": None, "per_gpu": 1, "on_failure": "continue", "paused": False, "reason": "",
        "used": 0, "active": 0, "pending": 0, "ends": None,
    }  # fmt: skip
    for number in range(4):
        task = await rest.create(WATCHED.format(tmp_path / f"{number}"), name=f"run-{number}", group="gpu")
        assert task["state"] in ("queued", "starting", "running")
    for number in (0, 1):
        await rest.until(f"run-{number}", lambda task: task["state"] == "running" and task["connected"])
    third, fourth = await rest.get("run-2"), await rest.get("run-3")
    assert (third["state"], third["queue"]["reason"], third["queue"]["position"]) == ("queued", "slots", 1)
    assert (fourth["state"], fourth["queue"]["position"]) == ("queued", 2)
    assert third["queue"]["text"] == "2 of 2 slots of the group gpu are used"
    (group,) = [group for group in (await rest("GET", "groups")).json["groups"] if group["name"] == "gpu"]
    assert (group["used"], group["active"], group["pending"]) == (2, 2, 2)
    (tmp_path / "0.go").touch()
    await rest.until("run-2", lambda task: task["state"] == "running")
    assert (await rest.get("run-3"))["queue"]["position"] == 1
    for number in (1, 2, 3):
        (tmp_path / f"{number}.go").touch()
    for number in range(4):
        assert (await rest.wait(f"run-{number}"))["state"] == "succeeded"
        assert (tmp_path / f"{number}").read_text() == "+\n-\n"


async def test_a_new_group_has_one_slot_and_what_is_not_given_stays(rest: Rest) -> None:
    assert (await put_group(rest, "one"))["slots"] == 1
    assert (await put_group(rest, "one", slots=None))["slots"] is None
    assert (await put_group(rest, "one", paused=True, reason="later"))["slots"] is None
    assert (await rest("GET", "groups", "one")).json["reason"] == "later"
    assert (await rest("DELETE", "groups", "one")).code == 204
    assert (await rest("GET", "groups", "one")).code == 404
    names = [group["name"] for group in (await rest("GET", "groups")).json["groups"]]
    assert "default" in names


@pytest.mark.parametrize(
    ("body", "field"),
    [({"slots": -1}, "slots"), ({"slots": "2"}, "slots"), ({"slots": True}, "slots"), ({"size": 2}, "size")],
)
async def test_a_group_that_cannot_be(rest: Rest, body: Any, field: str) -> None:
    answer = await rest("PUT", "groups", "bad", body=body)
    assert (answer.code, answer.json["field"]) == (400, field)


@pytest.mark.parametrize("verb", ["pause", "resume", "DELETE"])
async def test_a_group_that_does_not_exist_is_not_made_by_accident(rest: Rest, verb: str) -> None:
    await put_group(rest, "night")
    answer = await (rest(verb, "groups", "nights") if verb == "DELETE" else rest("POST", "groups", "nights", verb))
    assert (answer.code, answer.json["code"]) == (404, "group_not_found")
    assert "'night'" in answer.json["message"]
    assert (await rest("GET", "groups", "nights")).code == 404


async def test_pause_and_resume_of_a_group(rest: Rest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await put_group(rest, "night", slots=1)
    first = WATCHED.format(tmp_path / "first")
    await rest.create(first, name="first", group="night")
    await rest.until("first", lambda task: task["state"] == "running" and task["connected"])
    await rest.create("true", name="second", group="night")
    monkeypatch.setattr(queueing, "_PLAN_SHARE", 1e-9)  # what was found out before would be good for long
    paused = (await rest("POST", "groups", "night", "pause", body={"tasks": True, "reason": "lunch"})).json
    assert (paused["paused"], paused["reason"]) == (True, "lunch")
    await rest.until("first", lambda task: task["state"] == "paused")
    assert (await rest.get("second"))["queue"]["text"] == "the group night is paused: lunch"
    await rest("POST", "groups", "night", "resume", body={"tasks": True})
    (tmp_path / "first.go").touch()
    assert (await rest.wait("second"))["state"] == "succeeded"


# -- what tasks wait for ----------------------------------------------------------------------------------------------


async def test_a_held_task_runs_when_it_is_released(rest: Rest) -> None:
    held = await rest.create("true", name="held", hold=True)
    assert (held["state"], held["queue"]["reason"]) == ("held", "held")
    assert (await rest("POST", "tasks", "held", "start")).code == 202
    assert (await rest.wait("held"))["state"] == "succeeded"
    assert (await rest("POST", "tasks", "held", "start")).code == 409


async def test_a_new_task_says_why_it_waits_however_long_ago_that_was_found_out_of_others(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rest.create("true", name="before", hold=True)
    monkeypatch.setattr(queueing, "_PLAN_SHARE", 1e-9)  # it took so long that it is not to be found out again soon
    held = await rest.create("true", name="held", hold=True)
    assert held["queue"]["reason"] == "held"
    waits = await rest.create("true", name="waits", after=["held"])
    assert waits["queue"]["reason"] == "dependency"


async def test_a_queued_task_is_held_until_it_is_released(rest: Rest, tmp_path: Path) -> None:
    await put_group(rest, "one", slots=1)
    await rest.create(WATCHED.format(tmp_path / "first"), name="first", group="one")
    await rest.until("first", lambda task: task["state"] == "running")
    for name in ("second", "third"):
        assert (await rest.create("true", name=name, group="one"))["state"] == "queued"
    for _ in range(2):  # again: it is held already
        answer = await rest("POST", "tasks", "second", "hold")
        assert (answer.code, answer.json["state"]) == (200, "held")
    assert (await rest("POST", "tasks", "first", "hold")).code == 409
    (tmp_path / "first.go").touch()
    assert (await rest.wait("third"))["state"] == "succeeded"
    second = await rest.get("second")
    assert (second["state"], second["queue"]["reason"]) == ("held", "held")
    await rest("POST", "tasks", "second", "start")
    assert (await rest.wait("second"))["state"] == "succeeded"
    assert (await rest("POST", "tasks", "second", "hold")).code == 409


async def test_tasks_wait_for_others(rest: Rest) -> None:
    await rest.create("exit 3", name="prepare", hold=True)
    wanted: dict[str, list[Any]] = {
        "if-ok": ["prepare"],
        "if-failed": [{"ref": "prepare", "when": "failed"}],
        "anyway": [{"ref": "prepare", "when": "any"}],
    }
    for name, after in wanted.items():
        task = await rest.create("true", name=name, after=after)
        assert (task["state"], task["queue"]["reason"]) == ("queued", "dependency")
        assert task["queue"]["text"] == "waits for prepare, which is held"
    await rest("POST", "tasks", "prepare", "start")
    ends = {name: await rest.wait(name) for name in wanted}
    assert {name: task["state"] for name, task in ends.items()} == {
        "if-ok": "cancelled", "if-failed": "succeeded", "anyway": "succeeded",
    }  # fmt: skip
    assert ends["if-ok"]["state_reason"] == "dependency"
    assert ends["if-ok"]["state_message"] == "prepare did not succeed: it is failed"


async def test_a_dependency_that_is_deleted(rest: Rest) -> None:
    await rest.create("true", name="first", hold=True)
    await rest.create("true", name="second", after=["first"])
    assert (await rest("DELETE", "tasks", "first", stop=1)).code == 204
    assert (await rest.wait("second"))["state_message"] == "the task that it waits for was deleted"


async def test_a_task_waits_for_its_time(rest: Rest) -> None:
    soon = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 3600))
    task = await rest.create("true", name="later", not_before=soon)
    assert (task["queue"]["reason"], task["queue"]["starts"]) == ("not_before", soon)
    answer = await rest("PATCH", "tasks", "later", body={"not_before": "2020-01-01T00:00:00+02:00"})
    assert answer.json["not_before"] == "2019-12-31T22:00:00.000Z"
    assert (await rest.wait("later"))["state"] == "succeeded"
    answer = await rest("PATCH", "tasks", "later", body={"not_before": None})
    assert (answer.code, answer.json["code"]) == (409, "invalid_state")


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({"not_before": "tomorrow"}, "not_before"),
        ({"not_before": "2026-01-01T00:00:00"}, "not_before"),
        ({"after": ["nobody"]}, "after.0"),
        ({"after": [{"ref": "nobody", "when": "maybe"}]}, "after.0.After.when"),
        ({"priority": 1.5}, "priority"),
        ({"slots": 0}, "slots"),
        ({"retry": {"max": 0}}, "retry.max"),
        ({"retry": {"max": 1, "on": ["tired"]}}, "retry.on.0"),
    ],
)
async def test_what_cannot_be_waited_for(rest: Rest, about: Any, field: str) -> None:
    answer = await rest("POST", "tasks", body={"command": "true", **about})
    assert answer.code == 400, answer.body
    assert str(answer.json["field"]).startswith(field.rpartition(".After")[0] or field)
    assert (await rest("GET", "tasks")).json["tasks"] == []


async def test_tasks_that_would_wait_for_each_other(rest: Rest) -> None:
    await rest.create("true", name="a", hold=True)
    await rest.create("true", name="b", after=["a"])
    await rest.create("true", name="c", after=["b"])
    answer = await rest("PATCH", "tasks", "a", body={"after": ["c"]})
    assert (answer.code, answer.json["field"]) == (400, "after")
    assert "a → c → b → a" in answer.json["message"]


async def test_a_task_that_fails_is_run_again(rest: Rest, tmp_path: Path) -> None:
    file = tmp_path / "runs"
    command = f"echo run >> {file}; [ $(wc -l < {file}) = 3 ]"
    task = await rest.create(command, name="flaky", retry={"max": 5, "delay": 0.01})
    usual = await rest.create("true", name="usual", retry={"max": 2})
    assert usual["retry"] == {"max": 2, "delay": 30.0, "factor": 2.0, "most": 3600.0, "on": []}
    ended = await rest.until("flaky", lambda task: task["state"] == "succeeded")
    assert (ended["attempt"], file.read_text().count("run")) == (3, 3)
    assert task["retry"] == {"max": 5, "delay": 0.01, "factor": 2.0, "most": 3600.0, "on": []}


async def test_a_task_that_fails_too_often_has_failed(rest: Rest) -> None:
    await rest.create("exit 7", name="bad", retry={"max": 2, "delay": 0, "on": [7]})
    ended = await rest.until("bad", lambda task: task["attempt"] == 3 and task["state"] == "failed")
    assert ended["exit"]["code"] == 7
    await rest.create("exit 8", name="other", retry={"max": 2, "on": [7]})
    assert (await rest.wait("other"))["attempt"] == 1


async def test_the_environment_is_kept_until_the_start_and_no_longer(rest: Rest, served: Any) -> None:
    task = await rest.create("echo $SECRET", name="held", env={"SECRET": "hush"}, hold=True)
    path = served.data_dir / "ptytasks" / "tasks" / task["id"] / "environment.json"
    assert json.loads(path.read_text())["SECRET"] == "hush"
    assert path.stat().st_mode & 0o777 == 0o600
    await rest("POST", "tasks", "held", "start")
    await rest.wait("held")
    assert (await rest.output("held"))["output"] == "hush\n"
    assert not path.exists()


async def test_a_removed_directory_holds_up_nothing_else(rest: Rest, served: Any) -> None:
    await rest("PUT", "groups", "night", body={"slots": 0, "on_failure": "cancel"})
    first, second = [await rest.create("echo hello", name=name, group="night") for name in ("first", "second")]
    other = await rest.create("echo hello", name="other", hold=True)
    for task in (first, second):
        shutil.rmtree(served.data_dir / "ptytasks" / "tasks" / task["id"])
    await rest("PUT", "groups", "night", body={"slots": 1})
    gone = await rest.wait("first")
    assert (gone["state"], gone["state_reason"]) == ("failed", "internal_error")
    assert (await rest.wait("second"))["state"] == "cancelled"
    await rest("POST", "tasks", other["id"], "start")
    assert (await rest.wait("other"))["state"] == "succeeded"


async def test_the_next_task_starts_at_once_where_one_cannot_start(rest: Rest, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    await rest("PUT", "groups", "day", body={"slots": 0})
    about = {"cwd": str(place), "group": "day", "retry": {"max": 1, "delay": 0}}
    await rest.create("echo hello", name="first", **about)
    await rest.create("echo hello", name="second", group="day")
    place.rmdir()
    await rest("PUT", "groups", "day", body={"slots": 1})
    assert (await rest.wait("second"))["state"] == "succeeded"
    first = await rest.wait("first")
    assert (first["state"], first["state_reason"], first["attempt"]) == ("failed", "spawn_error", 2)


async def test_what_a_pending_task_runs_can_be_changed(rest: Rest, served: Any, tmp_path: Path) -> None:
    task = await rest.create("echo old", name="draft", hold=True, env={"WHO": "me"})
    body = {"command": ["sh", "-c", "echo $WHO in $PWD"], "cwd": str(tmp_path), "env": {"WHO": "you"}, "priority": 3}
    changed = (await rest("PATCH", "tasks", "draft", body=body)).json
    assert (changed["command"], changed["cwd"], changed["priority"]) == (body["command"], str(tmp_path), 3)
    spec = json.loads((served.data_dir / "ptytasks" / "tasks" / task["id"] / "spec.json").read_text())
    assert (spec["command"], spec["argv"], spec["state"]) == (body["command"], body["command"], "held")
    for wrong, field in (({"cwd": "/nowhere"}, "cwd"), ({"command": ""}, "command"), ({"env": {"=": ""}}, "env")):
        answer = await rest("PATCH", "tasks", "draft", body=wrong)
        assert (answer.code, answer.json["field"]) == (400, field)
    await rest("POST", "tasks", "draft", "start")
    await rest.wait("draft")
    assert (await rest.output("draft"))["output"] == f"you in {tmp_path}\n"
    answer = await rest("PATCH", "tasks", "draft", body={"command": "echo late"})
    assert (answer.code, answer.json["code"]) == (409, "invalid_state")


async def test_a_restart_takes_its_turn(rest: Rest, tmp_path: Path) -> None:
    await put_group(rest, "one", slots=1)
    await rest.create("echo $PTYTASK_ATTEMPT", name="short", group="one", env={"SECRET": "hush"})
    await rest.wait("short")
    await rest.create(WATCHED.format(tmp_path / "long"), name="long", group="one")
    await rest.until("long", lambda task: task["state"] == "running" and task["connected"])
    again = await rest("POST", "tasks", "short", "restart")
    assert (again.code, again.json["state"], again.json["attempt"]) == (202, "queued", 2)
    (tmp_path / "long.go").touch()
    assert (await rest.wait("short"))["state"] == "succeeded"
    assert (await rest.output("short"))["output"].endswith("2\n")


async def test_run_again_has_the_same_place(rest: Rest) -> None:
    await rest.create("true", name="one", priority=4, slots=2, retry={"max": 2}, after=[])
    await rest.wait("one")
    again = (await rest("POST", "tasks", "one", "again")).json
    assert (again["priority"], again["slots"], again["retry"]["max"]) == (4, 2, 2)


# -- failures ---------------------------------------------------------------------------------------------------------


async def test_a_failure_pauses_its_group_once(rest: Rest) -> None:
    await put_group(rest, "careful", slots=1, on_failure="pause", paused=True)
    await rest.create("exit 3", name="bad", group="careful")
    for name in ("next", "last"):
        await rest.create("true", name=name, group="careful")
    await rest("POST", "groups", "careful", "resume")
    found = await rest.until("next", lambda task: (task["queue"] or {}).get("reason") == "paused")
    assert found["queue"]["text"] == "the group careful is paused: bad has ended: failed"
    await rest("POST", "groups", "careful", "resume")
    for name in ("next", "last"):
        assert (await rest.wait(name))["state"] == "succeeded"


async def test_a_failure_cancels_what_waits_in_its_group(rest: Rest) -> None:
    await put_group(rest, "all-or-none", slots=1, on_failure="cancel", paused=True)
    await rest.create("exit 3", name="bad", group="all-or-none")
    await rest.create("true", name="next", group="all-or-none")
    await rest.create("true", name="elsewhere", hold=True)
    await rest("POST", "groups", "all-or-none", "resume")
    ended = await rest.wait("next")
    assert (ended["state"], ended["state_reason"], ended["state_message"]) == (
        "cancelled", "group", "bad has ended: failed",
    )  # fmt: skip
    assert (await rest.get("elsewhere"))["state"] == "held"


async def test_when_a_task_will_start(rest: Rest, tmp_path: Path) -> None:
    await put_group(rest, "g", slots=1)
    command = WATCHED.format(tmp_path / "run")
    (tmp_path / "run.go").touch()
    await rest.create(command, name="before", group="g")
    took = await rest.wait("before")
    (tmp_path / "run.go").unlink()
    await rest.create(command, name="now", group="g")
    await rest.until("now", lambda task: task["state"] == "running" and task["connected"])
    await rest.create(command, name="next", group="g")
    found = await rest.until("next", lambda task: (task["queue"] or {}).get("starts"))
    now = time.strftime("%Y-%m-%dT%H:%M", time.gmtime())
    assert abs(int(found["queue"]["starts"][14:16]) - int(now[14:16])) in (0, 1, 59), (took, found["queue"])
    assert (await rest("GET", "groups", "g")).json["ends"] >= found["queue"]["starts"]
    (tmp_path / "run.go").touch()
    await rest.wait("next")


# -- without a server -------------------------------------------------------------------------------------------------


def scheduler(server: LiveServer) -> psutil.Process | None:
    """Return the scheduler of a server's data directory, if it runs."""
    try:
        pid = json.loads((server.home / "data" / "ptytasks" / "scheduler.pid.json").read_text())["pid"]
        process = psutil.Process(pid)
        return process if "jupyter_ptytasks/scheduler" in " ".join(process.cmdline()) else None
    except (OSError, ValueError, psutil.Error):
        return None


def submit_many(server: LiveServer, log: Path, count: int, slots: int, last: str) -> None:
    """Queue tasks that write their number, and run as long as `last`, in which {number} is theirs."""
    with server.client() as client:
        client.set_group("g", slots=slots)
        for number in range(count):
            command = f"echo {number} >> {log}; {last.format(number=number)}"
            client.create(command, name=f"run-{number}", group="g")


def begun(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


def has_begun(log: Path, count: int) -> bool:
    return len(begun(log)) >= count


def ended(server: LiveServer) -> list[str]:
    """Return the states that the exit records of all tasks come to."""
    records = (server.home / "data" / "ptytasks" / "tasks").glob("*/exit.json")
    return [str(json.loads(record.read_text()).get("code")) for record in records]


def is_over(server: LiveServer, count: int) -> bool:
    """Return whether so many tasks have ended, and no ptyhost holds the lock of a task any more."""
    tasks = server.home / "data" / "ptytasks" / "tasks"
    locks = Locks(str(tasks))
    return len(ended(server)) == count and not any(locks.is_held(f"{path.name}/lock") for path in tasks.iterdir())


def has_no_task(scheduler: psutil.Process) -> bool:
    """Return whether a scheduler holds the lock of no task: it starts none at this moment."""
    return not any(file.path.endswith("/lock") for file in scheduler.open_files())


def is_running(client: Client, ref: str) -> bool:
    return client.get(ref)["state"] == "running"


def test_a_scheduler_sleeps_while_nothing_changes(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    with server.client() as client:
        client.set_group("one", slots=1)
        client.create("exec sleep 1000", name="runs", group="one")
        client.create("true", name="next", group="one")
        until(lambda: is_running(client, "runs"), "the first task")
        running = until(lambda: scheduler(server), "the scheduler")
        woken = [(running.num_ctx_switches().voluntary, time.monotonic())]

        def is_asleep() -> bool:
            count, now = running.num_ctx_switches().voluntary, time.monotonic()
            if count != woken[-1][0]:
                woken.append((count, now))
            return now - woken[-1][1] > 4.0

        until(is_asleep, "four seconds of sleep")
        # A ptyhost that is killed tells nobody that it has ended.
        os.kill(psutil.Process(client.get("runs")["pid"]).ppid(), signal.SIGKILL)
        assert client.wait("next", 30)["state"] == "succeeded"


def test_a_task_that_fails_after_the_scheduler_has_left_is_run_again(
    start_server: Callable[..., LiveServer], tmp_path: Path
) -> None:
    server = start_server()
    gate = tmp_path / "gate"
    line = f"echo >> {tmp_path}/runs; until [ -e {gate} ]; do sleep 0.02; done; exit 1"
    with server.client() as client:
        task = client.create(line, retry={"max": 1, "delay": 0})
        until(lambda: client.get(task["id"])["state"] == "running", "the first attempt")
        until(lambda: scheduler(server) is None, "the scheduler to leave")
        server.kill9()
        gate.touch()
        until(lambda: (tmp_path / "runs").read_text() == "\n\n", "the second attempt")
        server.start()
        ended = client.wait(task["id"], 30)
    assert (ended["state"], ended["attempt"]) == ("failed", 2)


def test_a_task_that_is_lost_after_the_scheduler_has_left_is_run_again(start_server: Callable[..., LiveServer]) -> None:
    """Its ptyhost, which wakes a scheduler at its end, is killed."""
    server = start_server()
    with server.client() as client:
        line = "[ $PTYTASK_ATTEMPT = 2 ] || exec sleep 1000"
        task = client.create(line, retry={"max": 1, "delay": 0.1})
        until(partial(is_running, client, task["id"]), "the first attempt")
        until(lambda: scheduler(server) is None, "the scheduler to leave")
        record = server.home / "data" / "ptytasks" / "tasks" / task["id"] / "host.json"
        psutil.Process(json.loads(record.read_text())["host_pid"]).kill()
        until(lambda: client.get(task["id"])["attempt"] == 2, "another attempt", 30)
        assert client.wait(task["id"], 30)["state"] == "succeeded"


def kill_scheduler(server: LiveServer) -> None:
    running = scheduler(server)
    if running is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            running.kill()


def assert_all_ran_once(server: LiveServer, log: Path, count: int) -> None:
    until(lambda: len(ended(server)) == count, "all ends")
    assert sorted(map(int, begun(log))) == list(range(count))
    assert ended(server) == ["0"] * count
    gone = scheduler(server)
    if gone is not None:
        gone.wait(30)  # nothing waits any more: it leaves


@pytest.mark.parametrize("victim", ["server", "scheduler"])
def test_all_run_once_if_a_process_is_killed(
    start_server: Callable[..., LiveServer], tmp_path: Path, victim: str
) -> None:
    server = start_server()
    log = tmp_path / "log"
    submit_many(server, log, 12, 2, "sleep 0.2")
    until(lambda: scheduler(server), "the scheduler")
    if victim == "server":
        os.kill(server.pid, signal.SIGKILL)
    for _ in range(3 if victim == "scheduler" else 0):
        kill_scheduler(server)
        until(partial(has_begun, log, min(len(begun(log)) + 1, 12)), "another start")
    assert_all_ran_once(server, log, 12)


def test_all_run_once_if_server_and_scheduler_are_killed(
    start_server: Callable[..., LiveServer], tmp_path: Path
) -> None:
    """Whoever is left goes on: each ptyhost at its end."""
    server = start_server()
    log = tmp_path / "log"
    submit_many(server, log, 8, 2, "sleep 0.1")
    until(partial(has_begun, log, 1), "the first")
    os.kill(server.pid, signal.SIGKILL)
    while len(begun(log)) < 8:
        kill_scheduler(server)
        until(partial(has_begun, log, min(len(begun(log)) + 1, 8)), "another start")
    assert_all_ran_once(server, log, 8)


def test_the_last_ptyhost_stays_until_the_scheduler_has_looked(
    start_server: Callable[..., LiveServer], tmp_path: Path
) -> None:
    """If the server was killed, and the scheduler is killed when no task runs, nobody else can start another."""
    server = start_server()
    log = tmp_path / "log"
    submit_many(server, log, 3, 1, f"until [ -e {tmp_path}/{{number}} ]; do sleep 0.02; done")
    until(partial(has_begun, log, 1), "the first")
    os.kill(server.pid, signal.SIGKILL)
    for count in (1, 2):
        busy = until(partial(scheduler, server), "a scheduler")
        until(partial(has_no_task, busy), "the start to be done")
        busy.suspend()
        (tmp_path / begun(log)[-1]).touch()
        until(partial(is_over, server, count), "its end")
        busy.kill()
        until(partial(has_begun, log, count + 1), "the next")
    (tmp_path / begun(log)[-1]).touch()
    assert_all_ran_once(server, log, 3)


def test_a_scheduler_whose_directory_is_removed_leaves(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    with server.client() as client:
        client.create("true", hold=True)
        client.create("true", not_before="2100-01-01T00:00:00Z")
    running = until(lambda: scheduler(server), "the scheduler")
    server.kill9()
    (server.home / "data").rename(server.home / "elsewhere")
    running.wait(30)


def test_a_restart_of_the_machine(start_server: Callable[..., LiveServer]) -> None:
    """What was queued stays queued, and a group with lost tasks is paused until a user resumes it, unless its tasks
    may be run again.
    """
    server = start_server()
    with server.client() as client:
        for group in ("lost", "again"):
            client.set_group(group, slots=1)
            client.create("sleep 1000", name=f"{group}-1", group=group, retry={"max": 3} if group == "again" else None)
            until(partial(is_running, client, f"{group}-1"), "a start")
            client.create("sleep 1000", name=f"{group}-2", group=group)
    os.kill(server.pid, signal.SIGKILL)
    running = scheduler(server)
    if running is not None:
        running.kill()
    for path in (server.home / "data" / "ptytasks" / "tasks").glob("*/host.json"):
        record = json.loads(path.read_text())
        host = psutil.Process(record["host_pid"])
        for process in [host, *host.children(recursive=True)]:
            process.kill()
        path.write_text(json.dumps({**record, "boot_id": "00000000-0000-0000-0000-000000000000"}))
    with start_server().client() as client:
        until(lambda: client.get("lost-1")["state"] == "lost", "the loss to be noted")
        assert client.get("lost-1")["state_reason"] == "reboot"
        until(lambda: client.group("lost")["paused"], "the group to be paused")
        assert client.group("lost")["reason"] == "the machine was restarted while a task ran"
        assert client.get("lost-2")["state"] == "queued"
        until(lambda: client.get("again-1")["attempt"] == 2, "another attempt")
        assert not client.group("again")["paused"]
        client.resume_group("lost")
        until(lambda: is_running(client, "lost-2"), "the next one")


# -- moved by people --------------------------------------------------------------------------------------------------


async def names_in_order(rest: Rest) -> list[str]:
    tasks = [task for task in (await rest("GET", "tasks")).json["tasks"] if task["state"] in ("held", "queued")]
    return [task["name"] for task in sorted(tasks, key=lambda task: (-task["priority"], task["rank"]))]


async def test_pending_tasks_are_moved(rest: Rest) -> None:
    await put_group(rest, "g", slots=0)
    for name in ("a", "b", "c"):
        await rest.create("true", name=name, group="g")
    await rest.create("true", name="urgent", group="g", priority=3)
    assert await names_in_order(rest) == ["urgent", "a", "b", "c"]
    moves: list[tuple[str, dict[str, str], list[str]]] = [
        ("c", {"before": "b"}, ["urgent", "a", "c", "b"]),
        ("a", {"after": "b"}, ["urgent", "c", "b", "a"]),
        ("a", {"before": "urgent"}, ["a", "urgent", "c", "b"]),
        ("c", {"to": "first"}, ["c", "a", "urgent", "b"]),
        ("c", {"to": "last"}, ["a", "urgent", "b", "c"]),
        ("c", {"after": "c"}, ["a", "urgent", "b", "c"]),
    ]
    for name, where, order in moves:
        answer = await rest("POST", "tasks", name, "move", body=where)
        assert answer.code == 200, answer.body
        assert await names_in_order(rest) == order
    assert (await rest.get("a"))["priority"] == 3
    again = (await rest("POST", "tasks", "a", "again", body={"name": "new"})).json
    assert (again["priority"], again["rank"]) == (3, again["id"])
    await rest("PATCH", "tasks", "new", body={"priority": 0})
    assert (await names_in_order(rest))[-1] == "new"


async def test_pending_tasks_are_moved_to_another_group(rest: Rest, served: Any) -> None:
    for name in ("g", "h"):
        await put_group(rest, name, slots=0)
    for name, group in (("a", "g"), ("b", "g"), ("x", "h"), ("y", "h")):
        await rest.create("true", name=name, group=group, priority=2 if group == "h" else 0)
    moves: list[tuple[str, dict[str, str], list[str]]] = [
        ("a", {"group": "h", "before": "y"}, ["x", "a", "y", "b"]),
        ("b", {"group": "h"}, ["x", "a", "y", "b"]),
        ("b", {"group": "h", "to": "first"}, ["b", "x", "a", "y"]),
    ]
    for name, where, order in moves:
        moved = (await rest("POST", "tasks", name, "move", body=where)).json
        assert (moved["group"], moved["priority"]) == ("h", 2)
        assert await names_in_order(rest) == order
        spec = json.loads((served.data_dir / "ptytasks" / "tasks" / moved["id"] / "spec.json").read_text())
        assert (spec["group"], spec["queue"]["priority"]) == ("h", 2)
    answer = await rest("POST", "tasks", "a", "move", body={"group": "g", "before": "x"})
    assert (answer.code, answer.json["field"]) == (400, "before")
    # Where nothing keeps it, it starts.
    await rest("POST", "tasks", "x", "move", body={"group": "free"})
    assert (await rest.wait("x"))["state"] == "succeeded"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"group": "h", "before": "b", "to": "last"}, 400, "to"),
        ({"group": " "}, 400, "group"),
        ({}, 400, "to"),
        ({"before": "b", "to": "last"}, 400, "to"),
        ({"before": "nobody"}, 400, "before"),
        ({"after": "elsewhere"}, 400, "after"),
        ({"to": "middle"}, 400, "to"),
    ],
)
async def test_moves_that_cannot_be(rest: Rest, body: Any, code: int, field: str) -> None:
    await put_group(rest, "g", slots=0)
    await rest.create("true", name="a", group="g")
    await rest.create("true", name="b", group="g")
    await rest.create("true", name="elsewhere", hold=True)
    answer = await rest("POST", "tasks", "a", "move", body=body)
    assert (answer.code, answer.json["field"]) == (code, field)


async def test_what_runs_is_not_moved(rest: Rest) -> None:
    await rest.create("sleep 100", name="a")
    answer = await rest("POST", "tasks", "a", "move", body={"to": "first"})
    assert (answer.code, answer.json["field"]) == (409, "state")


async def test_a_restart_waits_for_a_slot(rest: Rest, tmp_path: Path) -> None:
    await put_group(rest, "g", slots=1)
    for name in ("a", "b"):
        await rest.create("echo $KEPT; exit 1", name=name, group="g", env={"KEPT": "kept"})
    for name in ("a", "b"):
        await rest.wait(name)
    await rest.create(WATCHED.format(tmp_path / "c"), name="c", group="g")
    await rest.until("c", lambda task: task["state"] == "running")
    for name in ("a", "b"):
        again = (await rest("POST", "tasks", name, "restart")).json
        assert (again["state"], again["attempt"]) == ("queued", 2)
    assert [(await rest.get(name))["queue"]["position"] for name in ("a", "b")] == [1, 2]
    (tmp_path / "c.go").touch()
    for name in ("a", "b"):
        task = await rest.until(name, lambda task: task["state"] == "failed")
        assert task["attempt"] == 2
        assert "kept" in (await rest("GET", "tasks", name, "output")).json["output"]


def test_a_full_disk_while_queueing(start_server: Callable[..., LiveServer], small_disk: Path, tmp_path: Path) -> None:
    """A task is queued as a whole, or refused as a whole; what is queued runs when there is room again."""
    live = start_server(f"--PtyTasksApp.data_dir={small_disk}/ptytasks")
    filler, log = small_disk / "filler", tmp_path / "log"
    queued, refused = [], []
    with live.client() as client:
        client.set_group("g", slots=2, paused=True)
        for pages in range(12):
            with filler.open("wb", buffering=0) as file:
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(4096))
                file.truncate(file.tell() - pages * 4096)
            try:
                queued.append(client.create(f"echo {pages} >> {log}", name=f"task-{pages}", group="g")["id"])
            except RequestFailed as refusal:
                refused.append((refusal.code, refusal.http_status))
            filler.unlink()
            assert [task["id"] for task in client.list()["tasks"]] == queued[::-1]
            assert {path.name for path in (small_disk / "ptytasks" / "tasks").iterdir()} == set(queued)
        assert set(refused) == {("storage_full", 507)}
        assert queued
        client.resume_group("g")
        for task_id in queued:
            assert client.wait(task_id)["state"] == "succeeded"
    assert len(begun(log)) == len(queued)
