"""Tasks at the place `slurm`, on a real Slurm: as those of this machine, and they go on without any of us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from jupyter_ptytasks.client import Client, Task
    from tests.slurm.cluster import Cluster

pytestmark = pytest.mark.slow
SLURM = "slurm"


def output(client: Client, task: Task) -> str:
    return client.output(task["id"], tail_lines=1000)["output"]


def test_a_task_runs_as_a_job_is_typed_to_and_ends(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        command = "echo $SLURM_JOB_ID $WHAT $PTYTASK_NAME; read line; echo got $line; exit 3"
        task = client.create(command, name="far", place=SLURM, env={"WHAT": "given"}, resources={"cpus": 2})
        assert task["state"] == "queued"
        job = task["job"]["id"] if task["job"] else ""
        until(lambda: client.get(task["id"])["state"] == "running")
        client.send_input(task["id"], "hello", newline=True)
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]) == ("failed", {"code": 3, "signal": None})
        assert output(client, done).split("\n")[:3] == [f"{job} given far", "hello", "got hello"]
        assert cluster.code(job) == "3:0"
