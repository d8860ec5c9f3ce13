"""The queue and Slurm: which tasks wait here, which are submitted, and by which process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks import run, sweep
from jupyter_ptytasks.client import RequestFailed
from jupyter_ptytasks.core import slurm
from tests.client.live import LiveServer, ended, until
from tests.notebook.kernel import Kernel
from tests.server.conftest import end_scheduler
from tests.slurm.jobs import SLURM, fake, files, job_of, output, started

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Task
    from tests.slurm.cluster import Cluster

pytestmark = pytest.mark.slow


def jobs(cluster: Cluster, *tasks: Task) -> list[str]:
    """Return the jobs of these tasks that have not ended."""
    rows = slurm.rows(cluster.run("squeue", "-h", "-o", slurm.FORMAT)).values()
    return [row.job for row in rows if row.task in {task["id"] for task in tasks}]


def test_a_group_has_as_many_jobs_as_slots_in_order_also_without_a_server(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        client.set_group("few", slots=1)
        gate = "until [ -e go ]; do sleep 0.1; done; exit 7"
        first = client.create(gate, place=SLURM, group="few", retry={"max": 1, "delay": 0.1}, env={"TOKEN": "s3cret"})
        started(client, first)
        second = client.create("echo $TOKEN", place=SLURM, group="few", env={"TOKEN": "s3cret"})
        urgent = client.create("echo now", place=SLURM, group="few", priority=1)
        here = client.create("echo here", group="few")
        waits = client.get(second["id"])
        assert waits["queue"]
        assert (waits["state"], waits["job"], waits["queue"]["reason"]) == ("queued", None, "slots")
        assert client.group("few")["used"] == 1
        assert client.update(second["id"], command="echo $TOKEN; echo changed")["state"] == "queued"
        assert client.hold(here["id"])["state"] == "held"
        assert client.release(here["id"])["state"] == "queued"
        assert len(jobs(cluster, first, second, urgent)) == 1
        live.kill9()
    (live.home / "go").touch()
    until(lambda: os.path.exists(files(live, here).exit), "the last task to end")
    live.revive()
    with live.client() as client:
        done = {task["id"]: ended(client, task["id"]) for task in (first, urgent, second, here)}
        found = done[first["id"]]
        assert (found["state"], found["attempt"], found["exit"]) == ("failed", 2, {"code": 7, "signal": None})
        begun = [done[task["id"]]["started"] or "" for task in (urgent, second, here)]
        assert begun == sorted(begun)
        assert output(client, second) == "s3cret\nchanged\n"
        assert not any(os.path.exists(files(live, task).environment) for task in done.values())
        client.delete_group("few")


def test_what_is_not_submitted_yet_says_why_and_is_canceled_here(live: LiveServer, bin_dir: Path) -> None:
    log = live.home / "submitted"
    fake(bin_dir, "sbatch", f'echo >> {log}; [ -e {live.home}/away ] && {{ echo "sbatch: error: Unable to contact '
         f'slurm controller (connect failure)" >&2; exit 1; }}; exec /usr/bin/sbatch "$@"')  # fmt: skip
    with live.client() as client:
        (live.home / "away").touch()
        task = client.create("echo at last", place=SLURM, priority=1)
        until(lambda: client.get(task["id"])["state_reason"] == "place_unreachable")
        waits = until(lambda: client.get(task["id"])["queue"])
        assert "Slurm does not respond" in waits["text"]
        other = client.create("true", place=SLURM, priority=1)
        assert client.stop(other["id"])["state"] == "cancelled"
        (live.home / "away").unlink()
        done = ended(client, task["id"])
        assert output(client, done) == "at last\n"


def test_slurm_itself_keeps_the_order_of_tasks_that_wait_for_each_other(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        first = client.create("until [ -e open ]; do sleep 0.1; done; exit 3", place=SLURM)
        good = client.create("echo good", place=SLURM, after=[first["id"]])
        bad = client.create("echo bad", place=SLURM, after=[{"ref": first["id"], "when": "failed"}])
        any_way = client.create("echo any", place=SLURM, after=[{"ref": first["id"], "when": "any"}, bad["id"]])
        then = client.create("echo then", place=SLURM, after=[good["id"]])
        here = client.create("echo here", after=[bad["id"]])
        never = client.create("echo never", after=[then["id"]])
        far = (good, bad, any_way, then)
        for task in far:
            until(lambda task=task: client.get(task["id"])["job"], "it to be submitted")  # type: ignore[misc]
        waits = until(lambda: (task := client.get(good["id"]))["state_reason"] == "dependency" and task["queue"])
        assert (waits["reason"], waits["text"]) == ("place", "waits for another job (Slurm: Dependency)")
        assert "waits for" in str(client.get(here["id"])["queue"])
        live.kill9()
    # Nobody of ours is there: what else waits is started by the next server.
    end_scheduler(live.home / "data")
    (live.home / "open").touch()
    until(lambda: not jobs(cluster, first, *far), "Slurm to have run what it runs")
    live.revive()
    with live.client() as client:
        for task in (good, then, never):
            done = ended(client, task["id"])
            assert (done["state"], done["state_reason"]) == ("cancelled", "dependency")
        for task, text in ((bad, "bad\n"), (any_way, "any\n"), (here, "here\n")):
            assert output(client, ended(client, task["id"])) == text


def test_more_than_may_be_submitted_in_a_minute_wait_here(live: LiveServer, cluster: Cluster) -> None:
    home = live.home / "patient"
    other = LiveServer(home, "--PtyTasksApp.slurm_per_minute=2")
    try:
        with other.start().client() as client:
            first = [client.create("sleep 1000", place=SLURM, hold=True) for _ in range(2)]
            assert all(task["state_reason"] == "held_by_user" for task in first)
            last = client.create("echo last", place=SLURM)
            assert last["queue"]
            assert (last["job"], last["queue"]["reason"]) == (None, "pace")
            assert last["queue"]["text"] == "slurm: at most 2 tasks are submitted per minute"
            assert last["queue"]["starts"]
            assert len(jobs(cluster, *first, last)) == 2
            # A minute is over.
            for calls in (home / "data" / "ptytasks" / "places").glob("slurm.calls.*"):
                calls.unlink()
            for task in first:
                client.stop(task["id"])
            client.create("true", place=SLURM, priority=-1)  # somebody wakes the scheduler
            assert output(client, ended(client, last["id"])) == "last\n"
    finally:
        other.stop()


def test_a_job_that_waits_is_not_submitted_again_when_the_database_is_rebuilt(
    live: LiveServer, cluster: Cluster
) -> None:
    with live.client() as client:
        task = client.create("echo once", place=SLURM, resources={"begin": "now+1hour"})
        client.hold(task["id"])  # so that its state is in its directory
        client.release(task["id"])
        live.kill9()
    end_scheduler(live.home / "data")
    for file in (live.home / "data" / "ptytasks").glob("tasks.db*"):
        file.unlink()
    live.revive()
    with live.client() as client:
        until(lambda: client.get(task["id"])["state_reason"] == "begin_time", "what Slurm says")
        assert job_of(client.get(task["id"])) == job_of(task)
        assert jobs(cluster, task) == [job_of(task)]
        assert client.stop(task["id"])["state"] == "cancelled"


def add(left: int, right: int = 1) -> tuple[int, str]:
    """Return a sum, and the job in which it was made."""
    return left + right, os.environ["SLURM_JOB_ID"]


def test_sweeps_and_functions_run_as_jobs(live: LiveServer) -> None:
    live.cli("group", "sweeps", "--slots", "2")
    command = ("sh", "-c", "echo $SLURM_JOB_ID $SLURM_CPUS_PER_TASK {lr}")
    ran = live.cli("sweep", "--lr", "1,2,3", "-g", "sweeps", "--place", SLURM, "--cpus", "2", "--hold", "--", *command)
    assert ran.returncode == 0, ran.stderr
    with live.client() as client:
        (made,) = client.sweeps()
        tasks = list(client.all(sweep=made["id"]))
        assert {(task["state"], task["place"], task["job"]) for task in tasks} == {("held", SLURM, None)}
        assert len(client.release_sweep(made["id"])["changed"]) == 3
        said = [output(client, ended(client, task["id"])).split() for task in tasks]
        assert sorted((cpus, lr) for _, cpus, lr in said) == [("2", "1"), ("2", "2"), ("2", "3")]
        assert len({job for job, _, _ in said}) == 3
        # Of jobs that wait in Slurm, none is forgotten.
        full = client.create_sweep("sleep {n}", {"n": [1001, 1002]}, place=SLURM, resources={"cpus": 4, "nodes": 2})
        there = list(client.all(sweep=full["id"]))
        until(lambda: all(client.get(task["id"])["job"] for task in there), "all to be submitted")
        assert len(client.cancel_sweep(full["id"])["changed"]) == 2
        assert {ended(client, task["id"])["state"] for task in there} == {"cancelled"}
        with pytest.raises(RequestFailed) as caught:
            client.create_sweep("echo {n}", {"n": "1,2"}, place="ssh:")
        assert (caught.value.http_status, caught.value.field) == (400, "place")
        with pytest.raises(RequestFailed) as caught:
            client.create("true", place=SLURM, after=[tasks[0]["id"]], resources={"extra": ["--dependency=singleton"]})
        assert caught.value.field == "resources.extra"
        client.delete_group("sweeps")
    value, job = run(add, 2, right=3, place=SLURM, url=live.url, token=live.token).result(60)
    assert (value, job.isdecimal()) == (5, True)
    made_of = sweep(add, left=[1, 2], place=SLURM, url=live.url, token=live.token)
    assert [found for found, _ in made_of.results(60)] == [2, 3]


def test_a_cell_with_parameters_is_a_sweep_of_jobs(live: LiveServer) -> None:
    with Kernel(live) as kernel, live.client() as client:
        kernel.run("%load_ext jupyter_ptytasks")
        line = f"%%task grid --sweep lr=1e-3,1e-4 --sweep seed=7 --place {SLURM} --cpus 2 --time 5m"
        cell = kernel.run(f"{line}\necho $SLURM_JOB_ID $SLURM_CPUS_PER_TASK {{lr}} {{seed}}")
        assert "grid" in cell.view["text/plain"]
        tasks = [ended(client, task["id"]) for task in client.all(sweep="grid")]
        assert {(task["place"], task["state"]) for task in tasks} == {(SLURM, "succeeded")}
        assert {task["resources"]["time"] for task in tasks if task["resources"]} == {300}
        said = [output(client, task).split() for task in tasks]
        assert sorted((cpus, lr, seed) for _, cpus, lr, seed in said) == [("2", "1e-3", "7"), ("2", "1e-4", "7")]
        assert {job for job, *_ in said} == {job_of(task) for task in tasks}
        # What Slurm refuses is known when a task is submitted, which the cell does not wait for.
        kernel.run(f"%%task no --sweep x=1,2 --place {SLURM} --partition nope\necho {{x}}")
        refused = [ended(client, task["id"]) for task in client.all(sweep="no")]
        assert {(task["state"], task["state_reason"]) for task in refused} == {("failed", "spawn_error")}
        assert all("partition" in task["state_message"] for task in refused)
