"""Tasks at a place `ssh:<host>`, with a real sshd: they behave like local tasks, and outlive server and connection."""

from __future__ import annotations

import base64
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.client import RequestFailed
from jupyter_ptytasks.core.files import read_json
from tests.client.live import LiveServer, ended, until
from tests.ptyhost.hosting import is_alive
from tests.ssh.sshd import Sshd, content

if TYPE_CHECKING:
    from jupyter_ptytasks.client import Client, Task

BOX = "ssh:box"


def output(client: Client, task: Task) -> str:
    return client.output(task["id"], tail_lines=1000)["output"]


def exited(code: int) -> dict[str, int | None]:
    """Return the exit of a command that has exited."""
    return {"code": code, "signal": None}


def counting(sshd: Sshd) -> str:
    """Return a command that counts until there is a file `stop`."""
    return f"i=0; while [ ! -e {sshd.home}/stop ]; do i=$((i+1)); echo $i; sleep 0.01; done"


def is_same(task: Task, sshd: Sshd) -> bool:
    """Return whether the copy of a task's output is that output, byte for byte."""
    there = content(sshd.files(task["id"]).output)
    return bool(there) and there == content(task["output"]["directory"])


def test_a_task_runs_there_is_typed_to_and_ends(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        command = "pwd; echo $WHAT ${JUPYTER_SERVER_ROOT-unset} $PTYTASK_NAME; read line; echo got $line; exit 3"
        task = client.create(command, name="far", place=BOX, env={"WHAT": "given"})
        assert (task["state"], task["place"]) == ("running", BOX)
        until(lambda: client.get(task["id"])["connected"])
        client.send_input(task["id"], "hello", newline=True)
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]) == ("failed", exited(3))
        assert output(client, done).split("\n")[:4] == [str(sshd.there), "given unset far", "hello", "got hello"]
        assert is_same(done, sshd)
        assert done["output"]["end"] == len(b"".join(log for _, log, _ in content(done["output"]["directory"])))


def test_a_copy_of_a_task_may_run_there(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        (sshd.there / "runs").mkdir()
        made = live.cli("run", "-n", "here", "-e", "SEED=1", "--gpus", "0", "--", 'echo "$PWD $SEED"; echo loss 7')
        ended(client, made.stdout.split()[0])
        options = ("--place", BOX, "--cwd", "runs", "--metric-pattern", r"loss (?P<loss>\S+)")
        again = json.loads(live.cli("again", "here", *options, "--json").stdout)
        done = ended(client, again["id"])
        assert (done["state"], done["place"], done["cwd"]) == ("succeeded", BOX, "runs")
        assert output(client, done).startswith(f"{sshd.there / 'runs'} 1\n")
        assert client.details(again["id"])["environment"] == ["SEED"]
        assert client.get(again["id"])["metrics"]["loss"]["value"] == 7
        back = ended(client, client.again(again["id"], place="local", cwd=str(live.home))["id"])
        assert (back["state"], back["place"]) == ("succeeded", "local")


def test_what_cannot_run_there_leaves_nothing(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"command": "true", "cwd": "/nowhere/at/all"}, "cwd"),
            ({"command": ["/no/such/program"]}, "command"),
            ({"command": "true", "resources": {"cpus": 2}}, "resources.cpus"),
            ({"command": "true", "place": "elsewhere"}, "place"),
            ({"command": "true", "place": "ssh:-oProxyCommand=x"}, "place"),
        ]
        for about, field in wrong:
            with pytest.raises(RequestFailed) as caught:
                client.create(**{"place": BOX, **about})
            assert (caught.value.http_status, caught.value.field) == (400, field)
        assert not client.list()["tasks"]
        until(lambda: not os.listdir(sshd.files("").dir))


def test_a_host_that_asks_for_something_says_what_to_do(live: LiveServer) -> None:
    with live.client() as client:
        with pytest.raises(RequestFailed, match="run `ssh locked` in a terminal"):
            client.create("true", place="ssh:locked")
        assert not client.list()["tasks"]
        place = {about["name"]: about for about in client.places()}["ssh:locked"]
        assert (place["reachable"], place["login"], place["resources"]) == (False, "ssh locked", [])
        assert "Permission denied" in (place["problem"] or "")


def test_the_hosts_of_the_configuration_are_places(live: LiveServer, sshd: Sshd) -> None:
    (live.home / ".ssh").mkdir()
    (live.home / ".ssh" / "config").write_text(sshd.config.read_text())
    with live.client() as client:
        names = [about["name"] for about in client.places() if about["kind"] != "slurm"]
        assert names == ["local", "ssh:box", "ssh:locked"]
        client.create("true", place=BOX)
        assert {about["name"]: about["reachable"] for about in client.places()}[BOX] is True
    assert ["ssh:box", "reachable"] in [line.split() for line in live.cli("places").stdout.split("\n")]


def test_stop_pause_and_resume_reach_it(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        task = client.create("trap 'echo bye; exit 4' INT; while :; do sleep 0.1; done", place=BOX)
        assert client.pause(task["id"])["state"] == "paused"
        assert client.resume(task["id"])["state"] == "running"
        client.stop(task["id"])
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]) == ("cancelled", exited(4))
        assert "bye" in output(client, done)
        assert (read_json(sshd.files(task["id"]).exit) or {})["code"] == 4


def test_a_restart_continues_in_the_same_output(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        task = client.create("echo once more; sleep 0.2", place=BOX)
        ended(client, task["id"])
        again = client.restart(task["id"])
        assert (again["attempt"], again["place"]) == (2, BOX)
        done = ended(client, task["id"])
        assert done["state"] == "succeeded"
        assert output(client, done).count("once more") == 2
        assert is_same(done, sshd)
        other = client.again(task["id"])
        assert (other["place"], other["cwd"]) == (BOX, task["cwd"])
        ended(client, other["id"])


def test_leftovers_there_cannot_be_ended_from_here(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        task = client.create("nohup setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!; sleep 0.3", place=BOX)
        done = ended(client, task["id"])
        pid = int(output(client, done))
        try:
            assert done["leftover"] == 1
            with pytest.raises(RequestFailed, match=BOX) as caught:
                client.end_leftover(task["id"])
            assert caught.value.http_status == 409
            assert client.get(task["id"])["leftover"] == 1
            assert is_alive(pid)
        finally:
            os.kill(pid, signal.SIGKILL)


# -- without a server --------------------------------------------------------------------------------------------------


def test_a_task_keeps_running_while_the_server_is_dead(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        task = client.create(counting(sshd), place=BOX)
        until(lambda: "5" in output(client, task).split())
    live.kill9()
    until(lambda: not sshd.connections())
    size = os.path.getsize(Path(sshd.files(task["id"]).output) / f"{0:020d}.log")
    until(lambda: os.path.getsize(Path(sshd.files(task["id"]).output) / f"{0:020d}.log") > size + 100)
    live.start()
    with live.client() as client:
        seen = until(lambda: ended_or_connected(client, task))
        assert (seen["state"], seen["attempt"], seen["pid"]) == ("running", 1, task["pid"])
        (sshd.home / "stop").touch()
        done = ended(client, task["id"])
        assert done["state"] == "succeeded"
        lines = Path(done["output"]["directory"], f"{0:020d}.log").read_bytes().split()
        assert lines == [b"%d" % number for number in range(1, len(lines) + 1)]
        assert is_same(done, sshd)


def ended_or_connected(client: Client, task: Task) -> Task | None:
    found = client.get(task["id"])
    return found if found["connected"] or found["ended"] else None


def test_an_end_without_a_server_is_believed_after_its_output(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        command = f"echo begun; while [ ! -e {sshd.home}/go ]; do sleep 0.02; done; seq 1 300000; exit 9"
        task = client.create(command, place=BOX)
        until(lambda: "begun" in output(client, task))
    live.kill9()
    (sshd.home / "go").touch()
    until(lambda: os.path.exists(sshd.files(task["id"]).exit))
    live.start()
    with live.client() as client:
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]) == ("failed", exited(9))
        assert done["output"]["lines"] == 300_001
        assert is_same(done, sshd)
        assert (read_json(str(Path(done["output"]["directory"]).parent / "exit.json")) or {})["code"] == 9


def test_a_lost_connection_ends_no_task_and_loses_no_byte(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        task = client.create(counting(sshd), place=BOX)
        until(lambda: "5" in output(client, task).split())
        for _ in range(3):
            before = client.get(task["id"])["output"]["end"]
            sshd.cut()
            until(lambda: client.get(task["id"])["connected"] and client.get(task["id"])["output"]["end"] > before + 50)  # noqa: B023
        (sshd.home / "stop").touch()
        done = ended(client, task["id"])
        assert (done["state"], done["attempt"]) == ("succeeded", 1)
        lines = Path(done["output"]["directory"], f"{0:020d}.log").read_bytes().split()
        assert lines == [b"%d" % number for number in range(1, len(lines) + 1)]
        assert is_same(done, sshd)


def test_an_unreachable_host_ends_no_task(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        task = client.create(f"echo here; while [ ! -e {sshd.home}/stop ]; do sleep 0.02; done", place=BOX)
        until(lambda: "here" in output(client, task))
        sshd.stop()
        sshd.cut()
        until(lambda: not client.get(task["id"])["connected"])
        seen = client.get(task["id"])
        assert (seen["state"], output(client, seen)) == ("running", "here\n")
        with pytest.raises(RequestFailed) as caught:
            client.stop(task["id"])
        assert caught.value.http_status == 503
        (sshd.home / "stop").touch()
        until(lambda: os.path.exists(sshd.files(task["id"]).exit))
        assert client.get(task["id"])["state"] == "running"
        sshd.start()
        assert ended(client, task["id"])["state"] == "succeeded"


def test_a_ptyhost_that_was_killed_there_is_lost_with_its_output(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        task = client.create("echo last words; sleep 1000", place=BOX)
        until(lambda: "last words" in output(client, task))
        host = read_json(sshd.files(task["id"]).host) or {}
        os.kill(host["host_pid"], signal.SIGKILL)
        until(lambda: not is_alive(host["host_pid"]))
        done = ended(client, task["id"])
        assert (done["state"], done["state_reason"]) == ("lost", "host_vanished")
        assert "box" in done["state_message"]
        assert "last words" in output(client, done)


def test_a_server_that_dies_while_it_starts_one_leaves_no_doubt(live: LiveServer, sshd: Sshd) -> None:
    """At any point, the task either runs and is known, or never runs."""
    with live.client() as client:
        ended(client, client.create("true", place=BOX)["id"])
    for number in range(4):
        marker = sshd.home / f"ran-{number}"
        with live.client(timeout=0.01 * 3**number) as client:
            try:
                client.create(f"touch {marker}; sleep 1000", name=f"doubtful-{number}", place=BOX)
            except Exception:  # noqa: BLE001  it is to be cut off
                pass
        live.kill9()
        live.start()
        with live.client() as client:
            found = [task for task in client.list()["tasks"] if task["name"] == f"doubtful-{number}"]
            if not found:
                continue
            task = until(lambda: settled(client, found[0]))  # noqa: B023
            if task["state"] == "running":
                until(marker.exists)
            else:
                assert (task["state_reason"], marker.exists()) == ("start_interrupted", False)


def settled(client: Client, task: Task) -> Task | None:
    found = client.get(task["id"])
    return found if found["state"] != "starting" else None


# -- what is deleted ---------------------------------------------------------------------------------------------------


def noted(live: LiveServer) -> list[str]:
    """Return the tasks that are still to be removed elsewhere."""
    directory = live.home / "data" / "ptytasks" / "removals"
    return os.listdir(directory) if directory.exists() else []


def test_a_task_deleted_here_is_removed_there(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        first, second, kept = (client.create("echo one", place=BOX, tags=[tag]) for tag in ("a", "b", "c"))
        for task in (first, second, kept):
            ended(client, task["id"])
        client.delete(first["id"])
        assert live.cli("prune", "--tag", "b").returncode == 0
        until(lambda: os.listdir(sshd.files("").dir) == [kept["id"]])
        until(lambda: not noted(live))
        assert output(client, kept) == "one\n"
        # What cannot be noted keeps nothing from being deleted.
        (live.home / "data/ptytasks/removals").rmdir()
        (live.home / "data/ptytasks/removals").write_text("a file")
        client.delete(kept["id"])
        assert not client.list()["tasks"]


def test_deleting_does_not_wait_for_an_unreachable_host(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        done = client.create("true", place=BOX)
        ended(client, done["id"])
        running = client.create(f"while [ ! -e {sshd.home}/stop ]; do sleep 0.02; done", place=BOX)
        until(lambda: client.get(running["id"])["connected"])
        sshd.stop()
        sshd.cut()
        client.delete(done["id"])
        until(lambda: client.get(running["id"])["state_message"] == "box is not reachable")
        with pytest.raises(RequestFailed) as caught:
            client.delete(running["id"], stop=True)
        assert caught.value.http_status == 503
        client.delete(running["id"], force=True)
        assert not client.list()["tasks"]
        assert sorted(noted(live)) == sorted([done["id"], running["id"]])
        assert sorted(os.listdir(sshd.files("").dir)) == sorted([done["id"], running["id"]])
    live.kill9()
    sshd.start()
    live.start()
    with live.client() as client:
        ended(client, client.create("true", name="reaches", place=BOX)["id"])
        # What runs there is not robbed of its directory.
        until(lambda: noted(live) == [running["id"]])
        assert not os.path.exists(sshd.files(done["id"]).dir)
        # Once it has ended, its directory may be removed at any moment.
        host = read_json(sshd.files(running["id"]).host) or {}
        (sshd.home / "stop").touch()
        until(lambda: not is_alive(host["host_pid"]))
        client.delete("reaches")
        until(lambda: not noted(live))
        assert not os.listdir(sshd.files("").dir)


# -- the connection ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("live", [["--PtyTasksApp.ssh_keep=1"]], indirect=True)
def test_a_connection_is_closed_when_it_is_of_no_use(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        task = client.create("sleep 2.5; read line; echo $line", place=BOX)
        connection = sshd.connections()
        assert len(connection) == 1
        until(lambda: client.get(task["id"])["waiting"])
        client.send_input(task["id"], "still there", newline=True)
        done = ended(client, task["id"])
        assert sshd.connections() == connection
        until(lambda: not sshd.connections())
        assert "still there" in output(client, done)
        again = client.restart(task["id"])
        assert len(sshd.connections()) == 1
        client.stop(again["id"], signals=["SIGKILL"])
        ended(client, again["id"])


# -- the faces ---------------------------------------------------------------------------------------------------------


def test_the_command_line_runs_there(live: LiveServer, sshd: Sshd) -> None:
    ran = live.cli("run", "--place", BOX, "--wait", "--json", "--", "sh", "-c", "pwd; echo $VIRTUAL_ENV-; exit 5")
    assert ran.returncode == 5, ran.stderr
    task = json.loads(ran.stdout)
    assert live.cli("logs", task["id"]).stdout.split() == [str(sshd.there), "-"]
    assert BOX in live.cli("ls").stdout
    assert BOX in live.cli("show", task["id"]).stdout


def test_functions_do_not_run_there(live: LiveServer) -> None:
    with live.client() as client, pytest.raises(RequestFailed) as caught:
        client.create("true", place=BOX, function=base64.b64decode("AA=="))
    assert (caught.value.http_status, caught.value.field) == (400, "function")
