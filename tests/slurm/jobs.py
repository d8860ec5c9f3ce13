"""Helpers for tests of tasks that are jobs, and for replacing programs of Slurm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_ptytasks.core.files import read_json
from jupyter_ptytasks.core.paths import TaskFiles
from tests.client.live import LiveServer, until
from tests.ssh.sshd import content

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Client, Task
    from tests.slurm.cluster import Cluster


SLURM = "slurm"
COUNTS = "i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done"


def files(live: LiveServer, task: Task) -> TaskFiles:
    return TaskFiles(str(live.home / "data" / "ptytasks" / "tasks" / task["id"]))


def host_pid(live: LiveServer, task: Task) -> int:
    """Return the process id of a task's ptyhost."""
    host = read_json(files(live, task).host)
    assert host is not None
    return int(host["host_pid"])


def job_of(task: Task) -> str:
    assert task["job"] is not None
    return task["job"]["id"]


def output(client: Client, task: Task) -> str:
    return client.output(task["id"], tail_lines=1000)["output"]


def started(client: Client, task: Task) -> Task:
    """Return a task when its command runs."""
    until(lambda: client.get(task["id"])["state"] == "running", f"{task['id']} to run")
    return client.get(task["id"])


def fake(bin_dir: Path, name: str, text: str) -> None:
    """Put a shell script before a program of Slurm."""
    draft = bin_dir / f"{name}.new"
    draft.write_text(f"#!/bin/sh\n{text}\n")
    draft.chmod(0o755)
    draft.rename(bin_dir / name)


def is_counted(text: str) -> bool:
    """Return whether what COUNTS has written has no gap."""
    numbers = [int(line) for line in text.split()]
    return numbers == list(range(len(numbers)))


def jobs_of(cluster: Cluster, task: Task) -> list[str]:
    """Return the ids of all jobs that were submitted for a task."""
    rows = cluster.run("squeue", "-h", "-t", "all", "-o", "%i %k").splitlines()
    return [row.split()[0] for row in rows if f":{task['id']}:" in row]


def whole(live: LiveServer, task: Task) -> str:
    """Return all output of a task, from its files."""
    return b"".join(log for _, log, _ in content(files(live, task).output)).decode()
