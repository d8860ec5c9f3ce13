"""Tasks at a Parsl place, submitted by Parsl's provider for Slurm to a real Slurm."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.client import RequestFailed
from tests.client.live import LiveServer, ended, until
from tests.elsewhere import at_cluster
from tests.slurm.conftest import end_tasks
from tests.slurm.jobs import fake, files, host_pid, job_of, output, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.slurm.cluster import Cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("parsl") is None, reason="Parsl is not installed"),
]
PLACE = "by-parsl"
BROKER = "jupyter_ptytasks.broker"
_PROVIDER = {"partition": "main", "exclusive": False, "cores_per_node": 1, "walltime": "00:05:00"}
_PLACES = {
    PLACE: {"engine": "parsl", "provider": "SlurmProvider", "options": _PROVIDER, "interval": 0.5},
    "wrong": {"engine": "parsl", "provider": "SlurmProvider", "options": {"colour": 1}},
}


@pytest.fixture(scope="module")
def parsl(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Yield a server with these places, and with a secret in its environment."""
    home = tmp_path_factory.mktemp("home").resolve()
    for directory in ("config", "bin"):
        (home / directory).mkdir()
    (home / "config" / "jupyter_server_config.json").write_text(json.dumps({"PtyTasksApp": {"places": _PLACES}}))
    with at_cluster(cluster) as patch:
        patch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
        # Of another job, in which the server would run.
        patch.setenv("SLURM_JOB_ID", "1234567")
        patch.setenv("SLURM_CPUS_PER_GPU", "64")
        patch.setenv("SECRET_OF_THE_SERVER", "hunter2")
        server = LiveServer(home)
        try:
            yield server.start()
        finally:
            end_tasks(server)
            server.stop()


def test_a_task_is_a_job_whose_output_and_end_arrive(parsl: LiveServer, cluster: Cluster) -> None:
    with parsl.client() as client:
        task = client.create(
            "echo $SLURM_JOB_ID $SLURM_CPUS_PER_GPU $WHAT $SECRET_OF_THE_SERVER; sleep 1; seq 3; exit 3",
            name="far away; touch x",
            place=PLACE,
            env={"WHAT": "given"},
        )
        assert (task["state"], task["place"]) == ("queued", PLACE)
        with parsl.terminal("attach", task["id"]) as terminal:
            terminal.until(b"given hunter2\r\n")
            terminal.until(b"3\r\n")
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]) == ("failed", {"code": 3, "signal": None})
        assert output(client, done) == f"{job_of(task)} given hunter2\n1\n2\n3\n"
        until(lambda: cluster.code(job_of(task)) == "3:0")
        told = cluster.run("scontrol", "show", "job", "-d", job_of(task))
        kept = b"".join(path.read_bytes() for path in (cluster.home / "state").rglob("*") if path.is_file())
        assert task["id"] in told
        assert b"hunter2" not in kept
        about = next(place for place in client.places() if place["name"] == PLACE)
        assert (about["kind"], about["reachable"], about["resources"]) == ("parsl", True, [])
        assert {"submit", "status"} <= about["calls"].keys()


def test_stopping_ends_it_and_unsupported_requests_fail(parsl: LiveServer, cluster: Cluster) -> None:
    with parsl.client() as client:
        task = client.create("trap 'echo bye; exit 0' INT TERM; echo once; while :; do sleep 0.1; done", place=PLACE)
        running = started(client, task)
        assert running["job"]
        assert running["job"]["node"] in ("n1", "n2")
        until(lambda: "once" in output(client, task))
        with pytest.raises(RequestFailed, match="cannot be reached from here") as caught:
            client.send_input(task["id"], "hello")
        assert caught.value.http_status == 503
        assert client.get(task["id"])["state_message"] == f"runs on {running['job']['node']}"
        # What speaks with the batch system is started again when it is needed.
        (broker,) = (process for process in parsl.processes() if process.cmdline()[1:] == ["-m", BROKER])
        broker.kill()
        assert client.stop(task["id"])["state"] in ("stopping", "cancelled")
        done = ended(client, task["id"])
        assert (done["state"], done["state_reason"]) == ("cancelled", "cancelled")
        assert "bye" in output(client, done)
        again = client.restart(task["id"])
        assert (again["attempt"], job_of(again) != job_of(task)) == (2, True)
        until(lambda: output(client, task).count("once") == 2)
        client.stop(task["id"])
        assert ended(client, task["id"])["attempt"] == 2


def test_a_task_in_an_unknown_state_can_be_abandoned(parsl: LiveServer) -> None:
    programs = [parsl.home / "bin" / name for name in ("squeue", "scancel")]
    with parsl.client() as client:
        task = client.create("sleep 1000", place=PLACE)
        started(client, task)
        for program in programs:
            fake(program.parent, program.name, "exit 1")
        os.kill(host_pid(parsl, task), signal.SIGKILL)
        with pytest.raises(RequestFailed, match=f"does not cancel the job {job_of(task)}") as caught:
            client.stop(task["id"])
        assert (caught.value.http_status, caught.value.code) == (503, "place_unreachable")
        assert client.get(task["id"])["state"] == "running"
        client.delete(task["id"], force=True)
        assert task["id"] not in {one["id"] for one in client.list()["tasks"]}
    for program in programs:
        program.unlink()


def test_one_that_waits_says_so_and_runs_nothing_if_it_is_canceled(parsl: LiveServer, cluster: Cluster) -> None:
    cluster.run("scontrol", "update", "PartitionName=main", "State=DOWN")
    try:
        with parsl.client() as client:
            ours, other = (client.create("touch ran", place=PLACE) for _ in range(2))
            until(lambda: "(Parsl: PENDING)" in client.get(ours["id"])["state_message"])
            assert client.get(ours["id"])["state"] == "queued"
            assert client.stop(ours["id"])["state"] == "cancelled"
            until(lambda: cluster.state(job_of(ours)) == "CANCELLED")
            # By somebody else: it is gone, and Parsl does not say why.
            cluster.run("scancel", job_of(other))
            done = ended(client, other["id"])
            assert (done["state"], done["state_reason"]) == ("failed", "job_failed")
            assert "it may have been canceled" in done["state_message"]
            assert not (parsl.home / "ran").exists()
    finally:
        cluster.run("scontrol", "update", "PartitionName=main", "State=UP")


def test_invalid_requests_name_the_field(parsl: LiveServer) -> None:
    with parsl.client() as client:
        before = {task["id"] for task in client.list()["tasks"]}
        for about, field, words in (
            ({"resources": {"cpus": 2}}, "resources.cpus", "does not accept it"),
            ({"hold": True}, "place", "do not wait in the queue"),
            ({"cwd": "/nowhere/at/all"}, "cwd", "nowhere"),
        ):
            with pytest.raises(RequestFailed, match=words) as caught:
                client.create("true", place=PLACE, **about)
            assert (caught.value.http_status, caught.value.field) == (400, field)
        with pytest.raises(RequestFailed, match=r"options\.colour") as caught:
            client.create("true", place="wrong")
        assert (caught.value.http_status, caught.value.code) == (503, "place_unreachable")
        known = next(one for one in client.places() if one["name"] == "wrong")
        assert known["reachable"] is False
        assert "options.colour" in str(known["problem"])
        assert {task["id"] for task in client.list()["tasks"]} == before
        task = client.create(["/no/such/program"], place=PLACE)
        done = ended(client, task["id"])
        assert (done["state"], done["state_reason"]) == ("failed", "spawn_error")
        assert "/no/such/program" in done["state_message"]


def test_jobs_outlive_the_server_and_ends_from_outside_are_reported(parsl: LiveServer, cluster: Cluster) -> None:
    with parsl.client() as client:
        loop = "while :; do sleep 0.1; done"
        ends, stays, told, killed = tasks = [
            client.create(command, place=PLACE) for command in ("sleep 2; exit 9", loop, loop, loop)
        ]
        for task in tasks:
            started(client, task)
        parsl.kill9()
        until(lambda: cluster.state(job_of(ends)) == "FAILED")
        cluster.run("scancel", job_of(told))
        os.kill(host_pid(parsl, killed), signal.SIGKILL)
        parsl.revive()
        done = ended(client, ends["id"])
        assert (done["state"], done["exit"]) == ("failed", {"code": 9, "signal": None})
        done = ended(client, told["id"])
        assert (done["state"], done["state_reason"]) == ("cancelled", "host_terminated")
        done = ended(client, killed["id"])
        assert (done["state"], done["state_reason"]) in (("failed", "killed_outside"), ("lost", "no_record"))
        assert "(Parsl: " in done["state_message"]
        found = client.get(stays["id"])
        assert (found["state"], found["attempt"]) == ("running", 1)
        client.stop(stays["id"])
        assert ended(client, stays["id"])["state"] == "cancelled"
        until(lambda: cluster.state(job_of(stays)) in ("CANCELLED", "COMPLETED", "FAILED"))
        assert not os.path.exists(files(parsl, stays).environment)


def test_a_server_that_dies_while_it_submits_has_submitted_once(parsl: LiveServer, cluster: Cluster) -> None:
    sbatch = parsl.home / "bin" / "sbatch"
    fake(sbatch.parent, "sbatch", f'/usr/bin/sbatch "$@"\nkill -9 {parsl.pid}')
    before = len(cluster.run("squeue", "-h", "-t", "all").splitlines())
    with parsl.client() as client:
        with pytest.raises(Exception, match=r".") as caught:
            client.create("echo once", name="once", place=PLACE)
        assert not isinstance(caught.value, RequestFailed)  # there was no answer
        parsl.kill9()
        sbatch.unlink()
        parsl.revive()
        done = ended(client, "once")
        assert (done["state"], output(client, done)) == ("succeeded", "once\n")
        assert len(cluster.run("squeue", "-h", "-t", "all").splitlines()) == before + 1
