"""Other machines on this one: a Slurm of two nodes, an sshd, the same at the end of a slow line, and a server for them.

They are those of the tests, so this needs Slurm and an OpenSSH server to be installed.
"""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.slurm.cluster import IS_INSTALLED, Cluster
from tests.ssh.sshd import SSHD, Sshd

from .plan import BenchmarkFailed
from .servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .plan import Plan

LOCAL, SLURM, SSH, FAR = "local", "slurm", "ssh:box", "ssh:far"
#: Seconds for which a byte is under way to the host `far` and back.
RTT = 0.04
#: Enough for all tasks at a time.
_CPUS = 64
_FAR = """
Host far
  HostKeyAlias far
  ProxyCommand {python} -I -S {program} 127.0.0.1 {port} {seconds}
  User {user}
  IdentityFile {home}/key
  IdentitiesOnly yes
  UserKnownHostsFile {home}/known_hosts
  StrictHostKeyChecking accept-new
"""
#: A command of Slurm that notes when it is called.
_COUNTED = '#!/bin/sh\necho {name} >> {calls}\nexec {real} "$@"\n'


@dataclass(frozen=True)
class Elsewhere:
    """A server, the cluster and the hosts of its places, and a file with a line for each call of squeue and srun."""

    server: Server
    cluster: Cluster
    sshd: Sshd
    calls: Path

    def srun(self, argv: Sequence[str]) -> Bare:
        """Return a command in a terminal of Slurm's own. Close it."""
        options = ["--pty", "--quiet", "--overlap", "--mpi=none", "--chdir=/"]
        return Bare(["srun", *options, *argv], {**self.cluster.environ})

    def ssh(self, host: str, argv: Sequence[str]) -> Bare:
        """Return a command in a terminal of ssh's own. Close it."""
        return Bare(["ssh", "-F", str(self.sshd.config), "-tt", "-q", host, shlex.join(argv)], dict(os.environ))

    def count(self, name: str) -> int:
        """Return how often a command was called."""
        return self.calls.read_text().split().count(name) if self.calls.exists() else 0


@contextmanager
def elsewhere(plan: Plan) -> Iterator[Elsewhere]:
    """Yield all of that; nothing of it is left afterwards."""
    if not IS_INSTALLED or SSHD is None:
        raise BenchmarkFailed("Slurm (slurmctld, slurmd, slurm-client) or openssh-server is not installed")
    home = Path(tempfile.mkdtemp(dir=plan.directory)).resolve()
    for name in ("slurm", "sshd", "bin"):
        (home / name).mkdir()
    cluster, sshd = Cluster(home / "slurm", _CPUS), Sshd(home / "sshd")
    about = {"python": sys.executable, "program": Path(__file__).with_name("slowline.py"), "seconds": RTT / 2}
    user = sshd.config.read_text().partition("User ")[2].split()[0]
    with sshd.config.open("a") as config:
        config.write(_FAR.format(**about, port=sshd.port, user=user, home=sshd.home))
    for name in ("squeue", "srun"):
        program = home / "bin" / name
        program.write_text(_COUNTED.format(name=name, calls=home / "calls", real=shutil.which(name)))
        program.chmod(0o755)
    env = {"SLURM_CONF": str(cluster.config), "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    options = [f"--PtyTasksApp.ssh_command={word}" for word in ("ssh", "-F", str(sshd.config))]
    try:
        cluster.start()
        sshd.start()
        with Server(plan.directory, *options, env=env) as server:
            yield Elsewhere(server, cluster, sshd, home / "calls")
    finally:
        cluster.stop()
        sshd.stop()


class Bare:
    """A command in a terminal that nobody keeps, whose screen and keyboard we are. Close it."""

    def __init__(self, argv: Sequence[str], env: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            list(argv), stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)

    def __enter__(self) -> Bare:
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._master)
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)

    def type(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def until(self, text: str, timeout: float = 60.0) -> None:
        """Read until the command has written something. Raises BenchmarkFailed if it does not."""
        seen, deadline = b"", time.monotonic() + timeout
        while text.encode() not in seen:
            if not select.select([self._master], [], [], deadline - time.monotonic())[0]:
                raise BenchmarkFailed(f"waited in vain for {text!r}: {seen[-500:]!r}")
            seen += os.read(self._master, 1 << 16)
