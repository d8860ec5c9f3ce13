"""Observes a scheduler and the tasks that it has started while there is no server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psutil

from jupyter_ptytasks.storage.locks import Locks

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Client
    from tests.client.live import LiveServer


def scheduler(server: LiveServer) -> psutil.Process | None:
    """Return the scheduler of a server's data directory, if it runs."""
    try:
        pid = json.loads((server.home / "data" / "ptytasks" / "scheduler.pid.json").read_text())["pid"]
        process = psutil.Process(pid)
        return process if "jupyter_ptytasks/scheduler" in " ".join(process.cmdline()) else None
    except (OSError, ValueError, psutil.Error):
        return None


def submit_many(server: LiveServer, log: Path, count: int, slots: int, last: str) -> None:
    """Queue tasks that write their number, and run as long as `last`, in which {number} is theirs."""
    with server.client() as client:
        client.set_group("g", slots=slots)
        for number in range(count):
            command = f"echo {number} >> {log}; {last.format(number=number)}"
            client.create(command, name=f"run-{number}", group="g")


def begun(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


def has_begun(log: Path, count: int) -> bool:
    return len(begun(log)) >= count


def ended(server: LiveServer) -> list[str]:
    """Return the states that the exit records of all tasks come to."""
    records = (server.home / "data" / "ptytasks" / "tasks").glob("*/exit.json")
    return [str(json.loads(record.read_text()).get("code")) for record in records]


def is_over(server: LiveServer, count: int) -> bool:
    """Return whether so many tasks have ended, and no ptyhost holds the lock of a task any more."""
    tasks = server.home / "data" / "ptytasks" / "tasks"
    locks = Locks(str(tasks))
    return len(ended(server)) == count and not any(locks.is_held(f"{path.name}/lock") for path in tasks.iterdir())


def has_no_task(scheduler: psutil.Process) -> bool:
    """Return whether a scheduler holds the lock of no task: it starts none at this moment."""
    return not any(file.path.endswith("/lock") for file in scheduler.open_files())


def is_running(client: Client, ref: str) -> bool:
    return client.get(ref)["state"] == "running"
