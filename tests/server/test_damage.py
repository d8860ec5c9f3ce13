"""Files that are damaged, gone, or find no room: what is left of a task is shown, and the service goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.client import RequestFailed
from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jupyter_ptytasks.client import Client, Task


@pytest.fixture
def live(start_server: Callable[..., LiveServer]) -> LiveServer:
    """A server that answers."""
    return start_server()


def root(live: LiveServer) -> Path:
    """Give the directory of all tasks and of their database."""
    return live.home / "data" / "ptytasks"


def ring(live: LiveServer, task: Task, suffix: str) -> Path:
    """Give the one file with this suffix of a task's ring."""
    (found,) = (root(live) / "tasks" / task["id"] / "output").glob(f"*{suffix}")
    return found


# -- a task's own files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".log", ".idx"])
@pytest.mark.parametrize("size", [0, 1, 20, 1000])
def test_a_truncated_segment(live: LiveServer, suffix: str, size: int) -> None:
    with live.client() as client:
        task = client.create(["seq", "1000"], name="seq")
        ended(client, "seq")
        live.kill9()
        whole = ring(live, task, ".log").read_bytes()
        os.truncate(ring(live, task, suffix), size)
        live.start()
        left = whole[:size] if suffix == ".log" else whole
        assert client.raw("seq").data == left
        assert client.output("seq")["output"].split() == left.decode().split()
        assert ended(client, "seq")["state"] == "succeeded"
        assert client.restart("seq")["attempt"] == 2
        assert ended(client, "seq")["state"] == "succeeded"
        assert client.raw("seq").data.endswith(b"\r\n999\r\n1000\r\n")


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b"\xff\0", b'{"attempt": 1}', b'{"attempt": 1, "code": "x"}'])
def test_a_garbage_exit_record(live: LiveServer, garbage: bytes) -> None:
    """How it ended is not known any more; that it ended is."""
    with live.client() as client:
        task = client.create("until [ -e go ]; do sleep 0.01; done; echo hello", name="task")
        live.kill9()
        (live.home / "go").touch()
        record = root(live) / "tasks" / task["id"] / "exit.json"
        until(record.exists)
        until(lambda: not list(live.processes()))
        record.write_bytes(garbage)
        live.start()
        assert ended(client, "task")["state"] == "lost"
        assert client.output("task")["output"].strip() == "hello"


def test_a_spec_that_is_gone_costs_the_restart_and_no_more(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create("echo hello", name="task")
        ended(client, "task")
        (root(live) / "tasks" / task["id"] / "spec.json").unlink()
        with pytest.raises(RequestFailed, match="gone or damaged"):
            client.restart("task")
        assert client.get("task")["state"] == "succeeded"
        assert client.output("task")["output"].strip() == "hello"
        client.delete("task")
        assert client.list()["tasks"] == []


def test_a_directory_that_is_gone_while_the_task_runs(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create("echo hello; exec sleep 1000", name="task")
        until(lambda: client.raw("task").data)
        os.rename(root(live) / "tasks" / task["id"], live.home / "moved")
        assert client.raw("task").data == b""
        client.stop("task")
        assert ended(client, "task")["state"] == "cancelled"


# -- the database ------------------------------------------------------------------------------------------------------


def start_three(client: Client) -> list[Task]:
    """Give a task that runs, one that has ended, and one that was changed."""
    client.create(["sleep", "1000"], name="nap", tags=["a"], metadata={"k": 1})
    client.create("exit 5", name="five")
    ended(client, "five")
    client.create(["true"], name="before", group="g")
    ended(client, "before")
    client.update("before", name="after")
    return client.list()["tasks"]


@pytest.mark.parametrize("damage", ["garbage", "empty", "torn", "gone"])
@pytest.mark.parametrize("running", [True, False])
def test_a_corrupt_database_is_moved_aside_and_rebuilt(live: LiveServer, damage: str, running: bool) -> None:
    """All that is known of the tasks is in their directories, too; a task that runs does not notice."""
    path = root(live) / "tasks.db"
    with live.client() as client:
        before = start_three(client)
        if not running:
            live.kill9()
        if damage == "gone":
            path.unlink()
        elif damage == "torn":
            data = path.read_bytes()
            path.write_bytes(data[: len(data) // 2])
        else:
            path.write_bytes(b"" if damage == "empty" else b"no database " * 1000)
        if not running:
            live.start()

        def created() -> Task | None:
            with contextlib.suppress(RequestFailed):  # "has been rebuilt; ask again"
                return client.create(["true"], name="new")
            return None

        new = until(created)
        until(lambda: client.get("nap")["connected"])
        after = [task for task in client.list()["tasks"] if task["id"] != new["id"]]
        for one, other in zip(after, before, strict=True):
            # What a task that runs uses may have been measured meanwhile.
            assert one == (other | {"usage": one["usage"]} if one["alive"] else other)
        aside = list(root(live).glob("tasks.db.corrupt-*[0-9]"))
        assert len(aside) == (damage in ("garbage", "torn"))
        assert ended(client, "new")["state"] == "succeeded"
        assert client.stop("nap", signals=["SIGKILL"])["state"] == "stopping"
        assert ended(client, "nap")["state"] == "cancelled"


# -- a full disk -------------------------------------------------------------------------------------------------------


def test_a_full_disk_under_the_store(start_server: Callable[..., LiveServer], small_disk: Path) -> None:
    """A create says that there is no room, or its task runs; there is nothing between the two, however little room."""
    live = start_server(f"--PtyTasksApp.data_dir={small_disk}/ptytasks")
    filler = small_disk / "filler"
    refused = []
    started = 0
    with live.client() as client:
        ended(client, client.create(["true"], name="first")["id"])
        for pages in range(14):
            with filler.open("wb", buffering=0) as file:
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(4096))
                file.truncate(file.tell() - pages * 4096)
            ids = {task["id"] for task in client.list()["tasks"]}
            try:
                task = client.create("echo hello; exec sleep 1000", name=f"task-{pages}")
            except RequestFailed as refusal:
                refused.append((refusal.code, refusal.status))
                filler.unlink()
                for task in client.list()["tasks"]:
                    if task["id"] not in ids:
                        assert ended(client, task["id"])["state"] == "failed"
                        client.delete(task["id"])
                assert {path.name for path in (small_disk / "ptytasks" / "tasks").iterdir()} == ids
                assert not [process for process in live.processes() if process.name() == "sleep"]
            else:
                started += 1
                client.stop(task["id"], signals=["SIGKILL"])
                filler.unlink()
                assert ended(client, task["id"])["state"] == "cancelled"
                client.delete(task["id"])
        ended(client, client.create(["true"], name="last")["id"])
    assert set(refused) == {("storage_full", 507)}
    assert started >= 1


# -- very many ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_hundred_tasks_at_once(live: LiveServer) -> None:
    tasks: list[Task] = []

    def create(worker: int) -> None:
        with live.client() as client:
            for number in range(10):
                line = f"echo {worker} {number}; exec sleep 1000"
                tasks.append(client.create(line, name=f"{worker}-{number}"))

    workers = [threading.Thread(target=create, args=(number,)) for number in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with live.client() as client:
        assert client.status()["tasks"]["running"] == 100
        with pytest.raises(RequestFailed, match="100 is the limit") as refused:
            client.create(["true"])
        assert refused.value.status == 429
        live.kill9()
        live.start()
        until(lambda: all(task["connected"] for task in client.list()["tasks"]))
        assert client.status()["tasks"]["running"] == 100
        assert {task["pid"] for task in client.list()["tasks"]} == {task["pid"] for task in tasks}
        for task in tasks:
            os.kill(task["pid"] or 0, signal.SIGKILL)
        until(lambda: client.status()["tasks"]["failed"] == 100)
        for task in tasks:
            assert client.output(task["id"])["output"].strip() == task["name"].replace("-", " ")
