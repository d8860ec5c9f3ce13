"""Machines with a shared home directory, and file systems without locks: no task is declared lost from elsewhere."""

from __future__ import annotations

import errno
import json
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.client import RequestFailed
from jupyter_ptytasks.core.machine import boot_id, is_here, is_running, start_time
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


def directory(live: LiveServer, task: Task) -> Path:
    """Return the directory of a task."""
    return live.home / "data" / "ptytasks" / "tasks" / task["id"]


def move_away(live: LiveServer, task: Task, **about: Any) -> dict[str, Any]:
    """Make a task look as if it ran on another machine; return its host record as it was."""
    record = directory(live, task) / "host.json"
    host: dict[str, Any] = json.loads(record.read_text())
    socket = str(live.home / "nowhere.sock")
    away = {"hostname": "login2", "boot_id": "00000000-0000-0000-0000-000000000000", "socket": socket, **about}
    record.write_text(json.dumps({**host, **away}))
    return host


def end_unseen(live: LiveServer, task: Task, host: dict[str, Any]) -> None:
    """Kill a task and its ptyhost, without a record of it."""
    os.kill(host["host_pid"], signal.SIGKILL)
    os.kill(host["pid"], signal.SIGKILL)
    until(lambda: not is_alive(host["host_pid"]))
    (live.runtime / "ptytasks" / f"{task['id']}.sock").unlink()


# -- another machine ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("about", [{}, {"boot_id": boot_id()}], ids=["another boot", "the same boot"])
def test_a_task_of_another_machine_is_not_judged(live: LiveServer, about: dict[str, Any]) -> None:
    with live.client() as client:
        task = client.create("echo hello; exec sleep 1000", name="far")
        until(lambda: client.raw("far").data)
        live.kill9()
        end_unseen(live, task, move_away(live, task, **about))
        live.start()
        until(lambda: "login2" in client.get("far")["state_message"])
        # What another server would have found out at once.
        other = client.create(["sleep", "1000"], name="near")
        host = json.loads((directory(live, other) / "host.json").read_text())
        os.kill(host["host_pid"], signal.SIGKILL)
        assert ended(client, "near")["state"] == "lost"
        found = client.get("far")
        assert (found["state"], found["connected"], found["state_message"]) == ("running", False, "runs on login2")
        assert client.output("far")["output"] == "hello\n"
        with pytest.raises(RequestFailed, match="runs on login2") as refused:
            client.stop("far")
        assert refused.value.http_status == 503
        # How it ended there is believed as soon as it is told.
        record = {
            "attempt": 1, "code": 3, "signal": None, "reason": "exited", "started": time.time(), "ended": time.time(),
            "rows": 40, "cols": 120, "last_output": time.time(),
        }  # fmt: skip
        (directory(live, task) / "exit.json").write_text(json.dumps(record))
        assert ended(client, "far")["exit"] == {"code": 3, "signal": None}


def test_a_task_of_another_machine_can_be_given_up(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create(["sleep", "1000"], name="far")
        live.kill9()
        end_unseen(live, task, move_away(live, task))
        live.start()
        until(lambda: "login2" in client.get("far")["state_message"])
        with pytest.raises(RequestFailed):
            client.delete("far")
        client.delete("far", force=True)
        assert client.list()["tasks"] == []
        assert not directory(live, task).exists()


def test_a_ptyhost_that_responds_is_here_whatever_the_record_says(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create(["sleep", "1000"], name="near")
        live.kill9()
        host = json.loads((directory(live, task) / "host.json").read_text())
        move_away(live, task, socket=host["socket"])
        live.start()
        until(lambda: client.get("near")["connected"])
        assert client.get("near")["state_message"] == ""
        client.stop("near", signals=["SIGKILL"])
        assert ended(client, "near")["state"] == "cancelled"


def test_an_exit_record_that_turns_up_corrects_what_was_given_up(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create(["sleep", "1000"], name="task")
        os.kill(json.loads((directory(live, task) / "host.json").read_text())["host_pid"], signal.SIGKILL)
        assert ended(client, "task")["state"] == "lost"
        record = {
            "attempt": 1, "code": 0, "signal": None, "reason": "exited", "started": time.time(), "ended": time.time(),
            "rows": 40, "cols": 120, "last_output": time.time(),
        }  # fmt: skip
        (directory(live, task) / "exit.json").write_text(json.dumps(record))
        live.kill9()
        live.start()
        until(lambda: client.get("task")["state"] == "succeeded")


@pytest.mark.parametrize(
    ("name", "boot", "here"),
    [
        (os.uname().nodename, "another", True),
        ("another", boot_id(), False),
        ("another", "another", False),
        # Of an older version, or of a system that does not tell.
        ("", boot_id(), True),
        (None, boot_id(), True),
        ("another", "", True),
    ],
)
def test_machines_are_distinguished_by_name(name: str | None, boot: str, here: bool) -> None:
    assert is_here({"hostname": name, "boot_id": boot}) is here


def test_a_container_that_is_started_again_is_the_same_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    uname = os.uname()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result((uname[0], "0123456789ab", *uname[2:])))
    assert is_here({"hostname": "ba9876543210", "boot_id": boot_id()})
    assert not is_here({"hostname": "ba9876543210", "boot_id": "another"})
    assert not is_here({"hostname": "login2", "boot_id": boot_id()})


def test_a_process_is_known_by_its_start() -> None:
    assert is_running(os.getpid(), start_time(os.getpid()))
    assert not is_running(os.getpid(), start_time(os.getpid()) + 1)
    assert not is_running(os.getpid(), 0)
    assert not is_running(2**31 - 1, 1)


# -- no locks ----------------------------------------------------------------------------------------------------------

#: Put before the server's own modules: makes locks answer as a file system does that has none.
_NO_LOCKS = """
import fcntl, os

def refuse(*_):
    raise OSError({error}, os.strerror({error}))

fcntl.flock = refuse
if {ofd}:
    del fcntl.F_OFD_SETLK
"""


def without_locks(live: LiveServer, error: int, *, ofd: bool) -> None:
    """Start a server again where flock, and open file description locks too, are refused."""
    live.kill9()
    place = live.home / "patches"
    place.mkdir()
    (place / "sitecustomize.py").write_text(_NO_LOCKS.format(error=error, ofd=ofd))
    live.extra_path = str(place)
    live.start()


def test_a_file_system_without_flock(live: LiveServer) -> None:
    without_locks(live, errno.ENOSYS, ofd=False)
    with live.client() as client:
        client.create(["sleep", "1000"], name="nap")
        until(lambda: client.get("nap")["connected"])
        client.restart("nap", signals=["SIGKILL"])
        until(lambda: client.get("nap")["attempt"] == 2 and client.get("nap")["connected"])
        live.kill9()
        live.start()
        until(lambda: client.get("nap")["connected"])
        client.stop("nap")
        assert ended(client, "nap")["state"] == "cancelled"
        client.delete("nap")
        assert client.list()["tasks"] == []
        assert len([one for one in live.processes() if one.name() == "sleep"]) == 0


def test_no_locks_at_all_is_an_error(live: LiveServer) -> None:
    without_locks(live, errno.ENOSYS, ofd=True)
    with live.client() as client:
        with pytest.raises(RequestFailed, match="runtime_dir") as refused:
            client.create(["sleep", "1000"])
        assert "Function not implemented" in str(refused.value)
        assert not [one for one in live.processes() if one.name() == "sleep"]
