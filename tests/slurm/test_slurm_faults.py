"""Failures of Slurm jobs: how tasks end, and that no job runs unnoticed."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from jupyter_ptytasks.client import RequestFailed
from jupyter_ptytasks.provision.shared import Shared
from tests.client.live import LiveServer, ended, until
from tests.slurm.jobs import COUNTS, SLURM, host_pid, is_counted, job_of, jobs_of, output, started, whole

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Task
    from tests.slurm.cluster import Cluster

pytestmark = pytest.mark.slow


def test_tasks_run_while_the_server_is_dead_and_the_next_one_finds_them(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        held = client.create("echo later", place=SLURM, hold=True)
        ends = client.create("until [ -e ends ]; do sleep 0.05; done; exit 9", place=SLURM)
        stays = client.create(COUNTS, name="stays", place=SLURM)
        for task in (ends, stays):
            started(client, task)
        with live.terminal("attach", stays["id"]) as terminal:
            terminal.until(b"20\r\n")
            live.kill9()
            (live.home / "ends").touch()
            until(lambda: cluster.state(job_of(ends)) == "FAILED")
            # A connection goes with the server that has made it.
            until(lambda: len(cluster.run("squeue", "-h", "-s", "-j", job_of(stays)).splitlines()) == 1)
        live.revive()
        done = ended(client, ends["id"])
        assert (done["state"], done["exit"]) == ("failed", {"code": 9, "signal": None})
        found = client.get(stays["id"])
        assert (found["state"], found["attempt"]) == ("running", 1)
        with live.terminal("attach", stays["id"]) as terminal:
            terminal.until(f"{found['output']['lines'] + 20}\r\n".encode())
        client.stop(stays["id"])
        ended(client, stays["id"])
        assert is_counted(whole(live, stays).replace("^C", ""))
        client.release(held["id"])
        assert output(client, ended(client, held["id"])) == "later\n"


def connection(live: LiveServer, task: Task, end: str) -> set[psutil.Process]:
    """Return the processes at an end of the connection to a job: "srun" here, or "relay" on its node."""
    job = job_of(task)
    found = set()
    for process in live.processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            words = process.cmdline()
            is_near = words[:1] == ["srun"] and f"--jobid={job}" in words
            is_far = "relay" in words[-2:] and process.environ().get("SLURM_JOB_ID") == job
            if (is_near, is_far) == (end == "srun", end == "relay"):
                found.add(process)
    return found


def test_a_viewer_continues_when_either_end_of_its_connection_is_killed(live: LiveServer) -> None:
    with live.client() as client:
        task = client.create("i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done", place=SLURM)
        started(client, task)
        with live.terminal("attach", task["id"]) as terminal:
            terminal.until(b"20\r\n")
            shown = b""
            for end in ("relay", "srun"):
                killed = until(lambda end=end: connection(live, task, end))  # type: ignore[misc]
                for process in killed:
                    with contextlib.suppress(psutil.NoSuchProcess):  # it has ended with the other one
                        process.kill()
                until(lambda end=end, killed=killed: connection(live, task, end) - killed)  # type: ignore[misc]
                number = client.get(task["id"])["output"]["lines"]
                shown += terminal.until(f"{number + 20}\r\n".encode())
            assert client.get(task["id"])["state"] == "running"
        # Between what was there and what follows, the terminal is set up.
        numbers = [int(number) for number in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", shown).split()]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_two_servers_see_one_job_and_ask_slurm_once_for_both(live: LiveServer, cluster: Cluster) -> None:
    begun = time.time()
    other = LiveServer(live.home, "--PtyTasksApp.slurm_interval=0.3", "--PtyTasksApp.slurm_per_minute=1000")
    # The command line finds one server in each.
    other.runtime = live.home / "runtime-of-the-other"
    try:
        with live.client() as one, other.start().client() as two:
            task = one.create("read line; echo got $line; exit 3", place=SLURM, hold=True)
            until(lambda: two.get(task["id"])["state"] == "held")
            assert two.release(task["id"])["state"] == "queued"
            for client in (one, two):
                started(client, task)
            with live.terminal("attach", task["id"]) as here, other.terminal("attach", task["id"]) as there:
                two.send_input(task["id"], "hello", newline=True)
                for terminal in (here, there):
                    terminal.until(b"got hello")
                    assert terminal.end() == 3
            for client in (one, two):
                done = ended(client, task["id"])
                assert (done["state"], done["attempt"], done["exit"]) == ("failed", 1, {"code": 3, "signal": None})
            assert jobs_of(cluster, task) == [job_of(done)]
            one.create("true", place=SLURM, resources={"begin": "now+1hour"})  # so that both have something to ask
            shared = Shared(str(live.home / "data" / "ptytasks"), [], SLURM)
            until(lambda: len(shared.times("squeue", time.time() - begun)) > 2)
            # Nobody asks within a second after another has.
            called = shared.times("squeue", time.time() - begun)
            assert min(after - before for before, after in itertools.pairwise(called)) > 0.9
            for client in (one, two):
                calls = next(place["calls"] for place in client.places() if place["name"] == SLURM)
                assert calls["squeue"]["hour"] >= calls["squeue"]["minute"] >= len(called)
                assert calls["sbatch"]["hour"] >= 1
    finally:
        other.kill9()


def test_a_job_whose_id_was_not_written_down_is_found_and_not_submitted_twice(
    live: LiveServer, cluster: Cluster, bin_dir: Path
) -> None:
    (bin_dir / "sbatch").write_text(f'#!/bin/sh\n/usr/bin/sbatch "$@"\nkill -9 {live.pid}\n')
    (bin_dir / "sbatch").chmod(0o755)
    with live.client() as client, pytest.raises(Exception, match=r".") as caught:
        client.create("echo once; exit 5", name="orphan", place=SLURM)
    assert not isinstance(caught.value, RequestFailed)  # there was no answer
    (bin_dir / "sbatch").unlink()
    live.kill9()
    handles = (live.home / "data" / "ptytasks" / "tasks").glob("*/handle.json")
    assert "job" not in json.loads(max(handles, key=lambda path: path.stat().st_mtime_ns).read_text())
    live.revive()
    with live.client() as client:
        task = client.get("orphan")
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]) == ("failed", {"code": 5, "signal": None})
        assert output(client, done) == "once\n"
        assert jobs_of(cluster, task) == [job_of(done)]


def test_a_job_that_was_given_up_runs_nothing(live: LiveServer, cluster: Cluster, bin_dir: Path) -> None:
    with live.client() as client:
        # scancel does not reach Slurm.
        (bin_dir / "scancel").write_text("#!/bin/sh\nexit 1\n")
        (bin_dir / "scancel").chmod(0o755)
        task = client.create("touch ran", place=SLURM, hold=True)
        assert client.stop(task["id"])["state"] == "cancelled"
        cluster.run("scontrol", "release", job_of(task))
        until(lambda: cluster.state(job_of(task)) == "FAILED")
        assert cluster.code(job_of(task)) == "75:0"
        assert not (live.home / "ran").exists()
        assert client.get(task["id"])["state"] == "cancelled"


def test_an_unreachable_controller_ends_no_task(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        runs = client.create(COUNTS, place=SLURM)
        ends = client.create("while [ ! -e go ]; do sleep 0.05; done; exit 4", place=SLURM)
        for task in (runs, ends):
            started(client, task)
        until(lambda: client.get(runs["id"])["output"]["lines"] > 0)
        cluster.kill_controller()
        try:
            before = {task["id"] for task in client.list()["tasks"]}
            with pytest.raises(RequestFailed) as caught:
                client.create("true", place=SLURM)
            assert (caught.value.http_status, caught.value.code) == (503, "place_unreachable")
            assert {task["id"] for task in client.list()["tasks"]} == before
            # What is in files is known all the same.
            (live.home / "go").touch()
            done = ended(client, ends["id"])
            assert (done["state"], done["exit"]) == ("failed", {"code": 4, "signal": None})
            until(lambda: any(one["name"] == SLURM and one["reachable"] is False for one in client.places()))
            assert client.get(runs["id"])["state"] == "running"
        finally:
            (live.home / "go").unlink(missing_ok=True)
            cluster.start_controller()
        client.stop(runs["id"])
        assert ended(client, runs["id"])["state"] == "cancelled"
        assert is_counted(whole(live, runs).replace("^C", ""))


def test_the_end_of_a_job_says_why_the_task_has_ended(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        # A shell that says what it was sent, and one that does not end by it.
        polite = client.create("trap 'echo told; exit 0' TERM; while :; do sleep 0.1; done", place=SLURM)
        stubborn = client.create("trap '' TERM INT; while :; do sleep 0.1; done", place=SLURM)
        killed = client.create("while :; do sleep 0.1; done", place=SLURM)
        for task in (polite, stubborn, killed):
            started(client, task)
        cluster.run("scancel", job_of(polite), job_of(stubborn))
        os.kill(host_pid(live, killed), signal.SIGKILL)
        done = ended(client, polite["id"])
        assert (done["state"], done["state_reason"]) == ("cancelled", "cancelled_in_slurm")
        done = ended(client, stubborn["id"])
        assert (done["state"], done["state_reason"]) == ("cancelled", "cancelled_in_slurm")
        # Killed by its ptyhost, in time to leave a record.
        assert done["exit"] == {"code": None, "signal": "SIGKILL"}
        done = ended(client, killed["id"])
        assert (done["state"], done["state_reason"]) == ("failed", "killed_outside")
        assert "it may have needed more memory" in done["state_message"]


def test_a_node_failure_is_not_a_cancellation(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        task = client.create(COUNTS, place=SLURM, resources={"partition": "short"})
        running = started(client, task)
        assert running["job"]
        assert running["job"]["node"] == "n1"
        cluster.run("scontrol", "update", "nodename=n1", "state=DOWN", "reason=test")
        try:
            done = ended(client, task["id"])
            assert (done["state"], done["state_reason"]) == ("lost", "node_fail")
        finally:
            cluster.run("scontrol", "update", "nodename=n1", "state=RESUME")
            until(lambda: "down" not in cluster.run("sinfo", "-h", "-N", "-n", "n1", "-p", "main", "-o", "%T"), "n1")


def test_a_requeued_job_is_the_next_attempt_of_the_same_task(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        command = "echo run $PTYTASK_ATTEMPT; [ $PTYTASK_ATTEMPT = 2 ] && exit 6; sleep 1000"
        task = client.create(command, place=SLURM, resources={"requeue": True})
        started(client, task)
        until(lambda: "run 1" in output(client, task))
        cluster.run("scontrol", "requeue", job_of(task))
        until(lambda: client.get(task["id"])["attempt"] == 2)
        assert client.get(task["id"])["state"] == "queued"

        def is_started() -> bool:
            # Slurm sets the time last of what a requeue changes.
            cluster.run("scontrol", "update", f"jobid={job_of(task)}", "StartTime=now")
            return client.get(task["id"])["state"] != "queued"

        until(is_started)
        done = ended(client, task["id"])
        assert (done["state"], done["attempt"], done["exit"]) == ("failed", 2, {"code": 6, "signal": None})
        assert jobs_of(cluster, task) == [job_of(done)]
        text = output(client, done)
        assert text.index("run 1") < text.index("run 2")


def test_a_suspended_job_is_a_paused_task(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        task = client.create(COUNTS, place=SLURM)
        started(client, task)
        cluster.run("scontrol", "suspend", job_of(task))
        until(lambda: client.get(task["id"])["state"] == "paused")
        assert client.get(task["id"])["state_reason"] == "suspended"
        cluster.run("scontrol", "resume", job_of(task))
        until(lambda: client.get(task["id"])["state"] == "running")
