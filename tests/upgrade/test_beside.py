"""A server of an earlier version that does not know the queue: it neither loses nor starts pending tasks, and its
writes do not remove newer fields.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.client.live import LiveServer, until
from tests.scheduler.outside import scheduler
from tests.upgrade.conftest import EarlierServer, Environment

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Client

pytestmark = pytest.mark.slow

#: What waits: nothing of it may start before its group has slots, it is released, or its time has come.
WAITING = ("queued-0", "queued-1", "queued-2", "follower", "held", "later", "s[x=0]", "s[x=1]")


def states(client: Client) -> dict[str, str]:
    return {task["name"]: task["state"] for task in client.all()}


def submit(client: Client, log: Path) -> None:
    """Queue tasks that write their names to `log` when they run."""
    client.set_group("g", slots=0)
    for number in range(3):
        client.create(f"echo queued-{number} >> {log}", name=f"queued-{number}", group="g", retry={"max": 2})
    client.create(f"echo follower >> {log}", name="follower", after=["queued-0"])
    client.create(f"echo held >> {log}", name="held", hold=True)
    client.create(f"echo later >> {log}", name="later", not_before="2100-01-01T00:00:00Z")
    client.create_sweep(f"echo 's[x={{x}}]' >> {log}", {"x": [0, 1]}, name="s", group="g", max_failures=2)


def grow_old(tasks: Path) -> Path:
    """Let the directories of tasks seem old, so that a server would clean up what it takes for left behind; return one
    that is left behind.
    """
    left = tasks / "mwp0c3k9d2zz"
    left.mkdir()
    before = time.time() - 7200
    for directory in tasks.iterdir():
        os.utime(directory, (before, before))
    return left


def test_an_older_server_beside_a_queue(earlier_wheel: Path, tmp_path: Path) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    tasks = home / "data" / "ptytasks" / "tasks"
    earlier = EarlierServer(home, Environment(tmp_path / "environment", earlier_wheel))
    today = LiveServer(home).start()
    try:
        with today.client() as client:
            submit(client, log)
            before = {task["name"]: task for task in client.all()}
            left = grow_old(tasks)
            earlier.start()
            until(lambda: not left.exists(), "the earlier server to clean up")
            assert set(states(client)) == set(WAITING)
            assert {name: task["state"] for name, task in before.items()} == states(client)
            assert not log.exists()
        # Now it is alone, and nobody is there to start anything.
        today.kill9()
        running = scheduler(today)
        if running is not None:
            running.kill()
            running.wait(10)
        with earlier.client() as old:
            until(lambda: set(states(old)) == set(WAITING), "the earlier server to list them")
            old.create("true", name="plain")
            old.wait("plain")
        assert not log.exists()
        # Both are there while it goes on.
        with today.start().client() as client:
            client.set_group("g", slots=2)
            client.release("held")
            done = [name for name in WAITING if name != "later"]
            for name in done:
                assert client.wait(name, 60)["state"] == "succeeded", name
            assert sorted(log.read_text().split()) == sorted(done)
            assert client.get("later")["state"] == "queued"
            assert client.sweep("s")["states"]["succeeded"] == 2
            for name in done:
                task, was = client.get(name), before[name]
                same = ("retry", "sweep", "params", "after", "group", "attempt")
                assert [task[key] for key in same] == [was[key] for key in same], name  # type: ignore[literal-required]
            client.delete("later", stop=True)
    finally:
        earlier.kill9()
        today.stop()


def test_an_older_server_that_notes_an_end(earlier_wheel: Path, tmp_path: Path) -> None:
    """It writes the task without fields that it does not know: the sweep and the retries."""
    home, go = tmp_path / "home", tmp_path / "go"
    earlier = EarlierServer(home, Environment(tmp_path / "environment", earlier_wheel))
    today = LiveServer(home).start()
    try:
        with today.client() as client:
            line = f"until [ -e {go} ]; do sleep 0.05; done; [ $PTYTASK_ATTEMPT = 2 ] # {{x}}"
            client.create_sweep(line, {"x": [1]}, name="s", retry={"max": 2, "delay": 0.1})
            until(lambda: states(client) == {"s[x=1]": "running"}, "the start")
        today.kill9()
        running = scheduler(today)
        if running is not None:
            running.kill()
            running.wait(10)
        # Without it, the ptyhost starts no scheduler, which would be quicker than the server.
        (home / "data" / "ptytasks" / "queue.pending").unlink()
        with earlier.start().client() as old:
            until(lambda: old.get("s[x=1]")["connected"], "the earlier server to find the task")
            go.touch()
            until(lambda: states(old) == {"s[x=1]": "failed"}, "the earlier server to note the end")
        earlier.kill9()
        with today.start().client() as client:
            task = client.wait("s[x=1]", 60)
            assert (task["state"], task["attempt"], task["params"]) == ("succeeded", 2, {"x": 1})
            assert client.sweep("s")["states"]["succeeded"] == 1
    finally:
        earlier.kill9()
        today.stop()
