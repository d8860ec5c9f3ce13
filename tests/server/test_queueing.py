"""The queue: groups and their slots, what tasks wait for, and how users move them."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.client.errors import RequestFailed
from jupyter_ptytasks.server import queueing
from tests.scheduler.outside import begun

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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


async def test_running_tasks_are_not_moved(rest: Rest) -> None:
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
    """A task is queued completely or refused; queued tasks run when there is space again."""
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
