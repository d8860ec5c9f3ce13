"""Two servers of one user: they see the same tasks, and start, adopt and end nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.client import RequestFailed
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.storage.database import Database
from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jupyter_ptytasks.client import Client, Task
    from jupyter_ptytasks.client.literals import IfExists
    from jupyter_ptytasks.server.parts import Parts
    from tests.server.conftest import Rest


@pytest.fixture
def servers(start_server: Callable[..., LiveServer]) -> list[LiveServer]:
    """Two servers with one data directory."""
    return [start_server(), start_server()]


@pytest.fixture
def clients(servers: list[LiveServer]) -> Iterator[list[Client]]:
    """A client of each."""
    with servers[0].client() as one, servers[1].client() as other:
        yield [one, other]


def test_tags_of_both_are_kept(servers: list[LiveServer], clients: list[Client]) -> None:
    ids = [clients[0].create("true", name=name, tags=["new"])["id"] for name in ("one", "two")]
    start = threading.Barrier(2)

    def tag(server: LiveServer, side: int) -> None:
        with server.client() as client:
            start.wait()
            for number in range(8):
                if number % 2:
                    client.update_all(ids, add_tags=[f"{side} {number}"], remove_tags=["new"])
                else:
                    for task_id in ids:
                        client.update(task_id, add_tags=[f"{side} {number}"])

    workers = [threading.Thread(target=tag, args=(server, side)) for side, server in enumerate(servers)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    wanted = sorted(f"{side} {number}" for side in range(2) for number in range(8))
    for client in clients:
        assert [sorted(client.get(task_id)["tags"]) for task_id in ids] == [wanted, wanted]


def race(servers: list[LiveServer], each: int, **about: Any) -> tuple[list[Task], list[RequestFailed]]:
    """Create the same task `each` times at each server, all at once; give what came of it."""
    tasks: list[Task] = []
    errors: list[RequestFailed] = []
    start = threading.Barrier(each * len(servers))

    def create(server: LiveServer) -> None:
        with server.client() as client:
            start.wait()
            try:
                tasks.append(client.create(["sleep", "1000"], name="only", **about))
            except RequestFailed as error:
                errors.append(error)

    workers = [threading.Thread(target=create, args=(server,)) for server in servers * each]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return tasks, errors


def test_what_one_does_the_other_sees(clients: list[Client]) -> None:
    one, other = clients
    task = one.create("echo hello; exec sleep 1000", name="shared")
    assert other.get("shared")["pid"] == task["pid"]
    until(lambda: other.get("shared")["connected"])
    assert b"hello" in until(lambda: other.raw("shared").data)
    other.update("shared", name="renamed")
    assert one.get("renamed")["id"] == task["id"]
    one.pause("renamed")
    until(lambda: other.get("renamed")["state"] == "paused")
    other.resume("renamed")
    until(lambda: one.get("renamed")["state"] == "running")
    other.restart("renamed", signals=["SIGKILL"])
    until(lambda: one.get("renamed")["attempt"] == 2 and one.get("renamed")["connected"])
    one.stop("renamed")
    ends = [ended(client, "renamed") for client in clients]
    assert ends[0] == ends[1]
    assert ends[0]["state"] == "cancelled"
    other.delete("renamed")
    until(lambda: one.list()["tasks"] == [])


def test_one_is_killed_and_the_other_continues(servers: list[LiveServer], clients: list[Client]) -> None:
    task = clients[0].create(["sleep", "1000"], name="nap")
    servers[0].kill9()
    until(lambda: clients[1].get("nap")["connected"])
    servers[0].start()
    until(lambda: clients[0].get("nap")["connected"])
    assert clients[0].get("nap")["pid"] == clients[1].get("nap")["pid"] == task["pid"]
    assert len([process for process in servers[0].processes() if process.name() == "sleep"]) == 1
    clients[1].stop("nap")
    assert ended(clients[0], "nap") == ended(clients[1], "nap")


def test_a_restart_by_another_server_is_not_repeated(servers: list[LiveServer], clients: list[Client]) -> None:
    """The second server misses the end that it waits for: when it checks again, the next attempt is running."""
    clients[0].create("trap '' TERM; echo deaf; while :; do sleep 0.1; done", name="deaf")
    until(lambda: b"deaf" in clients[0].raw("deaf").data)
    clients[1].restart("deaf", signals=["SIGTERM"], grace=1000)
    with asleep(servers[1]):
        clients[0].restart("deaf", signals=["SIGKILL"])
        until(lambda: clients[0].get("deaf")["attempt"] == 2 and clients[0].get("deaf")["connected"])
    until(lambda: clients[1].get("deaf")["attempt"] == 2)
    clients[0].stop("deaf", signals=["SIGKILL"])
    assert ended(clients[1], "deaf")["attempt"] == 2


@contextlib.contextmanager
def asleep(server: LiveServer) -> Iterator[None]:
    """Suspend the server, as closing a laptop does."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


@pytest.mark.parametrize("if_exists", ["return", "restart", "fail"])
def test_a_race_for_a_name_makes_one_task(
    servers: list[LiveServer], clients: list[Client], if_exists: IfExists
) -> None:
    tasks, errors = race(servers, 4, if_exists=if_exists)
    assert len({task["id"] for task in tasks}) == 1
    if if_exists == "fail":
        assert (len(tasks), len(errors)) == (1, 7)
        assert {error.code for error in errors} == {"name_in_use"}
    elif if_exists == "return":
        assert errors == []
    until(lambda: all(client.get("only")["state"] == "running" for client in clients))
    (task,) = clients[0].list()["tasks"]
    assert len([process for process in servers[0].processes() if process.name() == "sleep"]) == 1
    assert task["id"] == tasks[0]["id"]


def test_the_limit_of_live_tasks_is_the_users(start_server: Callable[..., LiveServer]) -> None:
    servers = [start_server("--PtyTasksApp.max_live_tasks=3"), start_server("--PtyTasksApp.max_live_tasks=3")]
    tasks, errors = race(servers, 4)
    assert len(tasks) == 3
    assert {(error.code, error.http_status) for error in errors} == {("too_many_tasks", 429)}
    with servers[0].client() as client:
        assert len(client.list()["tasks"]) == 3
    # Of the others, which had got ready to run, nothing is left.
    assert len(os.listdir(servers[0].home / "data" / "ptytasks" / "tasks")) == 3
    assert len([process for process in servers[0].processes() if process.name() == "sleep"]) == 3


def test_a_ptyhost_that_dies_is_lost_once(servers: list[LiveServer], clients: list[Client]) -> None:
    """Both see it; one stores it."""
    task = clients[0].create(["sleep", "1000"], name="nap")
    record = servers[0].home / "data" / "ptytasks" / "tasks" / task["id"] / "host.json"
    until(lambda: clients[1].get("nap")["connected"])
    host_pid = json.loads(record.read_text())["host_pid"]
    next(process for process in servers[0].processes() if process.pid == host_pid).kill()
    lost = [ended(client, "nap") for client in clients]
    assert lost[0] == lost[1]
    assert lost[0]["state"] == "lost"


async def test_a_task_deleted_by_another_server_is_not_found(
    rest: Rest, parts: Parts, jp_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even while the database is so busy that the mirror is out of date."""
    data = jp_data_dir / "ptytasks"
    task = await rest.create("true", name="gone")
    await rest.wait("gone")
    task_dirs = parts.launcher._task_dirs
    deleting = await asyncio.to_thread(task_dirs.lock, task["id"], 60.0)
    assert deleting is not None
    waiting = asyncio.Event()
    take, loop = task_dirs.lock, asyncio.get_running_loop()

    def tell_and_take(*args: Any) -> Any:
        loop.call_soon_threadsafe(waiting.set)
        return take(*args)

    monkeypatch.setattr(task_dirs, "lock", tell_and_take)
    answer = asyncio.ensure_future(rest("DELETE", "tasks", "gone"))
    await waiting.wait()
    monkeypatch.setattr(parts.store, "_failed", time.monotonic() + 60.0)
    other = Database(str(data / "tasks.db"), lambda: ())
    other.remove(task["id"])
    other.close()
    (data / "tasks" / task["id"]).rename(data / "gone")
    deleting.close()
    assert (await answer).code == 404


async def test_an_attempt_that_the_other_begins_before_the_last_end_is_seen_is_kept(
    rest: Rest, parts: Parts, jp_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the first attempt is already outdated when this server stores it."""
    task = await rest.create("exec sleep 1000", name="nap")
    await rest.until("nap", lambda task: task["connected"])
    host = json.loads((jp_data_dir / "ptytasks" / "tasks" / task["id"] / "host.json").read_text())
    monkeypatch.setattr(parts.store, "_failed", time.monotonic() + 3600.0)
    other = Database(str(jp_data_dir / "ptytasks" / "tasks.db"), lambda: ())
    other.observe(task["id"], 1, State.CANCELLED, ended=time.time())
    other.begin_attempt(task["id"], 2, 100)
    other.observe(task["id"], 2, State.RUNNING, pid=1, started=time.time())
    other.close()
    os.kill(host["host_pid"], signal.SIGKILL)
    # It has no ptyhost, which its supervisor finds out.
    assert (await rest.until("nap", lambda task: task["state"] == "lost"))["attempt"] == 2
