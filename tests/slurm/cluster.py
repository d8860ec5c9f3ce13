"""A Slurm of two nodes on this machine, on the loopback interface, started as one's own user: for the tests, and for
scripts/demo --slurm.

It authenticates nobody, and knows neither control groups nor a database of accounts.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: They are no programs of users, and seldom in their path.
_PATH = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
SLURMCTLD, SLURMD = (shutil.which(name, path=_PATH) for name in ("slurmctld", "slurmd"))
IS_INSTALLED = None not in (SLURMCTLD, SLURMD, shutil.which("sbatch"))
#: Seconds that anything of it may take on a machine that is busy.
_PATIENCE = 60.0
NODES = ("n1", "n2")
#: Seconds between the signal that ends a job and the one that kills it.
KILL_WAIT = 4
_CONFIG = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
SlurmctldPort={ports[0]}
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool-%n
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd-%n.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
ReturnToService=2
MinJobAge=300
KillWait={wait}
MessageTimeout=5
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs={cpus} RealMemory=1000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes=n1 MaxTime=5 State=UP
"""


class Cluster:
    """The cluster, below the absolute path `home`; each node is configured with this many cores."""

    def __init__(self, home: Path, cpus: int = 4) -> None:
        self.home = home
        self.config = home / "slurm.conf"
        self.environ = {**os.environ, "SLURM_CONF": str(self.config)}
        host = os.uname().nodename.split(".")[0]
        user = psutil.Process().username()
        ports = [_free_port() for _ in range(3)]
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (home / name).mkdir()
        self.config.write_text(_CONFIG.format(host=host, user=user, ports=ports, home=home, wait=KILL_WAIT, cpus=cpus))

    def start(self) -> Cluster:
        """Start it, and return when jobs can run."""
        self.start_controller()
        for node in NODES:
            self._run(str(SLURMD), "-N", node)
        self.until_idle()
        return self

    def until_idle(self) -> None:
        """Return when all nodes are there, and run nothing."""
        _until(lambda: self.run("sinfo", "-h", "-N", "-p", "main", "-o", "%T").split() == ["idle", "idle"], "the nodes")

    def start_controller(self, *options: str) -> None:
        """Start what decides, with the state that it had; with the option `-c`, without."""
        self._run(str(SLURMCTLD), *options)
        _until(self._is_up, "slurmctld")

    def restart_node(self, node: str, *before: str) -> None:
        """Kill what runs the jobs of a node, and start it again, by a command `before` it. Jobs are not to notice."""
        self._end(f"slurmd-{node}", signal.SIGKILL)
        self._run(*before, str(SLURMD), "-N", node)
        _until((self.home / f"slurmd-{node}.pid").exists, f"slurmd of {node}")

    def kill_controller(self) -> None:
        """Kill it, when all that it knows now is on its disk: no command of Slurm is answered."""
        marker = f"saved-{time.monotonic_ns()}"
        self.run("sbatch", "--hold", f"--comment={marker}", "--output=/dev/null", "--wrap=true")
        saved = self.home / "state" / "job_state"
        _until(lambda: saved.exists() and marker.encode() in saved.read_bytes(), "the state of slurmctld on its disk")
        self._end("slurmctld", signal.SIGKILL)

    def stop(self) -> None:
        """End all jobs, and then it, as far as it runs."""
        if self._is_up():
            self.run("scancel", "--me")
            _until(lambda: not self.run("squeue", "-h"), "the ends of all jobs")
        for name in (*(f"slurmd-{node}" for node in NODES), "slurmctld"):
            if (self.home / f"{name}.pid").exists():
                self._end(name, signal.SIGTERM)

    def _is_up(self) -> bool:
        return "UP" in self.run("scontrol", "ping")

    def _end(self, name: str, number: signal.Signals) -> None:
        file = self.home / f"{name}.pid"
        pid = int(file.read_text())
        os.kill(pid, number)
        _until(lambda: not psutil.pid_exists(pid), name)
        file.unlink(missing_ok=True)

    def _run(self, *argv: str) -> None:
        subprocess.run(argv, env=self.environ, check=True, capture_output=True, timeout=60)

    def run(self, *argv: str) -> str:
        """Return what a command of Slurm prints, and says if it fails."""
        done = subprocess.run(argv, env=self.environ, check=False, capture_output=True, timeout=60, text=True)
        return (done.stdout + (done.stderr if done.returncode else "")).strip()

    def state(self, job: str) -> str:
        """Return the state of a job, and its exit code as the accounting has it."""
        return self.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%T")

    def code(self, job: str) -> str:
        """Return the exit code of a job: `code:signal`."""
        shown = self.run("scontrol", "-o", "show", "job", job)
        return next(part.partition("=")[2] for part in shown.split() if part.startswith("ExitCode="))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _until(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as the condition holds. Raises AssertionError if that takes too long."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
