"""Interacting with a task over REST: what it waits for, waiting without polling, and answers."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from jupyter_ptytasks.server.events import SCHEMA_FILES, TASK_WAITING

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tests.server.conftest import Answer, Rest

SCHEMA = yaml.safe_load(Path(SCHEMA_FILES[3]).read_text(encoding="utf-8"))
ASKS = 'printf "Proceed? [y/N] "; read answer; echo "said $answer"; exit 3'


async def wait(rest: Rest, ref: str, **query: Any) -> dict[str, Any]:
    answer = await rest("GET", "tasks", ref, "wait", **query)
    assert answer.code == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def type_(rest: Rest, ref: str, **body: Any) -> Awaitable[Answer]:
    return rest("POST", "tasks", ref, "input", body=body)


async def test_a_question_an_answer_and_the_end_are_three_calls(rest: Rest) -> None:
    await rest.create(ASKS, name="ask")
    found = await wait(rest, "ask", until="waiting,exit", since=0)
    assert found["reason"] == "waiting"
    asked = found["task"]["waiting"]
    assert (asked["kind"], asked["prompt"], asked["sure"]) == ("line", "Proceed? [y/N] ", True)
    assert found["output"]["output"] == "Proceed? [y/N] "
    answer = await type_(rest, "ask", data="y", only_if="waiting")
    assert (answer.code, answer.json) == (200, {"typed": 2, "waiting": None})
    found = await wait(rest, "ask", since=1)
    assert (found["reason"], found["task"]["exit"]["code"]) == ("exit", 3)
    assert found["task"]["waiting"] is None
    assert found["output"]["output"] == "said y\n"
    assert found["output"]["ended"]


async def test_an_answered_question_is_not_found_again(rest: Rest) -> None:
    await rest.create('read -p "one? " a; sleep 0.5; read -p "two? " b', name="two")
    await wait(rest, "two", until="waiting")
    await type_(rest, "two", data="1")
    found = await wait(rest, "two", until="waiting")
    assert found["task"]["waiting"]["prompt"] == "two? "


async def test_nothing_is_typed_into_a_program_that_does_not_wait(rest: Rest) -> None:
    await rest.create("echo ready; sleep 100", name="busy")
    await rest.until_output("busy", "ready")
    answer = await type_(rest, "busy", data="y", only_if="waiting")
    assert (answer.code, answer.json["code"]) == (409, "not_waiting")
    assert (await rest.output("busy"))["output"] == "ready\n"


async def test_a_password_is_not_shown_as_the_answer_to_another_question(rest: Rest) -> None:
    await rest.create("read -p 'Name? ' name; sleep 100", name="shown")
    await wait(rest, "shown", until="waiting")
    answer = await type_(rest, "shown", data="hunter2", secret=True, only_if="password")
    assert (answer.code, answer.json["code"]) == (409, "not_waiting")
    assert "is not asking for a password" in answer.json["message"]
    assert "hunter2" not in (await rest.output("shown"))["output"]


async def test_a_password_is_typed_only_as_such(rest: Rest) -> None:
    await rest.create([sys.executable, "-c", "import getpass; print(len(getpass.getpass()))"], name="secret")
    found = await wait(rest, "secret", until="waiting")
    assert found["task"]["waiting"]["kind"] == "password"
    answer = await type_(rest, "secret", data="hunter2", only_if="waiting")
    assert (answer.code, answer.json["code"]) == (409, "password_wanted")
    answer = await type_(rest, "secret", data="hunter2", only_if="password")
    assert answer.code == 200
    found = await wait(rest, "secret", since=0)
    assert found["output"]["output"] == "Password: \n7\n"


READS_KEYS = """
import os, sys, tty
tty.setraw(0)
os.write(1, sys.argv[1].encode() + b"ready")
print(ascii(os.read(0, 100)), end="\\r\\n")
"""


@pytest.mark.parametrize(("mode", "up"), [("", "\\x1b[A"), ("\x1b[?1h", "\\x1bOA")])
async def test_keys_are_those_that_the_program_has_asked_for(rest: Rest, mode: str, up: str) -> None:
    await rest.create([sys.executable, "-c", READS_KEYS, mode], name="keys")
    await rest.until_output("keys", "ready")
    assert (await type_(rest, "keys", keys=["Up", "C-c", "y"])).json["typed"] == 5
    assert f"b'{up}\\x03y'" in (await wait(rest, "keys", since=0))["output"]["output"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"keys": ["C-日"]}, "keys"),
        ({"keys": []}, "keys"),
        ({"keys": ["y"], "data": "y"}, "keys"),
        ({"only_if": "ready"}, "only_if"),
        ({"secret": 1}, "secret"),
    ],
)
async def test_invalid_input_names_its_field(rest: Rest, body: dict[str, Any], field: str) -> None:
    await rest.create("sleep 100", name="nap")
    answer = await type_(rest, "nap", **body)
    assert (answer.code, answer.json["field"]) == (400, field)


@pytest.mark.parametrize(
    ("command", "query", "line"),
    [
        # There before it is asked for, finished or not.
        ("echo one; echo port 8000; sleep 100", {"match": "port [0-9]+"}, {"number": 1, "text": "port 8000"}),
        ("echo one; printf 'port 8000'; sleep 100", {"match": "port [0-9]+"}, {"number": 1, "text": "port 8000"}),
        # It comes later.
        ("sleep 0.3; echo port 8000; sleep 100", {"match": "port"}, {"number": 0, "text": "port 8000"}),
        ("echo port 1; sleep 0.3; echo port; sleep 100", {"match": "port", "since": 1}, {"number": 1, "text": "port"}),
        # What was drawn over is not there.
        ("printf 'port\\r\\033[K\\n'; sleep 0.3; echo port; sleep 9", {"match": "port"}, {"number": 1, "text": "port"}),
        # Just before the end.
        ("sleep 0.3; printf 'port 8000'", {"match": "port"}, {"number": 0, "text": "port 8000"}),
    ],
)  # fmt: skip
async def test_a_line_that_matches(rest: Rest, command: str, query: dict[str, Any], line: dict[str, Any]) -> None:
    await rest.create(command, name="server")
    found = await wait(rest, "server", **query)
    assert (found["reason"], found["line"]) == ("match", line)


async def test_the_end_comes_without_a_match(rest: Rest) -> None:
    await rest.create("echo nothing", name="brief")
    found = await wait(rest, "brief", match="something")
    assert (found["reason"], found["line"]) == ("exit", None)


async def test_a_match_is_found_in_a_flood(rest: Rest) -> None:
    await rest.create("seq 200000; echo the needle; sleep 100", name="flood")
    found = await wait(rest, "flood", match="needle")
    assert found["line"] == {"number": 200000, "text": "the needle"}


async def test_the_match_comes_within_moments_of_its_line(rest: Rest) -> None:
    await rest.create("while read -r line; do printf 'now '; date +%s.%N; done", name="clock")
    delays = []
    for turn in range(10):
        waiting = asyncio.create_task(wait(rest, "clock", match="now [0-9.]+$", since=2 * turn))
        await asyncio.sleep(0)
        await type_(rest, "clock", data="tick")
        found = await waiting
        delays.append(time.time() - float(found["line"]["text"].split()[1]))
    # A tenth of the limit of the measurement would be said by a machine that does nothing else.
    assert sorted(delays)[0] < 0.1, delays


async def test_silence(rest: Rest) -> None:
    await rest.create("for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; sleep 100", name="slow")
    found = await wait(rest, "slow", until="quiet", quiet=0.5, since=0)
    assert found["reason"] == "quiet"
    assert found["output"]["output"] == "1\n2\n3\n4\n5\n"


async def test_progress(rest: Rest) -> None:
    await rest.create("printf '\\033]9;4;1;20\\007'; sleep 1; printf '\\033]9;4;1;40\\007'; sleep 100", name="steps")
    first = await rest.until("steps", lambda task: task["progress"])
    found = await wait(rest, "steps", until="progress")
    assert found["reason"] == "progress"
    assert found["task"]["progress"]["fraction"] > first["progress"]["fraction"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"match": "("}, "match"),
        ({"until": "match"}, "match"),
        ({"until": "dawn"}, "until.0"),
        ({"quiet": 0}, "quiet"),
    ],
)
async def test_invalid_conditions_name_their_field(rest: Rest, query: dict[str, Any], field: str) -> None:
    await rest.create("sleep 100", name="nap")
    answer = await rest("GET", "tasks", "nap", "wait", **query)
    assert (answer.code, answer.json["field"]) == (400, field)


async def test_a_slow_pattern_delays_no_other_request(rest: Rest) -> None:
    await rest.create("head -c 3000 /dev/zero | tr '\\0' a; echo b; echo end; sleep 100", name="long")
    await rest.until_output("long", "end")
    astray = asyncio.create_task(rest("GET", "tasks", "long", "wait", match="(a+)+$"))
    worst = 0.0
    while not astray.done():
        began = time.monotonic()
        await rest.get("long")
        worst = max(worst, time.monotonic() - began)
        await asyncio.sleep(0.02)
    answer = await astray
    assert (answer.code, answer.json["field"]) == (400, "match")
    assert worst < 1.0


async def test_events_tell_when_it_waits_and_when_not(rest: Rest, jp_serverapp: Any) -> None:
    heard: list[dict[str, Any]] = []

    async def hear(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        heard.append(data)

    jp_serverapp.event_logger.add_listener(schema_id=TASK_WAITING, listener=hear)
    await rest.create(["bash", "-c", 'read -p "one? " a; read -sp "two? " b'], name="two")
    await wait(rest, "two", until="waiting")
    await type_(rest, "two", data="first")
    await wait(rest, "two", until="waiting")
    await type_(rest, "two", data="second", secret=True)
    await wait(rest, "two")
    deadline = time.monotonic() + 10
    while len(heard) < 4:
        assert time.monotonic() < deadline, heard
        await asyncio.sleep(0.01)
    for event in heard:
        jsonschema.validate(event, {**SCHEMA, "additionalProperties": False})
    told = [(event["waiting"] or {}).get("prompt") for event in heard]
    assert told == ["one? ", None, "two? ", None]
    assert "second" not in json.dumps(heard)


async def test_until_there_is_more_output(rest: Rest) -> None:
    await rest.create("printf one; read x; printf two; read y", name="grows")
    task = await rest.until("grows", lambda task: task["waiting"])
    end = task["output"]["end"]
    # What is there already counts only beyond the offset.
    assert (await wait(rest, "grows", until="output", offset=end - 1))["reason"] == "output"
    assert (await wait(rest, "grows", until="output", timeout=0.2))["reason"] == "timeout"
    waits = asyncio.ensure_future(wait(rest, "grows", until="output", offset=end))
    await rest("POST", "tasks", "grows", "input", body={"data": "x"})
    found = await waits
    assert found["reason"] == "output"
    assert found["task"]["output"]["end"] > end
    await rest("POST", "tasks", "grows", "input", body={"data": "y"})
    await rest.wait("grows")
    assert (await wait(rest, "grows", until="output", offset=10_000))["reason"] == "exit"
