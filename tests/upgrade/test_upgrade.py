"""Tasks outlive upgrades: those started by an earlier version, which is no longer installed, are shown, typed into,
stopped and restarted.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, NamedTuple

import psutil
import pytest

from tests.client.live import LiveServer, ended, until
from tests.upgrade.conftest import EarlierServer, Environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyter_ptytasks.client import Client, Task

pytestmark = pytest.mark.slow

#: Answers each line that is typed.
TALK = "printf '\\033[1mready\\033[0m\\n'; while read line; do echo \"got $line\"; done"
#: Says which signals it gets, and ends by the second.
STUBBORN = "trap 'echo not yet' USR1; trap 'echo all right; exit 7' USR2; echo waiting; while :; do sleep 0.1; done"
GRACE = 0.2


class Upgraded(NamedTuple):
    """The server of today, its client, and the tasks as the earlier server told them, by their names."""

    server: LiveServer
    client: Client
    before: dict[str, Task]


def shows(client: Client, name: str, text: str) -> bool:
    """Whether `text` is in the output of a task."""
    return text in client.output(name)["output"]


@pytest.fixture(scope="module")
def upgraded(earlier_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """Start tasks with the earlier version, kill its server, uninstall it, and start the server of today."""
    root = tmp_path_factory.mktemp("upgrade").resolve()
    home, go = root / "home", root / "go"
    environment = Environment(root / "environment", earlier_wheel)
    earlier = EarlierServer(home, environment).start()
    today = LiveServer(home)
    try:
        with earlier.client() as client:
            client.create("echo one; seq 5000; exit 3", name="finished", tags=["old"], metadata={"run": 7})
            client.wait("finished")
            client.create(TALK, name="running", group="training", env={"PS1": "$ "}, rows=30, cols=90)
            client.create(TALK, name="again", if_exists="restart")
            client.create("exec sleep 1000", name="paused")
            client.create("exec sleep 1000", name="deleted")
            client.create(f"echo before; until [ -e {go} ]; do sleep 0.05; done; echo after; exit 5", name="meanwhile")
            client.create(STUBBORN, name="stubborn", stop_signals=["SIGUSR1", "SIGUSR2"], stop_grace=GRACE)
            client.pause("paused")
            until(lambda: client.get("paused")["state"] == "paused")
            shown = (("running", "ready"), ("again", "ready"), ("stubborn", "waiting"), ("meanwhile", "before"))
            for name, text in shown:
                until(functools.partial(shows, client, name, text))
            before = {str(task["name"]): task for task in client.all()}
        for name in ("running", "again", "paused", "deleted", "meanwhile", "stubborn"):
            record = home / "data" / "ptytasks" / "tasks" / before[name]["id"] / "host.json"
            command = psutil.Process(json.loads(record.read_text())["host_pid"]).cmdline()
            assert str(environment.library) in " ".join(command)
        earlier.kill9()
        environment.uninstall()
        go.touch()
        with today.start().client() as client:
            until(lambda: all(task["connected"] or not task["alive"] for task in client.all()))
            yield Upgraded(today, client, before)
    finally:
        today.stop()


def test_all_are_there_and_are_what_they_were(upgraded: Upgraded) -> None:
    for name, was in upgraded.before.items():
        task = upgraded.client.get(was["id"])
        same = ("name", "command", "cwd", "created", "attempt", "group", "tags", "metadata", "rows", "cols")
        assert [task[key] for key in same] == [was[key] for key in same], name  # type: ignore[literal-required]


def test_a_finished_one_is_as_reported(upgraded: Upgraded) -> None:
    task, was = upgraded.client.get("finished"), upgraded.before["finished"]
    assert (task["state"], task["exit"], task["ended"]) == (was["state"], was["exit"], was["ended"])
    text = upgraded.client.output("finished", mode="tail", tail_lines=2)
    assert (text["output"], text["total_lines"]) == ("4999\n5000\n", 5001)
    assert upgraded.client.raw("finished").data.startswith(b"one\r\n1\r\n")


def test_changes_without_a_server_are_found(upgraded: Upgraded) -> None:
    task = ended(upgraded.client, "meanwhile")
    assert (task["state"], task["exit"]["code"] if task["exit"] else None) == ("failed", 5)
    assert upgraded.client.output("meanwhile")["output"] == "before\nafter\n"


def test_a_running_one_is_replayed_and_typed_into(upgraded: Upgraded) -> None:
    client, was = upgraded.client, upgraded.before["running"]
    task = client.get("running")
    assert (task["state"], task["pid"], task["started"]) == ("running", was["pid"], was["started"])
    client.send_input("running", "by REST")
    until(lambda: "got by REST" in client.output("running")["output"])
    with upgraded.server.terminal("attach", "running", rows=25, cols=80) as terminal:
        terminal.until(b"1mready")
        terminal.until(b"got by REST")
        terminal.type(b"by hand\r")
        terminal.until(b"got by hand")
        until(lambda: client.get("running")["viewers"] == 1)
        terminal.type(b"\x1c\x1c")
        assert terminal.end() == 0
    assert client.get("running")["cols"] == 80


def test_a_paused_one_continues(upgraded: Upgraded) -> None:
    assert upgraded.client.get("paused")["state"] == "paused"
    upgraded.client.resume("paused")
    until(lambda: upgraded.client.get("paused")["state"] == "running")


def test_it_is_stopped_by_its_own_sequence(upgraded: Upgraded) -> None:
    upgraded.client.stop("stubborn")
    task = ended(upgraded.client, "stubborn")
    assert (task["state"], task["exit"]["code"] if task["exit"] else None) == ("cancelled", 7)
    lines = upgraded.client.output("stubborn")["output"].splitlines()
    # The shell says, too, what its `sleep` died of.
    assert [line for line in lines if not line.startswith("User defined")] == ["waiting", "not yet", "all right"]


def test_it_is_restarted_and_then_hosted_by_this_version(upgraded: Upgraded) -> None:
    client, was = upgraded.client, upgraded.before["again"]
    client.restart("again", signals=["SIGKILL"])
    until(lambda: client.get("again")["attempt"] == 2 and client.get("again")["connected"])
    task = client.get("again")
    assert (task["id"], task["state"]) == (was["id"], "running")
    assert task["pid"] != was["pid"]
    client.send_input("again", "hello")
    until(lambda: "got hello" in client.output("again")["output"])
    assert client.output("again")["output"].count("ready") == 2


def test_another_like_it_is_started(upgraded: Upgraded) -> None:
    task = ended(upgraded.client, upgraded.client.again(upgraded.before["finished"]["id"], name="like it")["id"])
    assert (task["state"], task["tags"], task["command"]) == ("failed", ["old"], upgraded.before["finished"]["command"])


def test_it_is_deleted(upgraded: Upgraded) -> None:
    upgraded.client.delete("deleted", stop=True)
    assert upgraded.before["deleted"]["id"] not in [task["id"] for task in upgraded.client.all()]
