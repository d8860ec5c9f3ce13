"""The routes of tasks: create, list, change, and the verbs, with real processes."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.errors import InternalError
from jupyter_ptytasks.core.queue.turn import Retry, Turn
from jupyter_ptytasks.server import talking
from jupyter_ptytasks.server.rest import talking_bodies
from jupyter_ptytasks.storage.locks import Locks
from tests.ptyhost.hosting import is_alive

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Rest
    from tests.server.serving import Served

NAMES = ["a/b\\c", "...", "ünïcode 日本語", "👩‍💻 train", "שלום עולם", "a b+c%20d?e#f&g", "x" * 128, "mwptqfk2h9s1"]


async def test_create_answers_201_with_the_task_running(rest: Rest) -> None:
    answer = await rest("POST", "tasks", body={"command": "sleep 100", "name": "nap", "tags": ["a", "b", "a"]})
    assert answer.code == 201
    task = answer.json
    assert answer.headers["Location"].endswith(f"/ptytasks/api/tasks/{task['id']}")
    assert re.fullmatch(r"[a-z0-9]{8,16}", task["id"])
    assert (task["state"], task["name"], task["kind"], task["attempt"]) == ("running", "nap", "command", 1)
    assert (task["tags"], task["group"], task["exit"], task["ended"]) == (["a", "b"], "default", None, None)
    assert is_alive(task["pid"])
    assert task["created"].endswith("Z")
    assert "env" not in task


async def test_a_task_ends_with_its_code(rest: Rest) -> None:
    await rest.create(["sh", "-c", "echo out; exit 4"], name="four")
    task = await rest.wait("four")
    assert (task["state"], task["state_reason"]) == ("failed", "nonzero_exit")
    assert task["state_message"] == "exited with code 4"
    assert task["exit"] == {"code": 4, "signal": None}
    assert task["output"]["lines"] == 1
    assert task["started"] <= task["ended"]
    assert task["alive"] is task["running_in_background"] is False


async def test_a_task_that_a_signal_ends(rest: Rest) -> None:
    await rest.create("kill -9 $$", name="shot")
    task = await rest.wait("shot")
    assert (task["state"], task["exit"]) == ("failed", {"code": None, "signal": "SIGKILL"})


async def test_no_command_is_an_interactive_shell(rest: Rest) -> None:
    first, second = await rest.create(), await rest.create()
    assert (first["kind"], first["name"], second["name"]) == ("shell", "shell-1", "shell-2")
    await rest("POST", "tasks", first["id"], "input", body={"data": "exit 5", "newline": True})
    assert (await rest.wait(first["id"]))["exit"]["code"] == 5


async def test_a_name_is_made_from_the_command(rest: Rest) -> None:
    task = await rest.create("echo  one\n  two three four five six seven eight nine ten")
    assert task["name"] == "echo one two three four five six seven …"
    assert (await rest.create("\u200b"))["name"] == "task"
    assert (await rest.create("."))["name"] == "task"


@pytest.mark.parametrize("name", NAMES)
async def test_names_are_free_text(rest: Rest, name: str) -> None:
    task = await rest.create("true", name=name)
    assert task["name"] == name
    assert (await rest.wait(name))["id"] == task["id"]
    assert (await rest("DELETE", "tasks", name)).code == 204
    assert (await rest("GET", "tasks", name)).code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"command": ""}, "command"),
        ({"command": []}, "command"),
        ({"command": ["a\0b"]}, "command"),
        ({"command": 5}, "command"),
        ({"command": ["no-such-command"]}, "command"),
        ({"command": "true", "cwd": "no/such/directory"}, "cwd"),
        ({"command": "true", "name": ""}, "name"),
        ({"command": "true", "name": "x" * 129}, "name"),
        ({"command": "true", "name": "bell\a"}, "name"),
        ({"command": "true", "name": "\u202egnp.exe"}, "name"),
        ({"command": "true", "name": ".."}, "name"),
        ({"command": "true", "name": "\u200b\u0301"}, "name"),
        ({"command": "true", "group": "\u3164"}, "group"),
        ({"command": [5]}, "command"),
        ({"command": "true", "env": {"A=B": "c"}}, "env"),
        ({"command": "true", "env": ["A"]}, "env"),
        ({"command": "true", "rows": 0}, "rows"),
        ({"command": "true", "cols": 1001}, "cols"),
        ({"command": "true", "rows": 2.5}, "rows"),
        ({"command": "true", "rows": "40"}, "rows"),
        ({"command": "true", "cols": True}, "cols"),
        ({"command": "true", "timeout": "5"}, "timeout"),
        ({"command": "true", "tags": "abc"}, "tags"),
        ({"command": "true", "timeout": 0}, "timeout"),
        ({"command": "true", "timeout": "soon"}, "timeout"),
        ({"command": "true", "stop_grace": -1}, "stop_grace"),
        ({"command": "true", "stop_signals": ["SIGNOTHING"]}, "stop_signals.0"),
        ({"command": "true", "timeout_warning": {"signal": "USR1"}}, "timeout_warning.before"),
        ({"command": "true", "timeout_warning": {"signal": "USR1", "before": 1}}, "timeout_warning"),
        ({"command": "true", "timeout": 5, "timeout_warning": {"signal": "USR1", "before": 5}}, "timeout_warning"),
        ({"command": "true", "tags": [""]}, "tags.0"),
        ({"command": "true", "if_exists": "maybe"}, "if_exists"),
        ({"command": "true", "metadata": {"x": "y" * 20000}}, "metadata"),
        ({"command": "true", "comand": "typo"}, "comand"),
        ({"command": "true", "string": "no branch of a type"}, "string"),
    ],
)
async def test_bad_input_names_its_field_and_leaves_nothing(
    rest: Rest, body: dict[str, Any], field: str, served: Served
) -> None:
    answer = await rest("POST", "tasks", body=body)
    assert answer.code == 400
    assert answer.json["field"] == field or answer.json["field"].startswith(f"{field}.")
    assert answer.json["message"]
    assert (await rest("GET", "tasks")).json["tasks"] == []
    assert list(served.data_dir.glob("ptytasks/tasks/*")) == []


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', "null", "\ufffd"])
async def test_a_body_that_is_not_an_object(rest: Rest, body: str) -> None:
    answer = await rest("POST", "tasks", body=body)
    if body == "":
        assert answer.code == 201  # an interactive shell
    else:
        assert (answer.code, answer.json["code"]) == (400, "bad_request")


async def test_cwd_and_env_reach_the_command_and_secrets_do_not(
    rest: Rest, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JUPYTER_TOKEN", "JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", "COLUMNS", "LINES"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("KEPT", "yes")
    (served.root_dir / "sub").mkdir()
    task = await rest.create("pwd; env", name="env", cwd="sub", env={"MINE": "a b", "TERM": "dumb"})
    await rest.wait("env")
    lines = (await rest.output("env"))["output"].splitlines()
    assert lines[0] == str(served.root_dir / "sub")
    env = dict(line.split("=", 1) for line in lines[1:] if "=" in line)
    assert (env["MINE"], env["TERM"], env["KEPT"]) == ("a b", "dumb", "yes")
    assert (env["PTYTASK_ID"], env["PTYTASK_NAME"]) == (task["id"], "env")
    assert env["JUPYTER_SERVER_ROOT"] == str(served.root_dir)
    assert env["JUPYTER_SERVER_URL"].startswith("http://")
    assert env["PTYTASK_PYTHON"] == sys.executable
    assert "secret" not in env.values()


async def test_list_is_newest_first_and_filtered(rest: Rest) -> None:
    for name, group in (("one", "a"), ("two", "a"), ("three", "b")):
        await rest.create("true", name=name, group=group, tags=[f"tag-{name}"])
        await rest.wait(name)
    await rest.create("sleep 100", name="four", group="b")

    async def names(**query: Any) -> list[str]:
        return [task["name"] for task in (await rest("GET", "tasks", **query)).json["tasks"]]

    assert await names() == ["four", "three", "two", "one"]
    assert await names(state="running") == ["four"]
    assert await names(state="running,succeeded", group="b") == ["four", "three"]
    assert await names(tag="tag-two") == ["two"]
    assert await names(name="one") == ["one"]
    assert await names(q="SLEEP") == ["four"]
    page = (await rest("GET", "tasks", limit=3)).json
    assert [task["name"] for task in page["tasks"]] == ["four", "three", "two"]
    assert await names(limit=3, cursor=page["next_cursor"]) == ["one"]
    for state in ("asleep", ",", ""):
        answer = await rest("GET", "tasks", state=state)
        assert (answer.code, answer.json["field"]) == (400, "state.0")


async def test_the_newest_of_a_name_is_meant(rest: Rest) -> None:
    old = await rest.create("true", name="same")
    await rest.wait(old["id"])
    new = await rest.create("true", name="same")
    assert (await rest.get("same"))["id"] == new["id"]
    assert (await rest.get(old["id"]))["id"] == old["id"]


async def test_if_exists(rest: Rest) -> None:
    first = await rest.create("sleep 100", name="train")
    answer = await rest("POST", "tasks", body={"command": "sleep 100", "name": "train", "if_exists": "return"})
    assert (answer.code, answer.json["id"]) == (200, first["id"])
    answer = await rest("POST", "tasks", body={"command": "sleep 100", "name": "train", "if_exists": "fail"})
    assert (answer.code, answer.json["code"]) == (409, "name_in_use")
    second = await rest.create("sleep 100", name="train", if_exists="new")
    assert second["id"] != first["id"]
    answer = await rest("POST", "tasks", body={"command": "x", "name": "train", "if_exists": "restart"})
    assert (answer.code, answer.json["id"]) == (200, second["id"])
    again = await rest.until("train", lambda task: task["attempt"] == 2 and task["state"] == "running")
    assert again["pid"] != second["pid"]
    assert len((await rest("GET", "tasks")).json["tasks"]) == 2


async def test_concurrent_creates_of_one_name_make_one_task(rest: Rest) -> None:
    bodies = [{"command": "sleep 100", "name": "only", "if_exists": "return"}] * 8
    answers = await asyncio.gather(*(rest("POST", "tasks", body=body) for body in bodies))
    assert sorted(answer.code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json["id"] for answer in answers}) == 1


async def test_stop_goes_through_stopping_to_cancelled(rest: Rest) -> None:
    await rest.create("trap '' INT; sleep 100", name="nap")
    answer = await rest("POST", "tasks", "nap", "stop", body={"grace": 0.2})
    assert (answer.code, answer.json["state"]) == (202, "stopping")
    task = await rest.wait("nap")
    assert (task["state"], task["state_reason"], task["exit"]["signal"]) == ("cancelled", "cancelled", "SIGTERM")
    answer = await rest("POST", "tasks", "nap", "stop")
    assert (answer.code, answer.json["code"]) == (409, "invalid_state")


async def test_stop_at_once(rest: Rest) -> None:
    await rest.create("trap '' INT TERM; sleep 100", name="stubborn", stop_grace=1000)
    await rest("POST", "tasks", "stubborn", "stop")
    await rest("POST", "tasks", "stubborn", "stop", body={"signals": ["KILL"]})
    assert (await rest.wait("stubborn"))["exit"]["signal"] == "SIGKILL"


async def test_pause_and_resume(rest: Rest) -> None:
    await rest.create("while :; do echo tick; sleep 0.02; done", name="clock")
    await rest.until_output("clock", "tick")
    answer = await rest("POST", "tasks", "clock", "pause")
    assert (answer.code, answer.json["state"]) == (202, "paused")
    answer = await rest("POST", "tasks", "clock", "pause")
    assert answer.code == 202
    answer = await rest("POST", "tasks", "clock", "resume")
    assert (answer.code, answer.json["state"]) == (202, "running")
    lines = (await rest.get("clock"))["output"]["lines"]
    await rest.until("clock", lambda task: task["output"]["lines"] > lines + 2)


async def test_restart_of_a_finished_and_of_a_live_task(rest: Rest) -> None:
    task = await rest.create("echo run; sleep 100", name="again")
    await rest.until_output("again", "run")
    answer = await rest("POST", "tasks", "again", "restart", body={"grace": 5})
    assert (answer.code, answer.json["state"], answer.json["state_reason"]) == (202, "stopping", "restarting")
    second = await rest.until("again", lambda found: found["attempt"] == 2 and found["state"] == "running")
    assert second["id"] == task["id"]
    assert second["exit"] is None
    await rest.until("again", lambda found: found["output"]["lines"] >= 4)
    await rest("POST", "tasks", "again", "stop", body={"signals": ["KILL"]})
    await rest.wait("again")
    answer = await rest("POST", "tasks", "again", "restart")
    assert (answer.code, answer.json["attempt"], answer.json["state"]) == (202, 3, "running")
    text = await rest.until_output("again", "attempt 3")
    assert "attempt 2" in text


async def test_wait_sees_through_a_restart(rest: Rest) -> None:
    await rest.create("[ -e n ] && exit 7; touch n; echo first; sleep 100", name="twice")
    await rest.until_output("twice", "first")
    await rest("POST", "tasks", "twice", "restart", body={"grace": 5})
    task = await rest.wait("twice")
    assert (task["attempt"], task["exit"]["code"]) == (2, 7)


async def test_wait_returns_the_task_when_the_time_is_up(rest: Rest) -> None:
    await rest.create("sleep 100", name="nap")
    answer = await rest("GET", "tasks", "nap", "wait", timeout=0.05)
    assert (answer.code, answer.json["reason"], answer.json["task"]["state"]) == (200, "timeout", "running")


async def test_signal(rest: Rest) -> None:
    await rest.create("trap 'echo got it; exit 9' USR1; echo ready; while :; do sleep 0.02; done", name="trap")
    await rest.until_output("trap", "ready")
    assert (await rest("POST", "tasks", "trap", "signal", body={"signal": "USR1", "target": "leader"})).code == 204
    assert (await rest.wait("trap"))["exit"]["code"] == 9
    answer = await rest("POST", "tasks", "trap", "signal", body={"signal": "NOTHING"})
    assert (answer.code, answer.json["field"]) == (400, "signal")


async def test_input_and_resize(rest: Rest) -> None:
    await rest.create('stty -echo; echo ready; while read line; do echo "<$line>"; stty size; done', name="cat")
    await rest.until_output("cat", "ready")
    assert (await rest("POST", "tasks", "cat", "resize", body={"rows": 30, "cols": 100})).code == 204
    answer = await rest("POST", "tasks", "cat", "input", body={"data": "日本", "newline": True})
    assert (answer.code, answer.json["typed"]) == (200, 7)
    assert "<日本>\n30 100\n" in await rest.until_output("cat", "100")
    task = await rest.until("cat", lambda task: task["rows"] == 30)
    assert task["cols"] == 100


@pytest.mark.parametrize(
    ("body", "typed"),
    [
        ({"data": "y"}, b"y\r"),
        ({"data": "日本 y"}, "日本 y\r".encode()),
        ({"data": ""}, b"\r"),
        ({}, b"\r"),
        ({"data": "y\n"}, b"y\n"),
        ({"data": "\x03"}, b"\x03"),
        ({"data": "a\tb"}, b"a\tb"),
        ({"data": "\x1b[A"}, b"\x1b[A"),
        ({"data": "\x9bA"}, b"\xc2\x9bA"),
        ({"data": "y", "newline": None}, b"y\r"),
        ({"data": "y", "newline": False}, b"y"),
        ({"data": "a\tb", "newline": True}, b"a\tb\r"),
        ({"data": "y\n", "newline": True}, b"y\n\r"),
    ],
)
def test_enter_follows_text_without_control_characters(body: dict[str, Any], typed: bytes) -> None:
    assert talking_bodies.Input.model_validate(body).typed() == typed


async def test_an_answer_is_an_answer(rest: Rest) -> None:
    await rest.create("stty -echo; echo ready; read -r answer; exit 7", name="ask")
    await rest.until_output("ask", "ready")
    assert (await rest("POST", "tasks", "ask", "input", body={"data": "y"})).code == 200
    assert (await rest.wait("ask"))["exit"]["code"] == 7


async def test_unread_input_is_refused_and_the_task_can_still_be_stopped(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talking, "_PATIENCE", 1.0)
    await rest.create(["python3", "-c", "import tty,time; tty.setraw(0); print('ready'); time.sleep(100)"], name="deaf")
    await rest.until_output("deaf", "ready")
    answer = await rest("POST", "tasks", "deaf", "input", body={"data": "x" * 2_000_000})
    assert (answer.code, answer.json["code"]) == (409, "input_refused")
    await rest("POST", "tasks", "deaf", "stop", body={"signals": ["TERM"], "grace": 30})
    assert (await rest.wait("deaf"))["exit"]["signal"] == "SIGTERM"


async def test_patch_changes_only_the_given_fields(rest: Rest) -> None:
    task = await rest.create("sleep 100", name="old", tags=["a"], metadata={"k": 1})
    answer = await rest("PATCH", "tasks", "old", body={"name": "new", "metadata": {"k": 2}})
    assert answer.code == 200
    assert (answer.json["name"], answer.json["tags"], answer.json["metadata"]) == ("new", ["a"], {"k": 2})
    assert (await rest.get("new"))["id"] == task["id"]
    assert (await rest("GET", "tasks", "old")).code == 404
    assert (await rest("PATCH", "tasks", "new", body={"state": "lost"})).json["field"] == "state"
    assert (await rest("PATCH", "tasks", "new", body={"name": " "})).json["field"] == "name"


async def test_delete_forgets_the_finished_alone(rest: Rest, served: Served) -> None:
    task = await rest.create("sleep 100", name="nap")
    answer = await rest("DELETE", "tasks", "nap")
    assert (answer.code, answer.json["code"]) == (409, "invalid_state")
    assert (await rest("DELETE", "tasks", "nap", stop=1)).code == 204
    assert (await rest("GET", "tasks", "nap")).code == 404
    assert not is_alive(task["pid"])
    assert list(served.data_dir.glob("ptytasks/tasks/*")) == []


async def test_a_whole_number_is_an_integer_however_it_is_written(rest: Rest) -> None:
    answer = await rest("POST", "tasks", body='{"command": "true", "rows": 30.0, "timeout": 5}')
    assert (answer.code, answer.json["rows"], answer.json["timeout"]) == (201, 30, 5.0)


@pytest.mark.parametrize(
    ("method", "parts"),
    [
        ("GET", ()),
        ("PATCH", ()),
        ("DELETE", ()),
        ("POST", ("stop",)),
        ("POST", ("pause",)),
        ("POST", ("resume",)),
        ("POST", ("restart",)),
        ("POST", ("input",)),
        ("GET", ("wait",)),
        ("GET", ("output",)),
        ("GET", ("output", "raw")),
    ],
)
async def test_no_such_task(rest: Rest, method: str, parts: tuple[str, ...]) -> None:
    answer = await rest(method, "tasks", "nobody", *parts)
    assert (answer.code, answer.json["code"]) == (404, "task_not_found")


async def test_no_such_place(rest: Rest) -> None:
    answer = await rest("GET", "places", "locale", "options")
    assert (answer.code, answer.json["code"]) == (404, "place_not_found")
    assert answer.json["message"] == "there is no place 'locale'; did you mean 'local'?"


async def test_status_counts(rest: Rest) -> None:
    await rest.create("true", name="one")
    await rest.wait("one")
    await rest.create("sleep 100")
    status = (await rest("GET", "status")).json
    assert (status["tasks"]["succeeded"], status["tasks"]["running"], status["tasks"]["lost"]) == (1, 1, 0)
    assert status["limits"]["max_live_tasks"] == 100
    assert status["provisioners"][0] == "local"  # others are found where they are
    assert status["version"]


async def test_again_is_another_task_of_the_same_kind(
    rest: Rest, jp_root_dir: Any, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (jp_root_dir / "sub").mkdir()
    about: dict[str, Any] = {
        "group": "g",
        "tags": ["a"],
        "metadata": {"k": [1]},
        "rows": 30,
        "cols": 90,
        "timeout": 3600,
        "cwd": "sub",
        "timeout_warning": {"signal": "SIGUSR1", "before": 1},
        "stop_signals": ["SIGTERM"],
        "stop_grace": 3,
    }
    first = await rest.create(
        ["sh", "-c", 'echo "$GIVEN, $PTYTASK_ID, $PTYTASK_NAME, $OF_THE_SERVER"; pwd'],
        name="one",
        env={"GIVEN": "g"},
        **about,
    )
    await rest.wait("one")
    monkeypatch.setenv("OF_THE_SERVER", "now")
    answer = await rest("POST", "tasks", first["id"], "again")
    second = answer.json
    assert answer.code == 201
    assert answer.headers["Location"].endswith(f"/ptytasks/api/tasks/{second['id']}")
    assert second["id"] != first["id"]
    same = ("name", "command", "kind", "cwd", "group", "tags", "metadata", "rows", "cols", "timeout", "attempt")
    assert {name: second[name] for name in same} == {name: first[name] for name in same}
    await rest.wait(second["id"])
    assert (await rest.output(second["id"]))["output"] == f"g, {second['id']}, one, now\n{jp_root_dir / 'sub'}\n"
    task_dirs = jp_serverapp.web_app.settings["ptytasks_launcher"]._task_dirs
    specs = [task_dirs.specs.read(task["id"]) for task in (first, second)]
    assert specs[0]["ladder"] == specs[1]["ladder"] == [["SIGTERM", 3.0]]
    assert specs[0]["timeout"] == specs[1]["timeout"]
    answer = await rest("POST", "tasks", "one", "again", body={"name": "two"})
    assert (answer.code, answer.json["name"]) == (201, "two")
    assert (await rest("POST", "tasks", "nobody", "again")).code == 404
    assert (await rest("POST", "tasks", "one", "again", body={"name": ".."})).json["field"] == "name"
    await rest.wait("two")
    (jp_root_dir / "sub").rmdir()
    answer = await rest("POST", "tasks", "one", "again")
    assert (answer.code, answer.json["field"]) == (400, "cwd")


async def test_again_may_be_different_in_everything(rest: Rest) -> None:
    await rest.create("echo quality 1; exit 3", name="one", retry={"max": 1, "delay": 3600}, metrics={"off": True})
    answer = await rest("POST", "tasks", "one", "again", body={
        "name": "two", "command": "echo loss is 7", "metrics": {"pattern": r"loss is (?P<loss>\S+)"}, "retry": None,
        "after": [{"ref": "one", "when": "any"}], "not_before": "2020-01-01T00:00:00Z", "place": "local",
        "resources": None,
    })  # fmt: skip
    assert (answer.code, answer.json["retry"], len(answer.json["after"])) == (201, None, 1)
    for body, field, message in (
        ({"naem": "x"}, "naem", "naem: there is no such field; did you mean 'name'?"),
        ({"changes": {}}, "changes", "changes: there is no such field"),
        ({"command": ""}, "command", "command: must not be empty"),
        ({"command": []}, "command", "command: must not be empty"),
        ({"group": ""}, "group", "group: must not be empty"),
        ({"retry": {"mx": 1}}, "retry.max", "retry.max: Field required"),
        ({"metrics": {"pattern": "("}}, "metrics.pattern", "metrics.pattern: not a regular expression"),
        ({"after": ["nobody"]}, "after", "nobody"),
        ({"place": "ssh:"}, "place", "place"),
    ):
        answer = await rest("POST", "tasks", "one", "again", body=body)
        assert (answer.code, answer.json["field"].removesuffix(".0")) == (400, field), answer.json
        assert message in answer.json["message"]
    answer = await rest("PATCH", "tasks", "one", body={"notes": "x"})
    assert answer.json["message"] == "notes: there is no such field; `PUT /tasks/{ref}/notes` changes them"
    answer = await rest.at("GET", "tasks/one/diff?with=nobody")
    assert (answer.code, answer.json["field"]) == (404, "with")


async def test_again_of_a_live_shell_is_a_shell(rest: Rest) -> None:
    first = await rest.create()
    second = (await rest("POST", "tasks", first["id"], "again")).json
    assert (second["kind"], second["state"], second["command"]) == ("shell", "running", first["command"])
    assert (await rest.get(first["id"]))["pid"] != second["pid"]


async def test_input_to_a_task_that_is_just_ending_is_taken_or_in_conflict(rest: Rest) -> None:
    """Each task ends at a different step of the request."""
    tasks = await asyncio.gather(*(rest.create(f"sleep 0.{number:03}") for number in range(0, 240, 6)))
    found = []
    while tasks:
        answers = await asyncio.gather(*(rest("POST", "tasks", task["id"], "input") for task in tasks))
        found += [(answer.code, answer.code != 200 and answer.json["code"]) for answer in answers]
        tasks = [task for task, answer in zip(tasks, answers, strict=True) if answer.code == 200]
    assert set(found) <= {(200, False), (409, "invalid_state")}


@pytest.mark.parametrize("verb", ["delete", "restart"])
async def test_a_task_that_ends_at_that_moment_is_not_an_error(rest: Rest, verb: str) -> None:
    """Each task ends at a different step of the request."""
    tasks = await asyncio.gather(*(rest.create(f"sleep 0.{number:03}") for number in range(0, 100, 4)))
    if verb == "delete":
        answers = await asyncio.gather(*(rest("DELETE", "tasks", task["id"], stop=1) for task in tasks))
        assert {answer.code for answer in answers} == {204}
        assert (await rest("GET", "tasks")).json["tasks"] == []
    else:
        answers = await asyncio.gather(*(rest("POST", "tasks", task["id"], "restart") for task in tasks))
        assert {answer.code for answer in answers} <= {202}, [answer.body for answer in answers]
        for task in tasks:
            assert (await rest.wait(task["id"]))["attempt"] == 2


@pytest.mark.parametrize("verb", ["delete", "stop"])
async def test_a_task_that_fails_at_that_moment_is_not_retried(rest: Rest, verb: str) -> None:
    """Each task fails, and is requeued, at a different step of the request."""
    command = "sleep 0.{:03}; exit 1"
    tasks = await asyncio.gather(
        *(rest.create(command.format(after), retry={"max": 1000, "delay": 0}) for after in range(0, 100, 4))
    )
    if verb == "delete":
        answers = await asyncio.gather(*(rest("DELETE", "tasks", task["id"], stop=1) for task in tasks))
        assert {answer.code for answer in answers} == {204}, [answer.body for answer in answers]
        assert (await rest("GET", "tasks")).json["tasks"] == []
    else:
        answers = await asyncio.gather(*(rest("POST", "tasks", task["id"], "stop") for task in tasks))
        assert {answer.code for answer in answers} == {202}, [answer.body for answer in answers]
        for task, answer in zip(tasks, answers, strict=True):
            ended = await rest.wait(task["id"])
            assert (ended["alive"], ended["runs_again"]) == (False, False)
            assert ended["attempt"] == answer.json["attempt"]


async def test_stopping_a_task_that_has_failed_forgoes_its_retry(
    rest: Rest, jp_serverapp: Any, jp_data_dir: Path
) -> None:
    """It has failed and is not requeued yet, since no scheduler can start here."""
    database = jp_serverapp.web_app.settings["ptytasks_store"]._database
    held = Locks(str(jp_data_dir / "ptytasks")).take("scheduler.lock")
    assert held is not None
    with held:
        for name in ("stopped", "deleted"):
            task = await rest.create("exit 1", name=name)
            await rest.wait(name)
            database.change(task["id"], turn=Turn(retry=Retry(limit=3)))
            await rest.until(name, lambda task: task["runs_again"])
        answer = await rest("DELETE", "tasks", "deleted")
        assert (answer.code, answer.json["message"]) == (409, "the task is to be retried; stop it first")
        assert (await rest("DELETE", "tasks", "deleted", stop=1)).code == 204
        answer = await rest("POST", "tasks", "stopped", "stop")
        assert (answer.code, answer.json["state"], answer.json["runs_again"]) == (202, "failed", False)
        assert (await rest("POST", "tasks", "stopped", "stop")).code == 409


async def test_an_end_that_is_not_yet_written_down_is_an_end(
    rest: Rest, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full or busy disk, the database may take a while to store it."""
    database = jp_serverapp.web_app.settings["ptytasks_store"]._database
    asked, free, observe = threading.Event(), threading.Event(), database.observe

    def slow(task_id: str, attempt: int, state: str, **about: Any) -> Any:
        if state == "succeeded" and not free.is_set():
            asked.set()
            raise InternalError("not now")
        return observe(task_id, attempt, state, **about)

    monkeypatch.setattr(database, "observe", slow)
    await rest.create("read line", name="task")
    assert (await rest("POST", "tasks", "task", "input", body={"newline": True})).code == 200
    assert await asyncio.to_thread(asked.wait, 60)
    assert (await rest("POST", "tasks", "task", "signal", body={"signal": "USR1"})).json["code"] == "invalid_state"
    deleting = asyncio.create_task(rest("DELETE", "tasks", "task", stop=1))
    await asyncio.sleep(0)
    free.set()
    assert (await deleting).code == 204
