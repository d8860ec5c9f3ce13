"""Disk usage of finished tasks is counted, compressed, and limited."""

from __future__ import annotations

import os
import shutil
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.platform.posix.endpoint import SocketAddress
from jupyter_ptytasks.server.listeners import Listeners

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.server.housekeeping import Housekeeping
    from jupyter_ptytasks.server.parts import Parts
    from tests.server.conftest import Rest

DAY = 86400.0


@pytest.fixture
def housekeeping(rest: Rest, jp_serverapp: Any) -> Housekeeping:
    found: Housekeeping = jp_serverapp.web_app.settings["ptytasks_housekeeping"]
    return found


@pytest.fixture
def tasks(rest: Rest, jp_data_dir: Path) -> Path:
    """The directory of all tasks."""
    return jp_data_dir / "ptytasks" / "tasks"


async def finish(rest: Rest, name: str, command: str = "echo hello") -> dict[str, Any]:
    """Return a task that has ended, and is counted."""
    await rest.create(command, name=name)
    task = await rest.wait(name)
    assert not task["alive"]
    return task


async def age(jp_serverapp: Any, task: dict[str, Any], seconds: float) -> None:
    """Make a task look as if it had ended long ago."""
    store = jp_serverapp.web_app.settings["ptytasks_store"]
    await store.change(task["id"], ended=time.time() - seconds)


async def names(rest: Rest) -> list[str]:
    return sorted(task["name"] for task in (await rest("GET", "tasks")).json["tasks"])


async def test_the_disk_usage_of_finished_tasks_is_reported(
    rest: Rest, tasks: Path, housekeeping: Housekeeping
) -> None:
    await rest.create("sleep 1000", name="nap")
    assert (await rest("GET", "status")).json["storage"]["used"] == 0
    task = await finish(rest, "large", "seq 100000")
    while not (used := (await rest("GET", "status")).json["storage"]["used"]):
        pass
    assert used >= 500_000
    await housekeeping._clean()
    # As du counts: with the directories.
    files = [tasks / task["id"], *(tasks / task["id"]).rglob("*")]
    assert (await rest("GET", "status")).json["storage"]["used"] == sum(path.stat().st_blocks * 512 for path in files)
    await rest("DELETE", "tasks", "large")
    assert (await rest("GET", "status")).json["storage"]["used"] == 0


async def test_the_limit_is_the_smaller_of_5_gib_and_a_tenth_of_the_disk(rest: Rest, jp_data_dir: Path) -> None:
    tenth = shutil.disk_usage(jp_data_dir).total // 10
    limit = (await rest("GET", "status")).json["storage"]["limit"]
    assert limit == pytest.approx(min(5 << 30, tenth), rel=0.01)


@pytest.mark.parametrize("server_options", [{"PtyTasksApp": {"keep_size": 300_000}}])
async def test_beyond_the_limit_the_oldest_is_removed(
    rest: Rest, jp_serverapp: Any, housekeeping: Housekeeping
) -> None:
    for number in range(3):
        await finish(rest, f"task {number}", "seq 30000")
    await finish(rest, "pinned", "seq 30000")
    assert (await rest("PATCH", "tasks", "pinned", body={"pinned": True})).json["pinned"]
    await age(jp_serverapp, await rest.get("pinned"), 20.0)
    for number in range(3):
        await age(jp_serverapp, await rest.get(f"task {number}"), 10.0 - number)
    assert await housekeeping._clean()
    assert await names(rest) == ["pinned", "task 1", "task 2"]
    while await housekeeping._prune() and len(await names(rest)) > 1:
        pass
    assert await names(rest) == ["pinned"]


@pytest.mark.parametrize("server_options", [{"PtyTasksApp": {"keep_count": 1}}])
async def test_a_task_that_cannot_be_deleted_keeps_no_other(
    rest: Rest, jp_serverapp: Any, housekeeping: Housekeeping, tasks: Path
) -> None:
    for number in range(3):
        await finish(rest, f"task {number}")
        await age(jp_serverapp, await rest.get(f"task {number}"), 10.0 - number)
    # A lock that cannot even be opened, and a directory that is gone.
    lock = tasks / (await rest.get("task 0"))["id"] / "lock"
    lock.unlink()
    lock.mkdir()
    shutil.rmtree(tasks / (await rest.get("task 1"))["id"])
    for _ in range(3):
        await housekeeping._clean()
        await age(jp_serverapp, await rest.get("task 0"), 0.0)
    assert await names(rest) == ["task 0"]


async def test_nothing_is_deleted_for_its_age_at_first_nor_all_at_once(
    rest: Rest, jp_serverapp: Any, housekeeping: Housekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        await finish(rest, f"task {number:02}")
        await age(jp_serverapp, await rest.get(f"task {number:02}"), 40 * DAY)
    await finish(rest, "young")
    assert not await housekeeping._clean()
    assert len(await names(rest)) == 13
    monkeypatch.setattr(housekeeping, "_began", time.monotonic() - 3600.0)
    assert await housekeeping._clean()
    assert len(await names(rest)) == 12
    # A clock that is 40 days ahead.
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 40 * DAY)
    while await housekeeping._prune():
        pass
    assert await names(rest) == ["young"]


async def test_old_output_is_compressed_and_read_and_written_on(
    rest: Rest, jp_serverapp: Any, housekeeping: Housekeeping, tasks: Path
) -> None:
    task = await finish(rest, "old", "seq 30000")
    other = await finish(rest, "new", "seq 30000")
    before = (await rest("GET", "tasks", "old", "output", "raw")).body
    await housekeeping._clean()
    used = (await rest("GET", "status")).json["storage"]["used"]
    await age(jp_serverapp, task, 2 * DAY)
    assert not await housekeeping._clean()
    assert [path.name for path in (tasks / task["id"] / "output").glob("*.log*")] == [f"{0:020}.log.gz"]
    assert [path.name for path in (tasks / other["id"] / "output").glob("*.log*")] == [f"{0:020}.log"]
    assert (await rest("GET", "tasks", "old", "output", "raw")).body == before
    assert (await rest.output("old", mode="tail", tail_lines=2))["output"] == "29999\n30000\n"
    assert (await rest("GET", "status")).json["storage"]["used"] < used - 50_000
    await rest("POST", "tasks", "old", "restart")
    assert (await rest.wait("old"))["attempt"] == 2
    again = (await rest("GET", "tasks", "old", "output", "raw")).body
    assert again.startswith(before)
    assert again.count(b"\n30000\r\n") == 2


async def test_leftovers_are_removed(rest: Rest, housekeeping: Housekeeping, tasks: Path, jp_runtime_dir: Path) -> None:
    """Sockets of killed ptyhosts and directories of interrupted starts, but not those of live tasks."""
    task = await rest.create("sleep 1000", name="nap")
    sockets = jp_runtime_dir / "ptytasks"
    old = time.time() - 3600.0
    for name in ("deadbeef0000", "deadbeef0001"):
        with socket.socket(socket.AF_UNIX) as dead, SocketAddress(str(sockets / f"{name}.sock")) as address:
            dead.bind(address)
    os.utime(sockets / "deadbeef0000.sock", (old, old))
    unborn = tasks / "deadbeef0002"
    unborn.mkdir()
    (unborn / "spec.json").write_text("{}")
    os.utime(unborn, (old, old))
    await housekeeping._clean()
    left = sorted(name for name in os.listdir(sockets) if not name.startswith("starter"))
    assert left == ["deadbeef0001.sock", f"{task['id']}.sock"]
    assert os.listdir(tasks) == [task["id"]]
    await rest.until("nap", lambda found: found["connected"])


async def test_a_failing_listener_harms_no_other(rest: Rest, parts: Parts, caplog: Any) -> None:
    """Neither other listeners nor the task are affected."""
    told: list[str] = []

    def fail(*_: object) -> None:
        raise RuntimeError("a listener that fails")

    for listeners in (parts.store.listeners, parts.supervisor.on_update):
        listeners.append(fail)
    parts.store.listeners.append(lambda change: told.append(change.task.state.value))
    task = await rest.create("echo hello", name="task")
    assert task["state"] in ("running", "succeeded")
    assert (await rest.wait("task"))["state"] == "succeeded"
    assert told[0] == "starting"
    assert told[-1] == "succeeded"
    assert "a listener failed" in caplog.text
    parts.store.listeners.remove(fail)


def test_listeners_are_called_in_order() -> None:
    listeners: Listeners[int] = Listeners()
    told: list[tuple[str, int]] = []

    def leave(number: int) -> None:
        told.append(("leave", number))
        listeners.remove(leave)

    listeners.append(leave)
    listeners.append(lambda number: told.append(("stay", number)))
    listeners(1)
    listeners(2)
    assert told == [("leave", 1), ("stay", 1), ("stay", 2)]
