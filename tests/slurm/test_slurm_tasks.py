"""Tasks at the place `slurm`, on a real Slurm: they behave like local tasks, and are pending like jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.client import NotFound, RequestFailed
from jupyter_ptytasks.core.files import read_json
from tests.client.live import LiveServer, ended, until
from tests.slurm.jobs import SLURM, files, job_of, output, started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster

pytestmark = pytest.mark.slow


def test_a_task_runs_as_a_job_is_typed_to_and_ends_with_its_code(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        command = "echo $SLURM_JOB_ID $SLURM_CPUS_PER_TASK $WHAT $PTYTASK_NAME; read line; echo got $line; exit 3"
        task = client.create(command, name="far", place=SLURM, env={"WHAT": "given"}, resources={"cpus": 2})
        assert (task["state"], task["place"], task["resources"]) == ("queued", SLURM, {"cpus": 2})
        running = started(client, task)
        assert running["job"]
        assert running["job"]["node"] in ("n1", "n2")
        # By that, its program is kept as long as it may be needed.
        program = (read_json(files(live, task).handle) or {})["program"]
        assert (live.home / "data" / "ptytasks" / "bin" / program).exists()
        client.send_input(task["id"], "hello", newline=True)
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]) == ("failed", {"code": 3, "signal": None})
        # That of this job, although the server has variables of another one.
        assert output(client, done).split("\n")[:3] == [f"{job_of(task)} 2 given far", "hello", "got hello"]
        until(lambda: cluster.state(job_of(task)) == "FAILED")
        assert cluster.code(job_of(task)) == "3:0"


def test_no_secret_is_passed_to_slurm_or_left_in_files(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        task = client.create("echo $TOKEN $SECRET_OF_THE_SERVER; sleep 1000", place=SLURM, env={"TOKEN": "s3cret"})
        started(client, task)
        until(lambda: "s3cret hunter2" in output(client, task))
        assert not (live.home / "data" / "ptytasks" / "tasks" / task["id"] / "environment.json").exists()
        told = cluster.run("scontrol", "show", "job", "-d", job_of(task)) + cluster.run(
            "scontrol", "write", "batch_script", job_of(task), "-"
        )
        assert task["id"] in told
        kept = b"".join(path.read_bytes() for path in (cluster.home / "state").rglob("*") if path.is_file())
        for secret in ("s3cret", "hunter2", live.token):
            assert secret not in told
            assert secret.encode() not in kept


def test_rejected_jobs_leave_nothing_and_failed_starts_have_a_reason(live: LiveServer) -> None:
    with live.client() as client:
        before = {task["id"] for task in client.list()["tasks"]}
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"resources": {"partition": "nope"}}, "resources.partition"),
            ({"resources": {"constraint": "nothere"}}, "resources.constraint"),
            ({"resources": {"time": "90"}}, "resources.time"),
            ({"cwd": "/nowhere/at/all"}, "cwd"),
            ({"after": ["nobody"]}, "after.0"),
            ({"gpus": 1}, "gpus"),
        ]
        for about, field in wrong:
            with pytest.raises(RequestFailed) as caught:
                client.create("true", place=SLURM, **about)
            assert (caught.value.http_status, caught.value.field) == (400, field)
        with pytest.raises(RequestFailed, match="not supported on this machine"):
            client.create("true", resources={"cpus": 1})
        assert {task["id"] for task in client.list()["tasks"]} == before
        task = client.create(["/no/such/program"], place=SLURM)
        done = ended(client, task["id"])
        assert (done["state"], done["state_reason"]) == ("failed", "spawn_error")
        assert "/no/such/program" in done["state_message"]


def test_a_task_that_waits_says_why_and_can_be_held_and_canceled(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        full = [client.create("sleep 1000", place=SLURM, resources={"cpus": 4}) for _ in range(2)]
        for task in full:
            started(client, task)
        one = client.create("true", place=SLURM, resources={"cpus": 4})
        never = client.create("true", place=SLURM, resources={"partition": "short", "nodes": 2})
        held = client.create("echo at last", place=SLURM, hold=True)
        assert (held["state"], held["state_reason"]) == ("held", "held_by_user")
        until(lambda: client.get(one["id"])["state_reason"] in ("resources", "priority"))
        waits = client.get(one["id"])["queue"]
        assert waits
        assert waits["reason"] == "place"
        assert "(Slurm: " in waits["text"]
        until(lambda: client.get(never["id"])["state_message"].startswith("cannot start as requested: "))
        # By somebody else.
        cluster.run("scontrol", "hold", job_of(one))
        until(lambda: client.get(one["id"])["state"] == "held")
        assert client.get(one["id"])["state_reason"].startswith("held_by_")
        # By us.
        assert client.release(one["id"])["state"] == "queued"
        until(lambda: "JobHeld" not in cluster.run("squeue", "-h", "-j", job_of(one), "-o", "%r"))
        holding = client.hold(one["id"])
        assert (holding["state"], holding["state_reason"]) == ("held", "held_by_user")
        assert cluster.run("squeue", "-h", "-j", job_of(one), "-o", "%r") == "JobHeldUser"
        with pytest.raises(RequestFailed, match="the task is not pending: it is running"):
            client.hold(full[0]["id"])
        with pytest.raises(RequestFailed, match="cannot be changed there"):
            client.update(one["id"], command="false")
        for task in (one, never):
            assert client.stop(task["id"])["state"] == "cancelled"
            until(lambda task=task: cluster.state(job_of(task)) == "CANCELLED")  # type: ignore[misc]
        client.stop(full[0]["id"])
        assert client.release(held["id"])["state"] in ("queued", "starting", "running")
        done = ended(client, held["id"])
        assert (done["state"], output(client, done)) == ("succeeded", "at last\n")
        until(lambda: cluster.state(job_of(held)) == "COMPLETED")


def test_stop_pause_and_resume_reach_it_and_a_restart_is_another_job(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        task = client.create("trap 'echo bye; exit 0' INT; echo once; while :; do sleep 0.1; done", place=SLURM)
        started(client, task)
        until(lambda: "once" in output(client, task))
        assert client.pause(task["id"])["state"] == "paused"
        assert client.resume(task["id"])["state"] == "running"
        client.stop(task["id"])
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]) == ("cancelled", {"code": 0, "signal": None})
        assert "bye" in output(client, done)
        # Who waits for its success must not go on.
        until(lambda: cluster.state(job_of(task)) == "FAILED")
        again = client.restart(task["id"])
        assert (again["attempt"], job_of(again) != job_of(task)) == (2, True)
        started(client, task)
        until(lambda: output(client, task).count("once") == 2)
        client.stop(task["id"], signals=["SIGKILL"])
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]["signal"] if done["exit"] else None) == ("cancelled", "SIGKILL")
        until(lambda: cluster.code(job_of(again)) in ("137:0", "0:9"))


def test_failed_tasks_run_again_with_their_group(live: LiveServer) -> None:
    with live.client() as client:
        command = "[ $PTYTASK_ATTEMPT = 2 ]"
        tasks = [client.create(command, group="again", place=place) for place in (SLURM, None)]
        for task in tasks:
            assert ended(client, task["id"])["state"] == "failed"
        assert sorted(client.retry_group("again")) == sorted(task["id"] for task in tasks)
        for task in tasks:
            done = ended(client, task["id"])
            assert (done["state"], done["attempt"]) == ("succeeded", 2)


def test_a_task_without_viewers_has_no_connection(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        task = client.create(
            "i=0; while read -t 0.05 x; do :; done; while :; do echo $i; i=$((i+1)); sleep 0.05; done", place=SLURM
        )
        started(client, task)

        def steps() -> list[str]:
            return cluster.run("squeue", "-h", "-s", "-j", job_of(task), "-o", "%i").split()

        until(lambda: client.get(task["id"])["output"]["lines"] > 20, "bounds of the output without a connection")
        assert not client.get(task["id"])["connected"]
        assert steps() == [f"{job_of(task)}.batch"]
        with live.terminal("attach", task["id"]) as terminal:
            terminal.until(b"\n0\r\n")
            number = client.get(task["id"])["output"]["lines"]
            terminal.until(f"{number + 20}\r\n".encode())
            assert client.get(task["id"])["connected"]
            assert len(steps()) == 2
        assert read_json(files(live, task).host) is not None


def test_options_of_the_cluster_are_offered(live: LiveServer, bin_dir: Path) -> None:
    # This cluster has no database of accounts.
    (bin_dir / "sacctmgr").write_text("#!/bin/sh\nprintf 'lab|normal,high\\nteam|normal\\n'\n")
    (bin_dir / "sacctmgr").chmod(0o755)
    with live.client() as client:
        found = client.place_options(SLURM)
        assert (found["accounts"], found["qos"]) == (["lab", "team"], ["high", "normal"])
        names = [(one["name"], one["default"], one["nodes"], one["max_time"]) for one in found["partitions"]]
        assert names == [("main", True, 2, None), ("short", False, 1, 300)]
        assert {"cpus", "gpus", "time"} < set(found["resources"])
        assert client.place_options("local")["resources"] == []
        assert client.place_options("ssh:somewhere")["resources"] == []
        with pytest.raises(NotFound, match="there is no place"):
            client.place_options("elsewhere")
        about = next(place for place in client.places() if place["name"] == SLURM)
        assert about["kind"] == "slurm"
