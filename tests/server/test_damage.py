"""Damaged or missing files and full disks: what is left of a task is shown, and the service continues."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
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
    """Return the directory of all tasks and of their database."""
    return live.home / "data" / "ptytasks"


def ring(live: LiveServer, task: Task, suffix: str) -> Path:
    """Return the only file of a task's ring with this suffix."""
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
    """How it ended is unknown; that it ended is known."""
    with live.client() as client:
        task = client.create("until [ -e go ]; do sleep 0.01; done; echo hello", name="task")
        live.kill9()
        (live.home / "go").touch()
        record = root(live) / "tasks" / task["id"] / "exit.json"
        until(record.exists)
        until(lambda: not live.tasks_run())
        record.write_bytes(garbage)
        live.start()
        assert ended(client, "task")["state"] == "lost"
        assert client.output("task")["output"].strip() == "hello"


def test_a_spec_that_is_gone_costs_the_restart_and_no_more(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create("echo hello", name="task")
        ended(client, "task")
        (root(live) / "tasks" / task["id"] / "spec.json").unlink()
        with pytest.raises(RequestFailed, match="missing or damaged"):
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


def test_a_deleted_directory_does_not_end_a_task_whose_ptyhost_responds(live: LiveServer) -> None:
    """A new server finds the ptyhost at its usual socket."""
    with live.client() as client:
        task = client.create("echo hello; exec sleep 1000", name="task")
        until(lambda: client.raw("task").data)
        live.kill9()
        os.rename(root(live) / "tasks" / task["id"], live.home / "moved")
        live.start()
        until(lambda: client.get("task")["connected"])
        assert client.get("task")["state"] == "running"
        client.stop("task")
        assert ended(client, "task")["state"] == "cancelled"
        client.delete("task")
        assert client.list()["tasks"] == []


@pytest.mark.parametrize("what", ["all", "spec.json", "lock", "output", "exit.json", "host.json"])
def test_an_ended_task_can_be_deleted_whatever_is_missing(live: LiveServer, what: str) -> None:
    with live.client() as client:
        task = client.create("echo hello", name="task")
        ended(client, "task")
        path = root(live) / "tasks" / task["id"] / ("" if what == "all" else what)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert client.get("task")["state"] == "succeeded"
        client.delete("task")
        assert client.list()["tasks"] == []


def test_an_end_that_found_no_room_for_its_name_is_read(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create("until [ -e go ]; do sleep 0.01; done; exit 3", name="task")
        live.kill9()
        (live.home / "go").touch()
        record = root(live) / "tasks" / task["id"] / "exit.json"
        until(record.exists)
        until(lambda: not live.tasks_run())
        record.rename(f"{record}.reserved")
        live.start()
        found = ended(client, "task")
        assert (found["state"], found["exit"]) == ("failed", {"code": 3, "signal": None})


def test_changes_at_the_same_time(start_server: Callable[..., LiveServer]) -> None:
    """Whichever write is last, row and spec agree, and no file is torn."""
    servers = [start_server(), start_server()]
    with servers[0].client() as client:
        task = client.create(["sleep", "1000"], name="task")
    failures: list[BaseException] = []

    def change(number: int) -> None:
        try:
            with servers[number % 2].client() as client:
                for turn in range(10):
                    client.update(task["id"], metadata={f"{number} {turn}": "x" * 1000 * number}, tags=[str(number)])
        except BaseException as error:
            failures.append(error)
            raise

    workers = [threading.Thread(target=change, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures
    directory = root(servers[0]) / "tasks" / task["id"]
    with servers[1].client() as client:
        spec = json.loads((directory / "spec.json").read_text())
        labels = {"metadata": spec["metadata"], "tags": spec["tags"]}
        # What another server has changed is seen a moment later.
        until(lambda: labels.items() <= client.get(task["id"]).items(), "row and spec to agree")
        assert not list(directory.glob("spec.json.*"))
        client.restart("task", signals=["SIGKILL"])
        until(lambda: client.get("task")["attempt"] == 2 and client.get("task")["connected"])


# -- the database ------------------------------------------------------------------------------------------------------


def start_three(client: Client) -> list[Task]:
    """Return a task that runs, one that has ended, and one that was changed."""
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
    """All information about tasks is in their directories, too; running tasks are not affected."""
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
        client.stop("nap", signals=["SIGKILL"])  # it may have ended before the answer
        assert ended(client, "nap")["state"] == "cancelled"


#: What a row may hold that this version cannot read: statements, and whether the directory can tell the rest.
UNREADABLE = {
    "no JSON": ("body = 'garbage'", True),
    "nothing": ("body = ''", True),
    "another type": ("body = '[]'", True),
    "no fields": ("body = '{}'", True),
    "wrong types": ("body = json_set(body, '$.started', 'noon', '$.command', 5)", True),
    "bytes": ("body = x'ff00'", True),
    "deep": (f"body = '{'[' * 100_000}'", True),
    "a newer state": ("state = 'hibernating'", False),
    "a newer kind": ("body = json_set(body, '$.kind', 'notebook')", True),
}


@pytest.mark.parametrize("row", UNREADABLE)
@pytest.mark.parametrize("running", [True, False])
def test_a_row_that_cannot_be_read_hides_no_other(live: LiveServer, row: str, running: bool) -> None:
    change, told = UNREADABLE[row]
    with live.client() as client:
        bad = client.create(["sleep", "1000"], name="bad")
        other = client.create(["sleep", "1000"], name="other")
        if not running:
            live.kill9()
        with contextlib.closing(sqlite3.connect(root(live) / "tasks.db", timeout=30)) as sql, sql:
            revision = "revision = (SELECT revision + 1 FROM counter)"
            sql.execute(f"UPDATE tasks SET {change}, {revision} WHERE name = 'bad'")
            sql.execute("UPDATE counter SET revision = revision + 1")
        if not running:
            live.start()
        until(lambda: client.status()["unreadable"] == (not told))
        found = client.list()
        names = {task["name"] for task in found["tasks"]}
        assert found["omitted"] == (not told)
        assert names == ({"bad", "other"} if told else {"other"})
        assert client.update("other", group="g")["group"] == "g"
        name = "true" if told else "bad"
        assert ended(client, client.create(["true"], name=name, if_exists="return")["id"])["state"] == "succeeded"
        client.stop("other")
        assert ended(client, other["id"])["state"] == "cancelled"
        if told:
            client.stop("bad")
            assert ended(client, bad["id"])["state"] == "cancelled"
        else:
            # It is left alone, for the version that knows what it means.
            assert (root(live) / "tasks" / bad["id"]).is_dir()
            os.kill(bad["pid"] or 0, signal.SIGKILL)
    log = (live.home / "server.log").read_text()
    assert log.count("is not shown") == (0 if told else 1)
    assert "Traceback" not in log


def test_a_database_of_a_newer_version_is_reported_and_left_alone(live: LiveServer) -> None:
    live.kill9()
    with contextlib.closing(sqlite3.connect(root(live) / "tasks.db")) as sql:
        sql.execute("PRAGMA user_version = 99")
    before = (root(live) / "tasks.db").read_bytes()
    live.start()
    with live.client() as client:
        for work in (client.list, lambda: client.get("x"), lambda: client.create(["true"])):
            with pytest.raises(RequestFailed, match="newer version") as refused:
                work()
            assert refused.value.http_status == 503
        assert "newer version" in str(client.status()["problem"])
    assert (root(live) / "tasks.db").read_bytes() == before
    assert not (root(live) / "tasks").exists()


# -- a full disk -------------------------------------------------------------------------------------------------------


def test_a_full_disk_under_the_store(start_server: Callable[..., LiveServer], small_disk: Path) -> None:
    """With any amount of space, a request to create a task either fails or its task runs."""
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
                refused.append((refusal.code, refusal.http_status))
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


def test_deleting_makes_room(start_server: Callable[..., LiveServer], small_disk: Path) -> None:
    """If there is no space even to record a deletion, deleting the output frees some."""
    live = start_server(f"--PtyTasksApp.data_dir={small_disk}/ptytasks")
    with live.client() as client:
        ended(client, client.create("seq 100000", name="large")["id"])
        with (small_disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        until(lambda: client.get("large"))
        client.delete("large")
        assert client.list()["tasks"] == []
        assert ended(client, client.create(["true"])["id"])["state"] == "succeeded"


def test_a_change_that_finds_no_room_changes_neither_row_nor_spec(
    start_server: Callable[..., LiveServer], small_disk: Path
) -> None:
    live = start_server(f"--PtyTasksApp.data_dir={small_disk}/ptytasks")
    filler = small_disk / "filler"
    with live.client() as client:
        task = client.create(["true"], name="task")
        ended(client, "task")
        spec = small_disk / "ptytasks" / "tasks" / task["id"] / "spec.json"
        refused = 0
        for pages in range(8):
            before = json.loads(spec.read_text())["metadata"]
            with filler.open("wb", buffering=0) as file:
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(4096))
                file.truncate(file.tell() - pages * 4096)
            code = ""
            try:
                client.update("task", metadata={"x": str(pages) * 12_000})
            except RequestFailed as error:
                code = error.code
                refused += 1
            assert code in ("", "storage_full")
            assert (json.loads(spec.read_text())["metadata"] == before) is bool(code)
            filler.unlink()
            assert client.get("task")["metadata"] == json.loads(spec.read_text())["metadata"]
            assert not list(spec.parent.glob("spec.json.*"))
        assert 0 < refused < 8
        assert client.restart("task")["attempt"] == 2


def test_a_server_that_cannot_recover_at_its_start_retries(live: LiveServer) -> None:
    database = root(live) / "tasks.db"
    with live.client() as client:
        client.create(["sleep", "1000"], name="nap")
        live.kill9()
        database.unlink()
        database.mkdir()
        live.start()
        until(lambda: client.status()["problem"])
        with pytest.raises(RequestFailed):
            client.create(["true"])
        database.rmdir()
        until(lambda: client.status()["problem"] is None)
        until(lambda: client.get("nap")["connected"])
        client.stop("nap")
        ended(client, "nap")
    log = (live.home / "server.log").read_text()
    assert log.count("cannot be managed") == log.count("managed again") == 1
    assert "Traceback" not in log


def test_a_disk_that_cannot_be_written_to(start_server: Callable[..., LiveServer], small_disk: Path) -> None:
    live = start_server(f"--PtyTasksApp.data_dir={small_disk}/ptytasks")
    with live.client() as client:
        ended(client, client.create("echo hello", name="done")["id"])
        live.kill9()
        remount(small_disk, "ro")
        try:
            live.start()
            with pytest.raises(RequestFailed) as refused:
                client.create(["sleep", "1000"])
            assert refused.value.http_status in (500, 503, 507)
            with pytest.raises(RequestFailed) as refused:
                client.restart("done")
            assert refused.value.http_status in (500, 503, 507)
            assert not [one for one in live.processes() if one.name() == "sleep"]
        finally:
            remount(small_disk, "rw")
        until(lambda: client.status()["problem"] is None)
        assert client.output("done")["output"] == "hello\n"
        assert ended(client, client.create(["true"])["id"])["state"] == "succeeded"


def remount(path: Path, how: str) -> None:
    """Make a file system read-only, as soon as no ptyhost that is just ending has a file open there; or writable."""
    until(lambda: subprocess.run(["mount", "-o", f"remount,{how}", str(path)], check=False).returncode == 0)


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
        with pytest.raises(RequestFailed, match="the limit is 100") as refused:
            client.create(["true"])
        assert refused.value.http_status == 429
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
