"""States that a test cannot cause in a real Slurm, from fake programs of Slurm."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.client import RequestFailed
from jupyter_ptytasks.core.elsewhere import take_lock
from tests.client.live import LiveServer, ended, until
from tests.slurm.jobs import SLURM, fake, files, host_pid, job_of, started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("state", "reason", "ours", "short"),
    [
        ("PREEMPTED", "None", "cancelled", "preempted"),
        ("OUT_OF_MEMORY", "OutOfMemory", "failed", "out_of_memory"),
        ("TIMEOUT", "TimeLimit", "timed_out", "slurm_limit"),
    ],
)
def test_the_state_of_a_job_is_that_of_its_task(
    live: LiveServer, bin_dir: Path, state: str, reason: str, ours: str, short: str
) -> None:
    with live.client() as client:
        fake(bin_dir, "squeue", f"/usr/bin/squeue \"$@\" | sed 's/|FAILED|[A-Za-z]*|/|{state}|{reason}|/'")
        told, killed = (client.create("exec sleep 1000", place=SLURM) for _ in range(2))
        for task in (told, killed):
            started(client, task)
        # One whose ptyhost is told to end, and one whose processes are all killed.
        os.kill(host_pid(live, told), signal.SIGTERM)
        os.kill(host_pid(live, killed), signal.SIGKILL)
        done = ended(client, told["id"])
        assert (done["state"], done["state_reason"]) == (ours, short)
        assert done["exit"] == {"code": None, "signal": "SIGINT"}
        done = ended(client, killed["id"])
        assert (done["state"], done["state_reason"]) == (ours, short)
        assert f"(Slurm: {state}" in done["state_message"]


def test_a_job_that_is_forgotten_is_looked_for_before_it_is_lost(live: LiveServer, bin_dir: Path) -> None:
    with live.client() as client:
        known, unknown = (client.create("exec sleep 1000", place=SLURM) for _ in range(2))
        for task in (known, unknown):
            started(client, task)
        live.kill9()
        for task in (known, unknown):
            os.kill(host_pid(live, task), signal.SIGKILL)
        fake(bin_dir, "squeue", "exit 0")
        fake(bin_dir, "scontrol", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1")
        fake(bin_dir, "sacct", f'case "$*" in *" {job_of(known)}") echo TIMEOUT;; esac')
        live.revive()
        done = ended(client, known["id"])
        assert (done["state"], done["state_reason"]) == ("timed_out", "slurm_limit")
        done = ended(client, unknown["id"])
        assert (done["state"], done["state_reason"]) == ("lost", "job_forgotten")


def test_a_job_that_has_started_unnoticed_is_not_held(live: LiveServer, cluster: Cluster, bin_dir: Path) -> None:
    with live.client() as client:
        task = client.create("sleep 1000", place=SLURM, resources={"begin": "now+1hour"})
        until(lambda: client.get(task["id"])["state_reason"] == "begin_time")
        fake(bin_dir, "squeue", 'case "$*" in *--me*) exit 1;; esac; exec /usr/bin/squeue "$@"')
        until(lambda: any(place["name"] == SLURM and place["reachable"] is False for place in client.places()))
        # The ptyhost waits for it, and leaves no record that would be noticed.
        lock = take_lock(files(live, task), 30.0)
        assert lock is not None
        cluster.run("scontrol", "update", f"jobid={job_of(task)}", "StartTime=now")
        until(lambda: cluster.state(job_of(task)) == "RUNNING")
        with pytest.raises(RequestFailed, match="has just started") as caught:
            client.hold(task["id"])
        assert caught.value.http_status == 409
        os.close(lock)
        fake(bin_dir, "squeue", 'exec /usr/bin/squeue "$@"')
        started(client, task)
        assert cluster.run("squeue", "-h", "-j", job_of(task), "-o", "%Q") != "0"


def test_a_missing_answer_ends_no_task_and_blocks_nothing(live: LiveServer, cluster: Cluster, bin_dir: Path) -> None:
    with live.client() as client:
        task = client.create("while [ ! -e go ]; do sleep 0.05; done; exit 7", place=SLURM)
        started(client, task)
        fake(bin_dir, "squeue", "exec sleep 25")
        until(lambda: os.path.exists(bin_dir / "squeue"))
        begun = time.monotonic()
        other = client.create("exit 3")
        assert ended(client, other["id"])["exit"] == {"code": 3, "signal": None}
        assert time.monotonic() - begun < 15, "a task of this machine has waited for Slurm"
        assert client.get(task["id"])["state"] == "running"
        (live.home / "go").touch()
        fake(bin_dir, "squeue", 'exec /usr/bin/squeue "$@"')
        done = ended(client, task["id"])
        assert done["exit"] == {"code": 7, "signal": None}
        until(lambda: cluster.code(job_of(task)) == "7:0")
