"""A Slurm behind ssh, which shares no files with the server: its tasks behave like those of a local Slurm."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.client import RequestFailed
from jupyter_ptytasks.core.files import read_json, write_json
from tests import elsewhere
from tests.client.live import LiveServer, ended, until
from tests.ptyhost.hosting import is_alive
from tests.slurm.jobs import job_of, jobs_of, output, started
from tests.ssh.documented import commands
from tests.ssh.sshd import Sshd, content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_ptytasks.client import Task
    from tests.slurm.cluster import Cluster

pytestmark = pytest.mark.slow
FAR = "cluster"
SBATCH = shutil.which("sbatch")


@pytest.fixture(scope="module")
def sshd(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Yield an sshd on a host of the cluster."""
    with elsewhere.host(tmp_path_factory, SLURM_CONF=str(cluster.config)) as found:
        yield found


@pytest.fixture(scope="module")
def far(sshd: Sshd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Yield a server that knows the cluster only by that host: its own commands of Slurm do nothing."""
    home = tmp_path_factory.mktemp("far").resolve()
    (home / "bin").mkdir()
    for name in ("sbatch", "squeue", "scancel", "scontrol", "srun", "sinfo"):
        (home / "bin" / name).write_text("#!/bin/sh\nexit 99\n")
        (home / "bin" / name).chmod(0o755)
    options = [*sshd.options, "--PtyTasksApp.places={'cluster': {'engine': 'slurm', 'site': 'ssh:box'}}"]
    options += ["--PtyTasksApp.slurm=False", "--PtyTasksApp.slurm_interval=0.3", "--PtyTasksApp.slurm_per_minute=1000"]
    server = LiveServer(home, *options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("SECRET_OF_THE_SERVER", "hunter2")
        try:
            yield server.start()
        finally:
            if not sshd.is_up:
                sshd.start()
            server.stop()


def is_same(task: Task, sshd: Sshd) -> bool:
    found = content(sshd.files(task["id"]).output)
    return bool(found) and found == content(task["output"]["directory"])


def test_a_task_is_a_job_there_is_typed_to_and_comes_back_byte_for_byte(
    far: LiveServer, sshd: Sshd, cluster: Cluster
) -> None:
    with far.client() as client:
        command = "pwd; echo $SLURM_JOB_ID $TOKEN ${SECRET_OF_THE_SERVER-unset}; read line; echo got $line; exit 3"
        task = client.create(command, place=FAR, env={"TOKEN": "s3cret"}, resources={"cpus": 2})
        assert (task["state"], task["place"], task["resources"]) == ("queued", FAR, {"cpus": 2})
        started(client, task)
        # It is seen without a step of the job.
        until(lambda: "s3cret unset" in output(client, task))
        assert not client.get(task["id"])["connected"]
        client.send_input(task["id"], "hello", newline=True)
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]) == ("failed", {"code": 3, "signal": None})
        said = output(client, done).split("\n")[:4]
        assert said == [str(sshd.there), f"{job_of(task)} s3cret unset", "hello", "got hello"]
        assert is_same(done, sshd)
        until(lambda: cluster.code(job_of(task)) == "3:0")
        told = cluster.run("scontrol", "show", "job", "-d", job_of(task))
        told += cluster.run("scontrol", "write", "batch_script", job_of(task), "-")
        assert task["id"] in told
        assert "s3cret" not in told
        assert not os.path.exists(sshd.files(task["id"]).environment)
        place = next(about for about in client.places() if about["name"] == FAR)
        assert (place["kind"], place["reachable"], place["shares_files"]) == ("slurm", True, False)
        assert [one["name"] for one in client.place_options(FAR)["partitions"]] == ["main", "short"]
        for about, field in (
            ({"resources": {"partition": "nope"}}, "resources.partition"),
            ({"cwd": "/nowhere/at/all"}, "cwd"),
        ):
            with pytest.raises(RequestFailed) as caught:
                client.create("true", place=FAR, **about)
            assert caught.value.field == field
        ran = far.cli("run", "--place", FAR, "--cpus", "2", "--wait", "--", "sh", "-c", "echo from here; exit 5")
        assert (ran.returncode, "from here" in ran.stdout) == (5, True), ran.stderr
        assert f"{FAR}  " in far.cli("places").stdout
        # As the page about other machines says.
        (sshd.there / "train.py").write_text("print('trained')\n")
        run, attach = commands("### Slurm behind ssh")
        assert far.cli(*run).returncode == 0
        with far.terminal(*attach) as terminal:
            terminal.until(b"trained")
        client.delete(task["id"])
        until(lambda: not os.path.exists(sshd.files(task["id"]).dir), "the directory there to be removed")


def test_a_task_that_waits_says_why_is_held_and_canceled(far: LiveServer, sshd: Sshd, cluster: Cluster) -> None:
    with far.client() as client:
        full = client.create("sleep 1000", place=FAR, resources={"cpus": 4, "nodes": 2})
        started(client, full)
        task = client.create("echo ran", place=FAR)
        until(lambda: "free nodes" in str(client.get(task["id"])["queue"]) or "priority" in str(client.get(task["id"])))
        held = client.create("true", place=FAR, hold=True)
        until(lambda: client.get(held["id"])["state_reason"] == "held_by_user")
        assert client.hold(task["id"])["state"] == "held"
        assert client.release(task["id"])["state"] == "queued"
        assert client.stop(held["id"])["state"] == "cancelled"
        assert not os.path.exists(sshd.files(held["id"]).host)
        client.stop(full["id"])
        assert ended(client, full["id"])["state"] == "cancelled"
        assert output(client, ended(client, task["id"])) == "ran\n"
        outside = client.create("echo begun; sleep 1000", place=FAR)
        until(lambda: "begun" in output(client, outside))
        cluster.run("scancel", job_of(client.get(outside["id"])))
        done = ended(client, outside["id"])
        assert (done["state"], done["state_reason"]) == ("cancelled", "cancelled_in_slurm")
        assert is_same(done, sshd)


def counting(sshd: Sshd, name: str) -> str:
    """Return a command that counts until there is a file of that name."""
    return f"i=0; while [ ! -e {sshd.home}/{name} ]; do i=$((i+1)); echo $i; sleep 0.01; done"


def lines(task: Task) -> list[bytes]:
    return Path(task["output"]["directory"], f"{0:020d}.log").read_bytes().split()


def test_neither_a_server_that_dies_nor_a_lost_connection_costs_a_byte(far: LiveServer, sshd: Sshd) -> None:
    with far.client() as client:
        task = client.create(counting(sshd, "stop"), place=FAR)
        until(lambda: "5" in output(client, task).split())
        started(client, task)  # its output may be here before Slurm has been asked
        client.pause(task["id"])
        client.resume(task["id"])
        until(lambda: client.get(task["id"])["connected"])
        sshd.stop()
        sshd.cut()
        until(lambda: not client.get(task["id"])["connected"])
        until(lambda: next(one for one in client.places() if one["name"] == FAR)["reachable"] is False)
        seen = client.get(task["id"])
        assert (seen["state"], seen["attempt"]) == ("running", 1)
        with pytest.raises(RequestFailed) as caught:
            client.create("true", place=FAR)
        assert (caught.value.http_status, caught.value.code) == (503, "place_unreachable")
        sshd.start()
        size = seen["output"]["end"]
        until(lambda: client.get(task["id"])["output"]["end"] > size)
    far.kill9()
    until(lambda: not sshd.connections())
    (sshd.home / "stop").touch()
    until(lambda: os.path.exists(sshd.files(task["id"]).exit), "it to end without a server")
    far.start()
    with far.client() as client:
        done = ended(client, task["id"])
        assert (done["state"], done["attempt"]) == ("succeeded", 1)
        assert lines(done)[:-1] == [b"%d" % number for number in range(1, len(lines(done)))]
        assert is_same(done, sshd)


def test_a_requeue_is_the_next_attempt_and_a_ptyhost_that_is_killed_is_known(
    far: LiveServer, sshd: Sshd, cluster: Cluster
) -> None:
    with far.client() as client:
        command = "echo attempt $PTYTASK_ATTEMPT $TOKEN; [ $PTYTASK_ATTEMPT = 1 ] && sleep 1000; echo last"
        task = client.create(command, place=FAR, resources={"requeue": True}, env={"TOKEN": "kept"})
        other = client.create("echo words; sleep 1000", place=FAR)
        until(lambda: "attempt 1" in output(client, task))
        until(lambda: "words" in output(client, other))
        cluster.run("scontrol", "requeue", job_of(client.get(task["id"])))
        host = read_json(sshd.files(other["id"]).host) or {}
        os.kill(host["host_pid"], signal.SIGKILL)
        done = ended(client, other["id"])
        assert (done["state"], done["state_reason"]) == ("failed", "killed_outside")
        assert "words" in output(client, done)
        until(lambda: client.get(task["id"])["attempt"] == 2, "the next attempt")
        # Slurm lets a job that was requeued wait for a while.
        assert client.get(task["id"])["state"] in ("queued", "starting", "running", "succeeded")
        client.stop(task["id"])
        assert ended(client, task["id"])["state"] in ("cancelled", "succeeded")


def test_the_queue_continues_there_without_a_server(far: LiveServer, sshd: Sshd) -> None:
    with far.client() as client:
        client.set_group("one", slots=1)
        log = f">> {sshd.home}/log"
        first = client.create(f"until [ -e {sshd.home}/go ]; do sleep 0.1; done; echo 1 {log}", place=FAR, group="one")
        again = f"echo $PTYTASK_ATTEMPT {log}; exit $((2-$PTYTASK_ATTEMPT))"
        second = client.create(again, place=FAR, group="one", retry={"max": 1, "delay": 0.1})
        third = client.create(f"echo 3 {log}", place=FAR, after=[second["id"]])
        started(client, first)
        assert "slots" in str(client.get(second["id"])["queue"])
    far.kill9()
    (sshd.home / "go").touch()
    until(lambda: (sshd.home / "log").exists() and (sshd.home / "log").read_text().split() == ["1", "1", "2", "3"])
    far.start()
    with far.client() as client:
        for task in (first, second, third):
            assert ended(client, task["id"])["state"] == "succeeded"
        made = client.create_sweep("echo {n}", {"n": [7, 8]}, place=FAR)
        found = [output(client, ended(client, task["id"])) for task in client.all(sweep=made["id"])]
        assert sorted(found) == ["7\n", "8\n"]
        client.delete_group("one")


# -- while it is being submitted ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def instead(sshd: Sshd, name: str, text: str) -> Iterator[None]:
    """Have a shell script run there instead of a program."""
    program = sshd.bin / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    try:
        yield
    finally:
        program.unlink()


def killing(sshd: Sshd, *victims: int) -> contextlib.AbstractContextManager[None]:
    """Have these processes killed as soon as sbatch has submitted a job there."""
    return instead(sshd, "sbatch", f'{SBATCH} "$@"\nkill -9 {" ".join(map(str, victims))}')


def handle_is(far: LiveServer, task: Task, **changes: Any) -> None:
    """Change what is written down here of a task's job."""
    path = str(far.home / "data" / "ptytasks" / "tasks" / task["id"] / "handle.json")
    write_json(path, {**(read_json(path) or {}), **changes})


def test_a_job_whose_server_died_before_it_knew_its_id_is_found_and_not_submitted_twice(
    far: LiveServer, sshd: Sshd, cluster: Cluster
) -> None:
    command = "echo once; read line; echo got $line; exit 5"
    with far.client() as client, killing(sshd, far.pid):
        with pytest.raises(Exception, match=r".") as caught:
            client.create(command, name="orphan", place=FAR)
        assert not isinstance(caught.value, RequestFailed)  # there was no answer
        far.kill9()
    far.start()
    with far.client() as client:
        task = client.get("orphan")
        until(lambda: "once" in output(client, task))
        client.send_input(task["id"], "hello", newline=True)
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]) == ("failed", {"code": 5, "signal": None})
        assert output(client, done).split("\n")[:3] == ["once", "hello", "got hello"]
        assert jobs_of(cluster, task) == [job_of(done)]
        # The same of a scheduler that dies.
        client.set_group("one", slots=1)
        first = client.create(counting(sshd, "next"), place=FAR, group="one")
        started(client, first)
        second = client.create("echo second", place=FAR, group="one")
        record = str(far.home / "data" / "ptytasks" / "scheduler.pid.json")
        scheduler = until(lambda: read_json(record))
        with killing(sshd, scheduler["pid"]):
            (sshd.home / "next").touch()
            until(lambda: not is_alive(scheduler["pid"]))
        for task in (first, second):
            done = ended(client, task["id"])
            assert (done["state"], jobs_of(cluster, task)) == ("succeeded", [job_of(done)])
        client.delete_group("one")


def test_a_connection_that_is_cut_while_a_job_is_being_submitted_leaves_no_doubt(
    far: LiveServer, sshd: Sshd, cluster: Cluster
) -> None:
    with far.client() as client:
        ended(client, client.create("true", place=FAR)["id"])
        with killing(sshd, *sshd.connections()):
            task = client.create("echo once", place=FAR)
        done = ended(client, task["id"])
        assert (done["state"], output(client, done)) == ("succeeded", "once\n")
        assert jobs_of(cluster, task) == [job_of(done)]
        # It ends before squeue has told of it, and another process has written down its id.
        with instead(sshd, "squeue", "exit 0"):
            with killing(sshd, *until(sshd.connections)):
                task = client.create("exit 5", place=FAR)
            [job] = until(lambda: jobs_of(cluster, task))
            until(lambda: os.path.exists(sshd.files(task["id"]).exit))
            handle_is(far, task, job=job)
            done = ended(client, task["id"])
            assert (done["exit"], job_of(done)) == ({"code": 5, "signal": None}, job)
        # Nothing was submitted, as Slurm says long after it would have been.
        with instead(sshd, "sbatch", f"kill -9 {' '.join(map(str, until(sshd.connections)))}; exec sleep 60"):
            task = client.create(f"touch {sshd.home}/ran", place=FAR)
        assert task["state"] == "starting"
        handle_is(far, task, submitted=0.0)
        done = ended(client, task["id"])
        assert (done["state"], done["state_reason"], jobs_of(cluster, task)) == ("failed", "start_interrupted", [])
        assert (read_json(sshd.files(task["id"]).handle) or {})["given_up"]
        again = client.restart(task["id"])
        assert ended(client, again["id"])["state"] == "succeeded"
        assert (sshd.home / "ran").exists()
