"""The queue continues without a server: each task is started once, whatever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.client.live import until
from tests.scheduler.outside import begun, ended, has_begun, has_no_task, is_over, is_running, scheduler, submit_many

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.client.live import LiveServer


def test_a_scheduler_sleeps_while_nothing_changes(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    with server.client() as client:
        client.set_group("one", slots=1)
        client.create("exec sleep 1000", name="runs", group="one")
        client.create("true", name="next", group="one")
        until(lambda: is_running(client, "runs"), "the first task")
        running = until(lambda: scheduler(server), "the scheduler")
        woken = [(running.num_ctx_switches().voluntary, time.monotonic())]

        def is_asleep() -> bool:
            count, now = running.num_ctx_switches().voluntary, time.monotonic()
            if count != woken[-1][0]:
                woken.append((count, now))
            return now - woken[-1][1] > 4.0

        until(is_asleep, "four seconds of sleep")
        # A ptyhost that is killed tells nobody that it has ended.
        os.kill(psutil.Process(client.get("runs")["pid"]).ppid(), signal.SIGKILL)
        assert client.wait("next", 30)["state"] == "succeeded"


def test_a_task_that_fails_after_the_scheduler_has_left_is_run_again(
    start_server: Callable[..., LiveServer], tmp_path: Path
) -> None:
    server = start_server()
    gate = tmp_path / "gate"
    line = f"echo >> {tmp_path}/runs; until [ -e {gate} ]; do sleep 0.02; done; exit 1"
    with server.client() as client:
        task = client.create(line, retry={"max": 1, "delay": 0})
        until(lambda: client.get(task["id"])["state"] == "running", "the first attempt")
        until(lambda: scheduler(server) is None, "the scheduler to leave")
        server.kill9()
        gate.touch()
        until(lambda: (tmp_path / "runs").read_text() == "\n\n", "the second attempt")
        server.start()
        ended = client.wait(task["id"], 30)
    assert (ended["state"], ended["attempt"]) == ("failed", 2)


def test_a_task_that_is_lost_after_the_scheduler_has_left_is_run_again(start_server: Callable[..., LiveServer]) -> None:
    """Its ptyhost, which would wake a scheduler at its end, is killed."""
    server = start_server()
    with server.client() as client:
        line = "[ $PTYTASK_ATTEMPT = 2 ] || exec sleep 1000"
        task = client.create(line, retry={"max": 1, "delay": 0.1})
        until(partial(is_running, client, task["id"]), "the first attempt")
        until(lambda: scheduler(server) is None, "the scheduler to leave")
        record = server.home / "data" / "ptytasks" / "tasks" / task["id"] / "host.json"
        psutil.Process(json.loads(record.read_text())["host_pid"]).kill()
        until(lambda: client.get(task["id"])["attempt"] == 2, "another attempt", 30)
        assert client.wait(task["id"], 30)["state"] == "succeeded"


def kill_scheduler(server: LiveServer) -> None:
    running = scheduler(server)
    if running is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            running.kill()


def assert_all_ran_once(server: LiveServer, log: Path, count: int) -> None:
    until(lambda: len(ended(server)) == count, "all ends")
    assert sorted(map(int, begun(log))) == list(range(count))
    assert ended(server) == ["0"] * count
    gone = scheduler(server)
    if gone is not None:
        gone.wait(30)  # nothing waits any more: it leaves


@pytest.mark.parametrize("victim", ["server", "scheduler"])
def test_all_run_once_if_a_process_is_killed(
    start_server: Callable[..., LiveServer], tmp_path: Path, victim: str
) -> None:
    server = start_server()
    log = tmp_path / "log"
    submit_many(server, log, 12, 2, "sleep 0.2")
    until(lambda: scheduler(server), "the scheduler")
    if victim == "server":
        os.kill(server.pid, signal.SIGKILL)
    for _ in range(3 if victim == "scheduler" else 0):
        kill_scheduler(server)
        until(partial(has_begun, log, min(len(begun(log)) + 1, 12)), "another start")
    assert_all_ran_once(server, log, 12)


def test_all_run_once_if_server_and_scheduler_are_killed(
    start_server: Callable[..., LiveServer], tmp_path: Path
) -> None:
    """The remaining processes continue: each ptyhost at its end."""
    server = start_server()
    log = tmp_path / "log"
    submit_many(server, log, 8, 2, "sleep 0.1")
    until(partial(has_begun, log, 1), "the first")
    os.kill(server.pid, signal.SIGKILL)
    while len(begun(log)) < 8:
        kill_scheduler(server)
        until(partial(has_begun, log, min(len(begun(log)) + 1, 8)), "another start")
    assert_all_ran_once(server, log, 8)


def test_the_last_ptyhost_stays_until_the_scheduler_has_looked(
    start_server: Callable[..., LiveServer], tmp_path: Path
) -> None:
    """If the server was killed, and the scheduler is killed while no task runs, no other process can start one."""
    server = start_server()
    log = tmp_path / "log"
    submit_many(server, log, 3, 1, f"until [ -e {tmp_path}/{{number}} ]; do sleep 0.02; done")
    until(partial(has_begun, log, 1), "the first")
    os.kill(server.pid, signal.SIGKILL)
    for count in (1, 2):
        busy = until(partial(scheduler, server), "a scheduler")
        until(partial(has_no_task, busy), "the start to be done")
        busy.suspend()
        (tmp_path / begun(log)[-1]).touch()
        until(partial(is_over, server, count), "its end")
        busy.kill()
        until(partial(has_begun, log, count + 1), "the next")
    (tmp_path / begun(log)[-1]).touch()
    assert_all_ran_once(server, log, 3)


def test_a_scheduler_whose_directory_is_removed_leaves(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    with server.client() as client:
        client.create("true", hold=True)
        client.create("true", not_before="2100-01-01T00:00:00Z")
    running = until(lambda: scheduler(server), "the scheduler")
    server.kill9()
    (server.home / "data").rename(server.home / "elsewhere")
    running.wait(30)


def test_a_restart_of_the_machine(start_server: Callable[..., LiveServer]) -> None:
    """What was queued stays queued, and a group with lost tasks is paused until a user resumes it, unless its tasks
    may be run again.
    """
    server = start_server()
    with server.client() as client:
        for group in ("lost", "again"):
            client.set_group(group, slots=1)
            client.create("sleep 1000", name=f"{group}-1", group=group, retry={"max": 3} if group == "again" else None)
            until(partial(is_running, client, f"{group}-1"), "a start")
            client.create("sleep 1000", name=f"{group}-2", group=group)
    os.kill(server.pid, signal.SIGKILL)
    running = scheduler(server)
    if running is not None:
        running.kill()
    for path in (server.home / "data" / "ptytasks" / "tasks").glob("*/host.json"):
        record = json.loads(path.read_text())
        host = psutil.Process(record["host_pid"])
        for process in [host, *host.children(recursive=True)]:
            process.kill()
        path.write_text(json.dumps({**record, "boot_id": "00000000-0000-0000-0000-000000000000"}))
    with start_server().client() as client:
        until(lambda: client.get("lost-1")["state"] == "lost", "the loss to be noted")
        assert client.get("lost-1")["state_reason"] == "reboot"
        until(lambda: client.group("lost")["paused"], "the group to be paused")
        assert client.group("lost")["reason"] == "the machine was restarted while a task ran"
        assert client.get("lost-2")["state"] == "queued"
        until(lambda: client.get("again-1")["attempt"] == 2, "another attempt")
        assert not client.group("again")["paused"]
        client.resume_group("lost")
        until(lambda: is_running(client, "lost-2"), "the next one")
