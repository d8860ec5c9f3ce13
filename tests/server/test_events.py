"""The events of tasks: one for each visible change, in order and valid against its schema."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.server.events import GROUP_STATE, SCHEMA_FILES, TASK_STATE
from jupyter_ptytasks.storage.groups import Groups
from jupyter_ptytasks.storage.locks import Locks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import Rest

SCHEMA = yaml.safe_load(Path(SCHEMA_FILES[0]).read_text(encoding="utf-8"))
GROUP_SCHEMA = yaml.safe_load(Path(SCHEMA_FILES[2]).read_text(encoding="utf-8"))


class Heard:
    """The events so far, as a listener within the server hears them."""

    def __init__(self, schema_id: str) -> None:
        self._schema_id = schema_id
        self._events: list[dict[str, Any]] = []

    async def hear(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        assert schema_id == self._schema_id
        self._events.append(data)

    async def until(self, condition: Callable[[dict[str, Any]], Any]) -> list[dict[str, Any]]:
        """Wait for an event that fulfils a condition, and give and forget those up to it."""
        deadline = time.monotonic() + 60
        while not any(condition(event) for event in self._events):
            assert time.monotonic() < deadline, self._events
            await asyncio.sleep(0.005)
        last = next(number for number, event in enumerate(self._events) if condition(event))
        found = self._events[: last + 1]
        del self._events[: last + 1]
        return found


@pytest.fixture
def heard(rest: Rest, jp_serverapp: Any) -> Heard:
    """What is emitted from now on."""
    heard = Heard(TASK_STATE)
    jp_serverapp.event_logger.add_listener(schema_id=TASK_STATE, listener=heard.hear)
    return heard


@pytest.fixture
def heard_of_groups(rest: Rest, jp_serverapp: Any) -> Heard:
    """What is emitted about groups from now on."""
    heard = Heard(GROUP_STATE)
    jp_serverapp.event_logger.add_listener(schema_id=GROUP_STATE, listener=heard.hear)
    return heard


def story(events: list[dict[str, Any]]) -> list[tuple[str, str | None, str]]:
    """Return action, old state and new state of each event."""
    return [(event["action"], event["previous_state"], event["state"]) for event in events]


def check(events: list[dict[str, Any]]) -> None:
    """Check that every event matches its schema, and has no other fields."""
    closed = {**SCHEMA, "additionalProperties": False}
    for event in events:
        jsonschema.validate(event, closed)
        assert (event["exit"] is None) == State(event["state"]).live
        assert (event["ended"] is None) == State(event["state"]).live


async def test_from_create_to_delete(rest: Rest, heard: Heard) -> None:
    task = await rest.create("exit 3", name="three", tags=["a"], group="g")
    await rest.wait("three")
    await rest("DELETE", "tasks", "three")
    events = await heard.until(lambda event: event["action"] == "deleted")
    assert story(events) == [
        ("created", None, "starting"),
        ("changed", "starting", "running"),
        ("changed", "running", "failed"),
        ("deleted", "failed", "failed"),
    ]
    check(events)
    assert {event["id"] for event in events} == {task["id"]}
    end = events[2]
    assert (end["name"], end["tags"], end["group"], end["attempt"]) == ("three", ["a"], "g", 1)
    assert (end["state_reason"], end["exit"]) == ("nonzero_exit", {"code": 3, "signal": None})
    assert end["created"] <= end["started"] <= end["ended"]


async def test_pause_and_resume(rest: Rest, heard: Heard) -> None:
    """Each event is sent exactly once, even in quick succession."""
    await rest.create("sleep 1000", name="nap")
    for _ in range(3):
        await rest("POST", "tasks", "nap", "pause")
        await rest("POST", "tasks", "nap", "resume")
    await rest("POST", "tasks", "nap", "stop")
    events = await heard.until(lambda event: event["state"] == "cancelled")
    assert story(events) == [
        ("created", None, "starting"),
        ("changed", "starting", "running"),
        *[("changed", "running", "paused"), ("changed", "paused", "running")] * 3,
        ("changed", "running", "stopping"),
        ("changed", "stopping", "cancelled"),
    ]
    check(events)


async def test_rename_stop_restart(rest: Rest, heard: Heard) -> None:
    await rest.create("sleep 1000", name="nap")
    await rest("PATCH", "tasks", "nap", body={"name": "new"})
    await rest("POST", "tasks", "new", "stop", body={"signals": ["KILL"]})
    await rest.wait("new")
    await rest("POST", "tasks", "new", "restart")
    events = await heard.until(lambda event: event["attempt"] == 2 and event["state"] == "running")
    assert story(events) == [
        ("created", None, "starting"),
        ("changed", "starting", "running"),
        ("changed", "running", "running"),
        ("changed", "running", "stopping"),
        ("changed", "stopping", "cancelled"),
        ("changed", "cancelled", "starting"),
        ("changed", "starting", "running"),
    ]
    check(events)
    assert [event["name"] for event in events[1:3]] == ["nap", "new"]
    assert events[4]["exit"] == {"code": None, "signal": "SIGKILL"}


async def test_what_cannot_be_started_leaves_no_live_task_behind(rest: Rest, heard: Heard) -> None:
    assert (await rest("POST", "tasks", body={"command": ["no-such-command"]})).code == 400
    events = await heard.until(lambda event: event["action"] == "deleted")
    assert story(events) == [
        ("created", None, "starting"),
        ("changed", "starting", "failed"),
        ("deleted", "failed", "failed"),
    ]
    check(events)


async def test_a_machine_that_cannot_be_reached_is_an_event(rest: Rest, heard: Heard) -> None:
    """The database does not record it, and there is nothing else that tells clients."""
    task = await rest.create("exec sleep 1000", name="far")
    await heard.until(lambda event: event["state"] == "running")
    record = Path(task["output"]["directory"]).parent / "host.json"
    host = json.loads(record.read_text(encoding="utf-8"))
    away = {"hostname": "login2", "boot_id": "00000000-0000-0000-0000-000000000000"}
    record.write_text(json.dumps({**host, **away}), encoding="utf-8")
    os.kill(host["host_pid"], signal.SIGKILL)
    events = await heard.until(lambda event: event["state_message"])
    assert story(events) == [("changed", "running", "running")]
    assert events[0]["state_message"] == "runs on login2"
    check(events)
    # It can be judged again.
    record.write_text(json.dumps(host), encoding="utf-8")
    events = await heard.until(lambda event: event["state"] == "lost")
    assert events[0]["state_message"] in ("", events[-1]["state_message"])
    assert len(events) <= 2


async def test_output_is_not_an_event(rest: Rest, heard: Heard) -> None:
    await rest.create("seq 10000; sleep 1000", name="seq")
    await heard.until(lambda event: event["state"] == "running")
    await rest.until("seq", lambda task: task["output"]["lines"] >= 10_000)
    await rest("PATCH", "tasks", "seq", body={"name": "new"})
    assert [event["name"] for event in await heard.until(lambda event: event["name"] == "new")] == ["new"]


async def test_a_move_is_an_event(rest: Rest, heard: Heard) -> None:
    await rest.create("true", name="a", hold=True)
    await rest.create("true", name="b", hold=True)
    await rest("POST", "tasks", "b", "move", body={"before": "a"})
    events = await heard.until(lambda event: event["action"] == "changed")
    assert story(events) == [("created", None, "held"), ("created", None, "held"), ("changed", "held", "held")]
    check(events)


async def test_groups_of_this_server_and_of_others(rest: Rest, heard_of_groups: Heard, jp_serverapp: Any) -> None:
    (app,) = jp_serverapp.extension_manager.extension_apps["jupyter_ptytasks"]
    await rest("PUT", "groups", "gpu", body={"slots": 4})
    await rest("POST", "groups", "gpu", "pause", body={"reason": "update"})
    await rest("PUT", "groups", "gpu", body={"slots": 4})  # changes nothing
    # As another server does.
    Groups(app.data_dir, Locks(app.data_dir, [app.runtime_dir])).change("gpu", slots=None)
    await heard_of_groups.until(lambda event: event["slots"] is None and event["paused"])
    await rest("DELETE", "groups", "gpu")
    (event,) = await heard_of_groups.until(lambda event: event["action"] == "deleted")
    assert event == {"action": "deleted", "name": "gpu", "slots": None, "paused": True, "reason": "update"}
    jsonschema.validate(event, {**GROUP_SCHEMA, "additionalProperties": False})


def test_the_schema_names_every_state() -> None:
    assert SCHEMA["properties"]["state"]["enum"] == [state.value for state in State]
    assert SCHEMA["version"] == "1"
    assert set(SCHEMA["required"]) <= set(SCHEMA["properties"])
    assert all(about.get("description") for about in SCHEMA["properties"].values())
