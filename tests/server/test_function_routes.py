"""Functions over REST: calls as base64 in requests, outcomes as bytes in responses; the server never unpickles them."""

from __future__ import annotations

import base64
import stat
from typing import TYPE_CHECKING, Any

from jupyter_ptytasks.core.paths import CALL_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Rest

#: A program that knows where it finds the call, and where the result belongs.
ECHO = 'd=$(dirname "$PTYTASK_FUNCTION"); tr a-z A-Z < "$PTYTASK_FUNCTION" > "$d/result-$(cat attempt)"'


async def start(rest: Rest, call: bytes, command: str = ECHO, **about: Any) -> dict[str, Any]:
    return await rest.create(command, function=base64.b64encode(call).decode(), **about)


async def test_a_call_goes_to_the_command_and_its_result_comes_back(rest: Rest, jp_root_dir: Path) -> None:
    (jp_root_dir / "attempt").write_text("1")
    task = await start(rest, b"hello \0", name="echo")
    await rest.wait("echo")
    answer = await rest("GET", "tasks", "echo", "result")
    assert (answer.code, answer.body) == (200, b"HELLO \0")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    head = await rest("HEAD", "tasks", "echo", "result")
    assert (head.code, head.body, head.headers["Content-Length"]) == (200, b"", "7")
    assert b"function" not in (await rest("GET", "tasks", "echo")).body
    assert task.keys() == (await rest.get("echo")).keys()


async def test_the_result_is_that_of_the_attempt(rest: Rest, jp_root_dir: Path, jp_data_dir: Path) -> None:
    (jp_root_dir / "attempt").write_text("1")
    task = await start(rest, b"one")
    await rest.wait(task["id"])
    directory = jp_data_dir / "ptytasks" / "tasks" / task["id"]
    assert stat.S_IMODE((directory / "function").stat().st_mode) == 0o600
    await rest("POST", "tasks", task["id"], "restart")
    assert (await rest.wait(task["id"]))["attempt"] == 2
    # This program has written it as that of the first attempt.
    answer = await rest("GET", "tasks", task["id"], "result")
    assert (answer.code, answer.json["code"]) == (404, "no_result")
    (jp_root_dir / "attempt").write_text("1")
    twin = (await rest("POST", "tasks", task["id"], "again")).json
    await rest.wait(twin["id"])
    assert (await rest("GET", "tasks", twin["id"], "result")).body == b"ONE"


async def test_there_is_no_result_before_the_end_or_of_a_command(rest: Rest) -> None:
    task = await start(rest, b"x", "sleep 1000", name="naps")
    assert (await rest("GET", "tasks", "naps", "result")).json == {
        "code": "invalid_state", "message": "the function has not ended yet, or will be retried", "field": "state",
    }  # fmt: skip
    await rest("POST", "tasks", "naps", "stop", body={"signals": ["SIGKILL"]})
    await rest.wait("naps")
    assert (await rest("GET", "tasks", task["id"], "result")).json["code"] == "no_result"
    await rest.create("sleep 1000", name="command")
    answer = await rest("GET", "tasks", "command", "result")
    assert (answer.code, answer.json["code"]) == (404, "no_result")
    assert (await rest("GET", "tasks", "nobody", "result")).json["code"] == "task_not_found"


async def test_a_call_must_be_base64_of_a_bounded_size_and_have_a_command(rest: Rest) -> None:
    for about, status, field in [
        ({"command": "true", "function": "no base64!"}, 400, "function"),
        ({"command": "true", "function": 1}, 400, "function"),
        ({"function": "eA=="}, 400, "function"),
        ({"command": "true", "function": base64.b64encode(bytes(CALL_MAX + 1)).decode()}, 413, "function"),
        ({"command": "true", "function": "x" * (CALL_MAX * 2)}, 413, None),
        ({"command": "x" * (5 << 20), "function": "eA=="}, 413, None),
    ]:
        answer = await rest("POST", "tasks", body=about)
        assert (answer.code, answer.json.get("field")) == (status, field), answer.json
    assert (await rest("GET", "tasks")).json["tasks"] == []
    task = await start(rest, bytes(CALL_MAX), 'stat -c %s "$PTYTASK_FUNCTION"')
    await rest.wait(task["id"])
    assert (await rest.output(task["id"]))["output"] == f"{CALL_MAX}\n"


async def test_a_call_of_a_task_that_waits_is_kept_for_its_start(rest: Rest, jp_root_dir: Path) -> None:
    (jp_root_dir / "attempt").write_text("1")
    task = await start(rest, b"later", hold=True)
    await rest("POST", "tasks", task["id"], "start")
    await rest.wait(task["id"])
    assert (await rest("GET", "tasks", task["id"], "result")).body == b"LATER"
