"""An OpenSSH server on the loopback interface, run by the user of the tests, with its own home directory."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from jupyter_ptytasks.core.paths import TaskFiles
from jupyter_ptytasks.core.ring.format import index_path, list_bases, log_path
from tests.client.live import free_port, until
from tests.ptyhost.hosting import is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: It is no program of users, and seldom in their path. It must be called by its absolute path.
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {home}/host_key
AuthorizedKeysFile {home}/key.pub
PidFile {home}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv HOME={there} PATH={path} TMPDIR={home}/t{more}
"""
_CLIENT = """\
Host box
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {home}/key
  IdentitiesOnly yes
  UserKnownHostsFile {home}/known_hosts
  StrictHostKeyChecking accept-new
Host *.pattern
Host locked
  HostName 127.0.0.1
  Port {port}
  IdentityFile {home}/host_key
  IdentitiesOnly yes
  UserKnownHostsFile {home}/known_hosts
  StrictHostKeyChecking accept-new
"""


class Sshd:
    """It, below `home`; `there` is the home that its logins have, and `env` further variables. `config` is that of
    clients. Programs in `bin` come before those of the system.
    """

    def __init__(self, home: Path, **env: str) -> None:
        self.home = home
        self.there = home / "there"
        self.bin = self.there / "bin"
        self.bin.mkdir(parents=True)
        (home / "t").mkdir()
        self.port = free_port()
        self.config = home / "config"
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("key", "host_key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)]
            subprocess.run(command, check=True)
        about = {"home": home, "there": self.there, "port": self.port, "user": _user()}
        path = os.pathsep.join([str(self.bin), os.path.dirname(sys.executable), os.defpath])
        more = "".join(f" {name}={value}" for name, value in env.items())
        (home / "sshd_config").write_text(_CONFIG.format(**about, path=path, more=more))
        self.config.write_text(_CLIENT.format(**about))

    @property
    def options(self) -> list[str]:
        """The options of a server whose `ssh` leads there."""
        return [f"--PtyTasksApp.ssh_command={word}" for word in ("ssh", "-F", self.config)]

    def start(self) -> Sshd:
        """Start it, and return when it answers."""
        assert SSHD is not None
        # A directory that the unprivileged half of it has for itself.
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        command = [SSHD, "-D", "-e", "-f", str(self.home / "sshd_config")]
        with (self.home / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        until(self._answers, "sshd to answer")
        return self

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.home / "sshd.log").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5.0):
            return True
        return False

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self._process is not None

    def stop(self) -> None:
        """End it; its connections go on."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def connections(self) -> list[int]:
        """Return the ids of the clients that are connected."""
        return [pid for pid, words in _processes() if words[0] == b"ssh" and os.fsencode(self.config) in words]

    def cut(self) -> None:
        """Kill the clients that are connected."""
        found = self.connections()
        assert found
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(is_alive(pid) for pid in found))

    def files(self, task_id: str) -> TaskFiles:
        """Return a task's files there."""
        return TaskFiles(str(self.there / ".local/share/ptytasks/tasks" / task_id))


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _processes() -> Iterator[tuple[int, list[bytes]]]:
    """Iterate over all processes, and their command lines."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
                yield int(name), file.read().split(b"\0")


def content(output: str) -> list[tuple[int, bytes, bytes]]:
    """Return the segments of a ring."""
    found = []
    for base in list_bases(output):
        with open(log_path(output, base), "rb") as log, open(index_path(output, base), "rb") as index:
            found.append((base, log.read(), index.read()))
    return found
