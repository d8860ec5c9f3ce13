"""A server, a ptyhost or the machine dies at any point: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from jupyter_ptytasks.client import ClientError, RequestFailed
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.storage.database import Database
from tests.client.live import LiveServer, ended, until
from tests.ptyhost.hosting import is_alive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jupyter_ptytasks.client import Task


@pytest.fixture
def live(start_server: Callable[..., LiveServer]) -> LiveServer:
    """A server that answers."""
    return start_server()


def directory(live: LiveServer, task: Task | str) -> Path:
    """Return the directory of a task."""
    return live.home / "data" / "ptytasks" / "tasks" / (task if isinstance(task, str) else task["id"])


def host_of(live: LiveServer, task: Task) -> dict[str, Any]:
    """Return the host record of a task."""
    record: dict[str, Any] = json.loads((directory(live, task) / "host.json").read_text())
    return record


def until_state(live: LiveServer, ref: str, *states: str, timeout: float = 60.0) -> Task:
    """Return a task as soon as it is in one of these states."""
    with live.client() as client:
        until(lambda: client.get(ref)["state"] in states, f"{ref} to be {states}", timeout)
        return client.get(ref)


def kill_host(live: LiveServer, task: Task) -> None:
    host_pid = host_of(live, task)["host_pid"]
    os.kill(host_pid, signal.SIGKILL)
    until(lambda: not is_alive(host_pid))


# -- the server --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("enough", [1, 6, 13])
def test_kill9_in_the_middle_of_creates(live: LiveServer, enough: int) -> None:
    """A client that got a response finds the task; otherwise the task is complete or does not exist."""
    told: list[Task] = []

    def create(worker: int) -> None:
        with live.client(patience=0.0) as client:
            for number in range(1000):
                try:
                    command = ["sleep", "1000"] if number % 2 else ["true"]
                    told.append(client.create(command, name=f"{worker}-{number}"))
                except ClientError:
                    return

    workers = [threading.Thread(target=create, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    until(lambda: len(told) >= enough)
    live.kill9()
    for worker in workers:
        worker.join()
    live.start()

    with live.client() as client:
        until(lambda: not client.list(state=["starting"])["tasks"])
        until(lambda: all(task["connected"] or not task["alive"] for task in client.list()["tasks"]))
        tasks = list(client.all())
    assert len({task["name"] for task in tasks}) == len({task["id"] for task in tasks}) == len(tasks)
    assert {task["id"] for task in told} <= {task["id"] for task in tasks}
    for task in tasks:
        if task["state"] == "running":
            assert (task["command"], is_alive(task["pid"] or 0)) == (["sleep", "1000"], True)
        elif task["state"] == "failed":
            assert task["state_reason"] == "start_interrupted"
            assert task["id"] not in {one["id"] for one in told}
            assert not (directory(live, task) / "host.json").exists()
        else:
            assert (task["command"], task["state"]) == (["true"], "succeeded")
    # What runs is known, and runs once.
    running = [process.environ()["PTYTASK_ID"] for process in live.processes() if process.name() == "sleep"]
    assert sorted(running) == sorted(task["id"] for task in tasks if task["state"] == "running")


def kill_starters(live: LiveServer, done: threading.Event) -> None:
    """Kill what forks ptyhosts, again and again."""
    while not done.wait(0.4):
        for process in live.processes():
            with contextlib.suppress(psutil.Error):
                if "--starter" in process.cmdline():
                    process.kill()


def test_kill9_of_the_starter_in_the_middle_of_starts(live: LiveServer, tmp_path: Path) -> None:
    """A task that was returned has run once for each attempt; after an error, nothing has run."""
    done = threading.Event()
    killer = threading.Thread(target=kill_starters, args=(live, done))
    killer.start()
    started: dict[str, int] = {}
    told: list[str] = []
    try:
        with live.client() as client:
            for number in range(12):
                try:
                    task = client.create(f"echo ran >> {tmp_path}/{number}", name=f"run-{number}")
                    started[task["name"]] = 1
                    ended(client, task["id"])
                    client.restart(task["id"])
                    started[task["name"]] = 2
                except RequestFailed as error:
                    told.append(str(error))
            client.create(f"echo ran >> {tmp_path}/queued", name="queued", not_before="2020-01-01T00:00:00Z")
            started["queued"] = 1
            until(lambda: all(task["exit"] or task["state"] == "failed" for task in client.all()))
    finally:
        done.set()
        killer.join()
    assert all("the ptyhost" in error for error in told)
    assert len(started) > 6
    with live.client() as client:
        for task in client.all():
            path = tmp_path / str(task["name"]).removeprefix("run-")
            assert len(path.read_text().split()) == started[str(task["name"])], task


def test_kill9_in_the_middle_of_a_flood(live: LiveServer) -> None:
    with live.client() as client:
        line = 'n=0; until [ -e stop ]; do n=$((n+1)); echo "line $n of the flood"; done; echo "$n lines"; exit 3'
        task = client.create(line, name="flood")
        until(lambda: client.get("flood")["output"]["end"] > 200_000)
        live.kill9()
        live.start()
        grown = until(lambda: client.get("flood")["connected"] and client.get("flood"))
        assert grown["state"] == "running"
        assert (grown["pid"], grown["started"]) == (task["pid"], task["started"])
        until(lambda: client.get("flood")["output"]["end"] > grown["output"]["end"])
        (live.home / "stop").touch()
        task = ended(client, "flood")
        assert (task["state"], task["exit"]) == ("failed", {"code": 3, "signal": None})
        lines = client.raw("flood").data.decode().split("\r\n")
    count = len(lines) - 2
    assert lines == [f"line {number} of the flood" for number in range(1, count + 1)] + [f"{count} lines", ""]
    assert task["output"]["lines"] == count + 1


def test_kill9_in_the_middle_of_a_stop(live: LiveServer) -> None:
    """The ptyhost continues the stop sequence, and completes it while no server runs."""
    with live.client() as client:
        task = client.create("trap '' INT; echo ready; while :; do sleep 0.01; done", name="stubborn", stop_grace=0.5)
        until(lambda: b"ready" in client.raw("stubborn").data)
        assert client.stop("stubborn")["state"] == "stopping"
        live.kill9()
        until((directory(live, task) / "exit.json").exists)
        assert not is_alive(task["pid"] or 0)
        live.start()
        task = ended(client, "stubborn")
    assert (task["state"], task["state_reason"]) == ("cancelled", "cancelled")
    assert task["exit"] == {"code": None, "signal": "SIGTERM"}


def test_a_task_that_ended_without_a_server_has_its_exit_code(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create("until [ -e go ]; do sleep 0.01; done; echo done; exit 7", name="late")
        live.kill9()
        (live.home / "go").touch()
        until((directory(live, task) / "exit.json").exists)
        ended_at = time.time()
        live.start()
        task = ended(client, "late")
        assert (task["state"], task["exit"]) == ("failed", {"code": 7, "signal": None})
        assert client.output("late")["output"].strip() == "done"
    assert task["ended"] is not None
    assert task["ended"][:19] <= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ended_at))


# -- the ptyhost -------------------------------------------------------------------------------------------------------


def test_kill9_of_a_ptyhost(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create("trap 'touch got-hup; exit' HUP; echo hello; while :; do sleep 0.01; done", name="orphan")
        until(lambda: b"hello" in client.raw("orphan").data)
        kill_host(live, task)
        task = until_state(live, "orphan", "lost", timeout=2.0)
        assert task["state_reason"] == "host_vanished"
        assert task["state_message"]
        assert (task["exit"], task["alive"], task["connected"]) == ({"code": None, "signal": None}, False, False)
        assert client.output("orphan")["output"].strip() == "hello"
        assert task["output"]["lines"] == 1
        until((live.home / "got-hup").exists)
        until(lambda: not is_alive(task["pid"] or 0))
        # Nothing of it stands in the way of another try.
        assert client.restart("orphan")["attempt"] == 2
        until(lambda: client.get("orphan")["connected"])
        client.stop("orphan", signals=["SIGKILL"])
        ended(client, "orphan")


def test_a_removed_socket_is_requested_again(live: LiveServer) -> None:
    """Cleanups of temporary directories remove it; a ptyhost checks on its own only from time to time."""
    with live.client() as client:
        task = client.create(["sleep", "1000"], name="nap")
        live.kill9()
        os.unlink(host_of(live, task)["socket"])
        live.start()
        until(lambda: client.get("nap")["connected"], timeout=15.0)
        assert client.get("nap")["pid"] == task["pid"]


def test_a_task_reported_as_running_runs_for_the_next_server(live: LiveServer) -> None:
    """The server was killed before it had stored that, and the ptyhost does not respond."""
    with live.client() as client:
        task = client.create(["sleep", "1000"], name="nap")
        live.kill9()
        host = psutil.Process(host_of(live, task)["host_pid"])
        host.suspend()
        database = Database(str(directory(live, task).parents[1] / "tasks.db"), lambda: ())
        database.change(task["id"], state=State.STARTING, pid=None, host_pid=None, started=None)
        database.close()
        live.start()
        found = client.get("nap")
        host.resume()
        assert (found["state"], found["pid"], found["started"]) == ("running", task["pid"], task["started"])


def test_a_restart_is_finished_by_another_server(live: LiveServer) -> None:
    """The server dies between the stop and the start."""
    with live.client() as client:
        line = "trap 'until [ -e go ]; do sleep 0.01; done; exit' INT; echo ready; while :; do sleep 0.01; done"
        task = client.create(line, name="task", stop_grace=1000.0)
        until(lambda: b"ready" in client.raw("task").data)
        assert client.restart("task")["state"] == "stopping"
        live.kill9()
        (live.home / "go").touch()
        until((directory(live, task) / "exit.json").exists)
        live.start()
        until(lambda: client.get("task")["attempt"] == 2 and client.get("task")["state"] == "running")
        assert client.get("task")["id"] == task["id"]


def test_a_task_that_cannot_be_started_again_is_not_stopped(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create(["sleep", "1000"], name="nap")
        (directory(live, task) / "spec.json").write_text("garbage")
        with pytest.raises(RequestFailed, match="damaged"):
            client.restart("nap")
        assert client.get("nap")["state"] == "running"
        assert is_alive(task["pid"] or 0)


def test_a_restart_that_fails_is_not_tried_for_ever(live: LiveServer) -> None:
    """No request waits for an attempt that will not start."""
    with live.client() as client:
        line = "trap 'until [ -e go ]; do sleep 0.01; done; exit' INT; echo ready; while :; do sleep 0.01; done"
        task = client.create(line, name="task", stop_grace=1000.0)
        until(lambda: b"ready" in client.raw("task").data)
        client.restart("task")
        (directory(live, task) / "spec.json").write_text("garbage")
        began = time.monotonic()
        (live.home / "go").touch()
        found = client.wait_once("task", 55.0)
        assert time.monotonic() - began < 40.0
        assert (found["state"], found["attempt"], found["state_reason"]) == ("cancelled", 1, "internal_error")
        assert "could not be started" in found["state_message"]


def test_a_ptyhost_that_is_stopped_is_out_of_reach_and_not_lost(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create(["sleep", "1000"], name="nap")
        host = psutil.Process(host_of(live, task)["host_pid"])
        live.kill9()
        host.suspend()
        live.start()
        task = client.get("nap")
        assert (task["state"], task["connected"]) == ("running", False)
        host.resume()
        until(lambda: client.get("nap")["connected"], timeout=10.0)
        assert client.get("nap")["state"] == "running"


def test_a_lost_task_has_the_last_message_of_its_ptyhost(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create("echo hello; exec sleep 1000", name="crash")
        until(lambda: b"hello" in client.raw("crash").data)
        # A crash of Python itself, of which faulthandler writes down what it can.
        os.kill(host_of(live, task)["host_pid"], signal.SIGSEGV)
        task = until_state(live, "crash", "lost")
        assert "Segmentation fault" in task["state_message"]
        assert "Segmentation fault" in live.cli("show", "crash").stdout


def test_processes_left_running_are_reported_and_ended(live: LiveServer) -> None:
    with live.client() as client:
        deaf = "trap '' TERM HUP; echo $$ > left; exec sleep 1000"
        line = f'setsid sh -c "{deaf}" < /dev/null > /dev/null 2>&1 & until [ -s left ]; do sleep 0.01; done'
        client.create(line.replace("$$", "\\$\\$"), name="leaver")
        task = ended(client, "leaver")
        assert (task["state"], task["leftover"]) == ("succeeded", 1)
        assert task["state_message"] == "a process is still running"
        pid = int((live.home / "left").read_text())
        assert is_alive(pid)
        with pytest.raises(RequestFailed):
            client.end_leftover(client.create(["sleep", "1000"], name="nap")["id"])
        # A server that is started again knows of it, too.
        live.kill9()
        live.start()
        assert client.end_leftover("leaver")["leftover"] == 0
        assert not is_alive(pid)
        assert client.end_leftover("leaver")["leftover"] == 0


@pytest.mark.parametrize("same_boot", [True, False])
def test_a_ptyhost_that_vanished_without_a_server(live: LiveServer, same_boot: bool) -> None:
    """The boot id distinguishes a reboot from a killed ptyhost."""
    with live.client() as client:
        task = client.create("echo hello; exec sleep 1000", name="gone")
        until(lambda: b"hello" in client.raw("gone").data)
        live.kill9()
        kill_host(live, task)
        until(lambda: not is_alive(task["pid"] or 0))
        if not same_boot:
            record = {**host_of(live, task), "boot_id": "00000000-0000-0000-0000-000000000000"}
            (directory(live, task) / "host.json").write_text(json.dumps(record))
        live.start()
        task = until_state(live, "gone", "lost")
        assert task["state_reason"] == ("host_vanished" if same_boot else "reboot")
        assert client.output("gone")["output"].strip() == "hello"
