"""Requests and responses are valid JSON, and errors have our format, on every route and for any request."""

from __future__ import annotations

import asyncio
import errno
import itertools
import json
import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.server.rest import page
from jupyter_ptytasks.server.rest.base import BODY_MAX
from tests.core.test_strict_json import nested, strictly

if TYPE_CHECKING:
    from jupyter_ptytasks.core.model import Task
    from tests.server.conftest import Answer, Rest
    from tests.server.serving import Served

#: What no body may hold, wherever it stands.
POISON = {
    "nan": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "too large for a double": "1e999",
    "too large for an exact integer": "9007199254740993",
    "digits": "1" * 5000,
    "a lone surrogate": r'"\ud800"',
    "a lone surrogate as a name": r'{"\udfff": 1}',
    "deep arrays": nested(900),
    "deep objects": nested(900, "{}"),
    "a name twice": '{"a": 1, "a": 2}',
}
#: Every route that takes a body, and a field of it in which the poison stands.
TAKING = [
    ("POST", "tasks", "metadata"),
    ("POST", "tasks", "command"),
    ("POST", "tasks", "timeout"),
    ("POST", "tasks", "env"),
    ("PATCH", "tasks/nap", "metadata"),
    ("PATCH", "tasks/nap", "tags"),
    ("POST", "tasks/nap/stop", "grace"),
    ("POST", "tasks/nap/restart", "signals"),
    ("POST", "tasks/nap/again", "name"),
    ("POST", "tasks/nap/pause", "unknown"),
    ("POST", "tasks/nap/resume", "unknown"),
    ("POST", "tasks/nap/signal", "signal"),
    ("POST", "tasks/nap/input", "data"),
    ("POST", "tasks/nap/resize", "rows"),
    ("POST", "terminals", "cwd"),
    ("POST", "terminals", "whatever"),
]
#: What is no JSON object at all.
GARBAGE = [
    b"{",
    b"[]",
    b"nul",
    b"\xff",
    b'{"a": "\xe9"}',
    b'["\xed\xa0\x80"]',
    b"\xff\xfe{\0}\0",
    b"[" * 100_000,
    b'{"a":' * 100_000,
]


def check_error(answer: Answer, status: int) -> dict[str, Any]:
    """Check that an answer is an error of ours, and return it."""
    assert answer.code == status, answer.body
    assert answer.headers["Content-Type"].startswith("application/json")
    error: dict[str, Any] = strictly(answer.body)
    assert {"code", "message"} <= set(error) <= {"code", "message", "field"}
    return error


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
async def test_values_that_some_clients_cannot_represent_are_refused(rest: Rest, poison: str, served: Served) -> None:
    nap = await rest.create("sleep 100", name="nap")
    for method, path, field in TAKING:
        for inner, outer in ((poison, field), (f'[0, {{"in": {poison}}}]', f"{field}.1.in")):
            answer = await rest(method, *path.split("/"), body=f'{{"{field}": {inner}}}')
            error = check_error(answer, 400)
            assert error["field"].startswith(outer), (path, error)
    assert (await rest.get("nap"))["state"] == "running"
    assert [task["id"] for task in (await rest("GET", "tasks")).json["tasks"]] == [nap["id"]]
    assert [path.name for path in served.data_dir.glob("ptytasks/tasks/*")] == [nap["id"]]


async def test_only_json_objects_are_accepted(rest: Rest) -> None:
    await rest.create("sleep 100", name="nap")
    for method, path in {(method, path) for method, path, _ in TAKING}:
        for body in GARBAGE:
            check_error(await rest(method, *path.split("/"), body=body), 400)
    answer = await rest("POST", "tasks", "nap", "signal", body=b" " * (BODY_MAX + 1))
    assert check_error(answer, 413)["code"] == "too_large"


async def test_paths_and_queries_that_are_not_utf8(rest: Rest) -> None:
    for path in ("tasks/%ff", "tasks/nap%ff/output", "tasks?name=%ff", "tasks/%00", "terminals/%fe", "%ff"):
        answer = await rest.at("GET", path)
        check_error(answer, 400 if "%f" in path and path != "%ff" else 404)


async def test_an_unknown_path_is_answered_in_json(rest: Rest) -> None:
    for path in ("", "nothing", "tasks/", "tasks/a/b", "tasks/a/output/raw/more", "status/"):
        for method in ("GET", "POST", "DELETE", "PUT", "PATCH"):
            assert check_error(await rest.at(method, path), 404)["code"] == "http_404"
        assert (await rest.at("HEAD", path)).code == 404


async def test_every_method_is_answered(rest: Rest) -> None:
    await rest.create("echo hello; sleep 100", name="nap")
    await rest.until_output("nap", "hello")
    routes = {
        "status": "GET",
        "tasks": "GET, POST, PATCH",
        "tasks/nap": "GET, PATCH, DELETE",
        "tasks/nap/stop": "POST",
        "tasks/nap/output": "GET",
        "tasks/nap/output/raw": "GET",
        "terminals": "GET, POST",
    }
    for path, methods in routes.items():
        allowed = {*methods.split(", "), "OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        for method in {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "PROPFIND"} - allowed:
            answer = await rest.at(method, path)
            assert answer.code == 405, (method, path)
            assert set(answer.headers["Allow"].split(", ")) == allowed
            if method != "HEAD":
                assert check_error(answer, 405)["code"] == "http_405"
        answer = await rest.at("OPTIONS", path)
        assert (answer.code, answer.body) == (204, b"")
        assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) == allowed
        if "HEAD" in allowed:
            head, get = await rest.at("HEAD", path), await rest.at("GET", path)
            assert (head.code, head.body) == (200, b"")
            assert head.headers["Content-Type"] == get.headers["Content-Type"]


# -- out ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def plant(jp_serverapp: Any) -> Any:
    """Put a task that differs from a real one into the server's memory, as if an older version had written it."""
    store = jp_serverapp.web_app.settings["ptytasks_store"]

    def plant(task: Task, **changes: Any) -> str:
        bad = task.with_(**changes, id=f"aaaa{len(store.tasks):04}")
        store.index.put(bad)
        return bad.id

    return plant


async def test_values_that_clients_cannot_represent_become_null(rest: Rest, plant: Any, jp_serverapp: Any) -> None:
    task = await rest.create("true", name="good")
    await rest.wait("good")
    good = jp_serverapp.web_app.settings["ptytasks_store"].get(task["id"])
    old = plant(good, metadata={"loss": math.nan, "runs": [math.inf, 1.5], "\ud800": "\udfff"})
    assert strictly((await rest("GET", "tasks", old)).body)["metadata"] == {
        "loss": None,
        "runs": [None, 1.5],
        "\ufffd": "\ufffd",
    }
    told = strictly((await rest("GET", "tasks")).body)
    assert ([task["id"] for task in told["tasks"]], told["omitted"]) == ([task["id"], old], 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"created": math.nan},
        {"created": 1e300},
        {"ended": "yesterday"},
        {"tags": 5},
        {"metadata": None},
        {"output": None},
        {"exit": 1},
        {"command": object()},
        {"progress": 7},
        {"timeout": set()},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_a_task_that_cannot_be_described_hides_no_other(
    rest: Rest, plant: Any, jp_serverapp: Any, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    tasks = [await rest.create("sleep 100", name=f"good {number}") for number in range(3)]
    good = jp_serverapp.web_app.settings["ptytasks_store"].get(tasks[0]["id"])
    bad = plant(good, **{"state": State.FAILED, **changes})
    for _ in range(3):
        told = strictly((await rest("GET", "tasks", q="good")).body)
        assert [task["name"] for task in told["tasks"]] == ["good 2", "good 1", "good 0"]
        assert (told["omitted"], told["next_cursor"]) == (1, None)
    assert [record for record in caplog.records if bad in record.message and record.exc_info][1:] == []
    pages = [strictly((await rest("GET", "tasks", limit=2)).body)]
    pages.append(strictly((await rest("GET", "tasks", limit=2, cursor=pages[0]["next_cursor"])).body))
    assert [len(page["tasks"]) for page in pages] == [2, 1]
    assert [page["omitted"] for page in pages] == [0, 1]
    assert len(strictly((await rest("GET", "terminals")).body)) == 3


async def test_a_long_list_leaves_the_loop_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(page, "monotonic", lambda: now)
    turns: list[float] = []
    good: Any = SimpleNamespace(id="any")

    def describe(_: Any) -> bytes:
        nonlocal now
        now += 0.001
        return b"{}"

    async def other() -> None:
        while True:
            turns.append(now)
            await asyncio.sleep(0)

    waiting = asyncio.create_task(other())
    found = await page.page_of([good] * 1000, describe, on_failure=lambda *_: None)
    waiting.cancel()
    assert len(found.told) == 1000
    assert max(after - before for before, after in itertools.pairwise(turns)) < 0.0055


async def test_no_more_than_a_thousand_at_a_time(rest: Rest) -> None:
    assert check_error(await rest("GET", "tasks", limit=1001), 400)["field"] == "limit"
    assert (await rest("GET", "tasks", limit=1000)).code == 200


# -- what is not the client's fault ------------------------------------------------------------------------------------

SCARCE = [OSError(number, "scarce") for number in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)]
SCARCE += [MemoryError(), RuntimeError("can't start new thread")]  # type: ignore[list-item]


@pytest.mark.parametrize("error", SCARCE, ids=repr)
async def test_a_machine_that_has_nothing_left_is_a_line_in_the_log(
    rest: Rest, error: Exception, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    await rest.create("sleep 100", name="nap")
    serializer = jp_serverapp.web_app.settings["ptytasks_serializer"]
    monkeypatch.setattr(serializer._task_dirs, "files", fail)
    for method, path in (("GET", "tasks/nap/output"), ("GET", "tasks/nap/output/raw"), ("POST", "tasks")):
        caplog.clear()
        answer = await rest.at(method, path, body=json.dumps({"command": "true"}))
        assert check_error(answer, 503)["code"] == "out_of_resources"
        ours = [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
        assert [record.exc_info for record in ours if record.exc_info] == []
        assert len([record for record in ours if "scarce" in record.message or "resources" in record.message]) == 1
    monkeypatch.undo()
    assert (await rest.get("nap"))["state"] == "running"
