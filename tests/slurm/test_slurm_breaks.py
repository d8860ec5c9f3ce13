"""Failures around Slurm jobs: disks, clocks, daemons, forgotten jobs, and a server that dies at the worst moment."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.client import RequestFailed
from jupyter_ptytasks.core.files import read_json
from tests.client.live import LiveServer, ended, until
from tests.slurm.jobs import COUNTS, SLURM, fake, files, host_pid, is_counted, job_of, jobs_of, output, started, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.slurm.cluster import Cluster

pytestmark = pytest.mark.slow
#: Runs a program whose clock is wrong by so many seconds.
_WRONG_CLOCK = """\
import runpy, sys, time
right = time.time
time.time = lambda: right() + {seconds}
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
#: Makes /tmp read-only but for one directory below it, for the command that follows.
_READ_ONLY_TMP = """\
mount --make-rprivate / && mount --bind "$0" /mnt && mount --bind /tmp /tmp &&
mount -o remount,ro,bind /tmp && mount --bind /mnt "$0" && exec "$@"
"""


@contextlib.contextmanager
def mounted(path: Path, size: str) -> Iterator[Path]:
    """Yield a directory that is a file system of its own, of this size."""
    path.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if os.getuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room on a disk; return the file that takes it all."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def waits_for_go(live: LiveServer, code: int) -> str:
    """Return a command that ends with a code when there is a file `go`."""
    return f"while [ ! -e {live.home}/go ]; do sleep 0.05; done; echo gone; exit {code}"


def test_a_home_that_is_full_loses_no_end_and_says_why_nothing_starts(cluster: Cluster, tmp_path: Path) -> None:
    """A tmpfs of 8 MiB simulates a home directory over its quota, used by server, job and ptyhost."""
    home = tmp_path / "home"
    with mounted(home / "data", "8m") as disk, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(cluster.config))
        live = LiveServer(home, "--PtyTasksApp.slurm_interval=0.3").start()
        try:
            with live.client() as client:
                runs = client.create(waits_for_go(live, 6), place=SLURM)
                held = client.create("echo later", place=SLURM, hold=True)
                started(client, runs)
                filler = fill(disk)
                with pytest.raises(RequestFailed) as caught:
                    client.create("true", place=SLURM)
                assert (caught.value.http_status, caught.value.code) == (507, "storage_full")
                cluster.run("scontrol", "release", job_of(held))
                until(lambda: cluster.state(job_of(held)) == "FAILED")
                (home / "go").touch()
                until(lambda: cluster.state(job_of(runs)) == "FAILED")
                assert cluster.code(job_of(runs)) == "6:0"
                filler.unlink()
                assert ended(client, runs["id"])["exit"] == {"code": 6, "signal": None}
                done = ended(client, held["id"])
                assert (done["state"], done["state_reason"]) == ("failed", "storage_full")
                tasks = disk / "ptytasks" / "tasks"
                said = f"no room in {tasks} (No space left on device): the command was not run; restart the task when "
                assert done["state_message"].startswith(said)
                client.restart(held["id"])
                assert output(client, ended(client, held["id"])) == "later\n"
                until(lambda: not list((tasks / held["id"]).glob("start.json*")))
        finally:
            live.stop()


def test_a_node_whose_tmp_is_read_only_takes_another_directory(
    live: LiveServer, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = str(tmp_path_factory.getbasetemp().resolve())
    if subprocess.run(["unshare", "-m", "sh", "-c", _READ_ONLY_TMP, base, "true"], check=False).returncode != 0:
        pytest.skip("file systems cannot be mounted here")
    cluster.restart_node("n2", "unshare", "-m", "sh", "-c", _READ_ONLY_TMP, base)
    try:
        cluster.until_idle()
        with live.client() as client:
            command = "touch /tmp/x && exit 9; read line; echo got $line; exit 3"
            task = client.create(command, place=SLURM, resources={"extra": ["--nodelist=n2"]})
            started(client, task)
            assert not (read_json(files(live, task).host) or {})["socket"].startswith("/tmp/")
            client.send_input(task["id"], "hello", newline=True)
            done = ended(client, task["id"])
            assert done["exit"] == {"code": 3, "signal": None}
            assert "got hello" in output(client, done)
    finally:
        cluster.restart_node("n2")
        cluster.until_idle()


@pytest.mark.parametrize("seconds", [-7200, 7200])
def test_a_node_whose_clock_is_wrong_changes_no_end(
    live: LiveServer, cluster: Cluster, bin_dir: Path, seconds: int
) -> None:
    """The clock is that of the job's Python, not of the machine, which is the server's, too."""
    clock = live.home / "clock.py"
    clock.write_text(_WRONG_CLOCK.format(seconds=seconds))
    fake(bin_dir, "sbatch", f'sed "s|-X utf8 |-X utf8 {clock} |" | /usr/bin/sbatch "$@"')
    with live.client() as client:
        fails = client.create("sleep 0.2; exit 3", place=SLURM)
        told = client.create("while :; do sleep 0.1; done", place=SLURM)
        started(client, told)
        done = ended(client, fails["id"])
        assert (done["state"], done["exit"]) == ("failed", {"code": 3, "signal": None})
        cluster.run("scancel", job_of(told))
        done = ended(client, told["id"])
        assert (done["state"], done["state_reason"]) == ("cancelled", "cancelled_in_slurm")


def test_a_job_that_slurm_has_forgotten_ended_as_its_record_says(live: LiveServer, cluster: Cluster) -> None:
    """A controller that starts without its state forgets jobs immediately, as MinJobAge does after minutes."""
    with live.client() as client:
        exits = client.create(waits_for_go(live, 4), place=SLURM)
        told, killed = (client.create("while :; do sleep 0.1; done", place=SLURM) for _ in range(2))
        tasks = (exits, told, killed)
        for task in tasks:
            started(client, task)
        live.kill9()
        (live.home / "go").touch()
        os.kill(host_pid(live, told), signal.SIGTERM)
        os.kill(host_pid(live, killed), signal.SIGKILL)
        until(lambda: all(cluster.state(job_of(task)) == "FAILED" for task in tasks))
        (live.home / "go").unlink()
        cluster.kill_controller()
        cluster.start_controller("-c")
        cluster.until_idle()
        live.revive()
        done = ended(client, exits["id"])
        assert (done["state"], done["exit"]) == ("failed", {"code": 4, "signal": None})
        done = ended(client, told["id"])
        assert (done["state"], done["state_reason"]) == ("cancelled", "host_terminated")
        done = ended(client, killed["id"])
        assert (done["state"], done["state_reason"]) == ("lost", "job_forgotten")


def test_neither_daemon_of_slurm_is_missed_by_what_runs_or_waits(live: LiveServer, cluster: Cluster) -> None:
    with live.client() as client:
        runs = client.create(COUNTS, place=SLURM)
        waits = client.create("echo at last", place=SLURM, resources={"begin": "now+1hour"})
        job = started(client, runs)["job"]
        assert job
        with live.terminal("attach", runs["id"]) as terminal:
            terminal.until(b"20\r\n")
            cluster.restart_node(str(job["node"]))
            number = client.get(runs["id"])["output"]["lines"]
            terminal.until(f"{number + 20}\r\n".encode())
            cluster.kill_controller()
            cluster.start_controller()
            number = client.get(runs["id"])["output"]["lines"]
            terminal.until(f"{number + 20}\r\n".encode())
        with live.terminal("attach", runs["id"]) as terminal:
            terminal.until(f"{client.get(runs['id'])['output']['lines'] + 20}\r\n".encode())
        assert (client.get(runs["id"])["state"], client.get(waits["id"])["state"]) == ("running", "queued")
        cluster.run("scontrol", "update", f"jobid={job_of(waits)}", "StartTime=now")
        assert output(client, ended(client, waits["id"])) == "at last\n"
        client.stop(runs["id"])
        assert ended(client, runs["id"])["state"] == "cancelled"
        assert is_counted(whole(live, runs).replace("^C", ""))


def test_a_server_that_dies_before_it_submits_leaves_nothing_that_runs(
    live: LiveServer, cluster: Cluster, bin_dir: Path
) -> None:
    fake(bin_dir, "sbatch", f"kill -9 {live.pid}; exit 1")
    with live.client() as client:
        with pytest.raises(Exception, match=r".") as caught:
            client.create("touch ran", name="never", place=SLURM)
        assert not isinstance(caught.value, RequestFailed)  # there was no answer
        live.kill9()
        (bin_dir / "sbatch").unlink()
        handles = (live.home / "data" / "ptytasks" / "tasks").glob("*/handle.json")
        handle = max(handles, key=lambda path: path.stat().st_mtime_ns)
        # Some minutes pass: until then, an sbatch that was started may still submit it.
        handle.write_text(json.dumps({**json.loads(handle.read_text()), "submitted": 0.0}))
        live.revive()
        done = ended(client, "never")
        assert (done["state"], done["state_reason"]) == ("failed", "start_interrupted")
        assert "Slurm does not know it" in done["state_message"]
        assert not jobs_of(cluster, done)
        assert not (live.home / "ran").exists()


def test_a_server_that_dies_while_it_stops_a_job_has_stopped_it(
    live: LiveServer, cluster: Cluster, bin_dir: Path
) -> None:
    with live.client() as client:
        runs = client.create(
            "trap 'echo told' INT; echo begun; while :; do sleep 0.1; done", place=SLURM, stop_grace=1.5
        )
        waits = client.create("touch ran", place=SLURM, hold=True)
        started(client, runs)
        until(lambda: "begun" in output(client, runs))
        client.stop(runs["id"])
        until(lambda: "told" in output(client, runs))
        # The server dies before scancel has reached Slurm.
        fake(bin_dir, "scancel", f"kill -9 {live.pid}; exit 1")
        with pytest.raises(Exception, match=r".") as caught:
            client.stop(waits["id"])
        assert not isinstance(caught.value, RequestFailed)
        live.kill9()
        (bin_dir / "scancel").unlink()
        live.revive()
        done = ended(client, runs["id"])
        assert (done["state"], done["exit"]) == ("cancelled", {"code": None, "signal": "SIGTERM"})
        done = ended(client, waits["id"])
        assert (done["state"], done["state_reason"]) == ("cancelled", "cancelled")
        until(lambda: cluster.state(job_of(waits)) == "CANCELLED")
        assert not (live.home / "ran").exists()
