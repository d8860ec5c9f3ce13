"""The queue with hosts over ssh: the scheduler has its own connection, so it needs no server."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from jupyter_ptytasks.core.files import read_json
from tests.client.live import LiveServer, ended, until
from tests.server.conftest import end_scheduler
from tests.ssh.documented import commands
from tests.ssh.test_ssh_place import BOX, is_same, output

if TYPE_CHECKING:
    from jupyter_ptytasks.client import Client, Task
    from tests.ssh.sshd import Sshd


def ran(sshd: Sshd) -> list[str]:
    """Return what was written to the file `log` there, line by line."""
    log = sshd.home / "log"
    return log.read_text().split() if log.exists() else []


def told(client: Client, task: Task) -> str:
    """Return what a task is said to wait for."""
    queue = client.get(task["id"])["queue"]
    return queue["text"] if queue else ""


def test_a_group_limits_tasks_there_also_without_a_server(live: LiveServer, sshd: Sshd) -> None:
    log = f">> {sshd.home}/log"
    gate = f"echo first {log}; until [ -e {sshd.home}/go ]; do sleep 0.05; done"
    with live.client() as client:
        client.set_group("one", slots=1)
        first = client.create(gate, place=BOX, group="one")
        again = f"echo $WHAT-$PTYTASK_ATTEMPT {log}; exit $((2-$PTYTASK_ATTEMPT))"
        given = {"WHAT": "second"}
        second = client.create(again, place=BOX, group="one", retry={"max": 1, "delay": 0.1}, env=given)
        third = client.create(f"echo third {log}", place=BOX, group="one", priority=-1)
        held = client.create(f"echo held {log}", place=BOX, hold=True)
        after = client.create(f"echo after {log}", place=BOX, after=[third["id"]])
        here = client.create("echo here", after=[after["id"]])
        until(lambda: ran(sshd) == ["first"])
        assert "1 of 1 slots" in told(client, second)
        assert client.get(held["id"])["state"] == "held"
        assert client.hold(third["id"])["state"] == "held"
        assert client.release(third["id"])["state"] == "queued"
        until(lambda: client.get(first["id"])["connected"])
    live.kill9()
    (sshd.home / "go").touch()
    until(lambda: ran(sshd) == ["first", "second-1", "second-2", "third", "after"], "all to run in their order")
    until(lambda: os.path.exists(live.home / "data/ptytasks/tasks" / here["id"] / "exit.json"), "the last one to end")
    live.start()
    with live.client() as client:
        done = {task["id"]: ended(client, task["id"]) for task in (first, second, third, after, here)}
        assert {task["state"] for task in done.values()} == {"succeeded"}
        assert done[second["id"]]["attempt"] == 2
        assert all(is_same(done[task["id"]], sshd) for task in (first, second, third, after))
        client.update(held["id"], command=f"pwd; echo held {log}")
        assert client.release(held["id"])["state"] == "queued"
        assert output(client, ended(client, held["id"])) == f"{sshd.there}\n"
        kept = [task["id"] for task in (first, second, third, after, held)]
        tasks = live.home / "data" / "ptytasks" / "tasks"
        until(lambda: not any((tasks / one / "environment.json").exists() for one in kept))


def test_a_sweep_runs_there_and_a_host_that_cannot_be_reached_says_so(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        client.set_group("two", slots=2)
        made = client.create_sweep("echo $((10+{n})); sleep 0.1", {"n": [1, 2, 3, 4]}, place=BOX, group="two")
        tasks = list(client.all(sweep=made["id"]))
        assert sorted(output(client, ended(client, task["id"])) for task in tasks) == ["11\n", "12\n", "13\n", "14\n"]
        locked = client.create("true", place="ssh:locked", priority=1)
        until(lambda: "run `ssh locked` in a terminal" in told(client, locked))
        held = client.create("true", place=BOX, hold=True)
        assert (held["state"], client.stop(held["id"])["state"]) == ("held", "cancelled")
        assert client.stop(locked["id"])["state"] == "cancelled"
        assert {ended(client, task["id"])["attempt"] for task in (held, locked)} == {1}
        # The others do not wait for that host.
        other = client.create("echo other", place=BOX, priority=1)
        assert output(client, ended(client, other["id"])) == "other\n"


def test_a_scheduler_that_is_killed_leaves_no_doubt_about_what_it_was_starting(live: LiveServer, sshd: Sshd) -> None:
    """At any point: the task is started exactly once."""
    tasks = []
    with live.client() as client:
        for number in range(4):
            task = client.create(f"echo {number} >> {sshd.home}/log", place=BOX, priority=1)
            tasks.append(task)
            record = read_json(str(live.home / "data" / "ptytasks" / "scheduler.pid.json")) or {}
            until(lambda task=task: client.get(task["id"])["state"] != "queued")  # type: ignore[misc]
            if number % 2 and "pid" in record:
                try:
                    os.kill(record["pid"], signal.SIGKILL)
                except ProcessLookupError:
                    pass
            else:
                end_scheduler(live.home / "data")
        assert {ended(client, task["id"])["state"] for task in tasks} == {"succeeded"}
        assert sorted(ran(sshd)) == ["0", "1", "2", "3"]


def test_the_page_about_other_machines_says_what_works(live: LiveServer, sshd: Sshd) -> None:
    sshd.config.write_text(sshd.config.read_text().replace("Host box\n", "Host box gpu1\n"))
    (live.home / ".ssh").mkdir()
    (live.home / ".ssh" / "config").write_text(sshd.config.read_text())
    (sshd.there / "train.py").write_text("import sys; print('trained', *sys.argv[1:])\n")
    places, run, attach = commands("## In two minutes")
    assert "ssh:gpu1" in live.cli(*places).stdout
    assert live.cli(*run).returncode == 0
    with live.terminal(*attach) as terminal:
        terminal.until(b"trained")
    group, sweep = commands("## What is different there")
    for command in (group, sweep):
        done = live.cli(*command)
        assert done.returncode == 0, done.stderr
    with live.client() as client:
        lines = {output(client, ended(client, task["id"])) for task in client.all(group="two")}
    # The directory is not that of the server.
    assert lines == {"trained --lr 1e-3\n", "trained --lr 1e-4\n"}
