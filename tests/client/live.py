"""A real server in its own process, and the command line in a real terminal, for black-box tests."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

import jupyter_ptytasks
from jupyter_ptytasks.client import Client, ClientError, RequestFailed
from tests.client import forks
from tests.ptyhost.hosting import end_starters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jupyter_ptytasks.client import Task

#: Seconds that anything may take on a machine that is busy.
PATIENCE = 60.0
#: The same for the end of a server with JupyterLab. It may wait forever for a kernel, or for a thread of AnyIO, which
#: does not end if the loop ends during a request for a file.
_PATIENCE_WITH_LAB = 15.0
#: What every command here is started with, whether the package is installed or not.
_ROOT = str(Path(jupyter_ptytasks.__file__).parent.parent)


def until(condition: Callable[[], Any], what: str = "", timeout: float = PATIENCE) -> Any:
    """Return what `condition` returns as soon as that is true. Raises AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what or condition}"
        time.sleep(0.02)
    return found


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class LiveServer:
    """A Jupyter server that lives in `home` and nowhere else; its tasks outlive it as they should. `stop` ends both.

    `options` are further arguments of the server; with `sock` it listens on a unix socket in `home`, with `lab` it
    serves JupyterLab, too, and it runs under `python`.
    """

    def __init__(
        self,
        home: Path,
        *options: str,
        token: str = "token-of-tests",
        base_url: str = "/",
        sock: bool = False,
        lab: bool = False,
        python: str = sys.executable,
    ) -> None:
        self.home = home
        #: Where it tells of itself: another one may do so in the same place.
        self.runtime = home / "runtime"
        self.token = token
        self.port = free_port()
        self.base_url = base_url
        self.sock = str(home / "s") if sock else ""
        self.lab = lab
        self.python = python
        self._options = options
        #: Where it looks for modules first.
        self.extra_path: str | None = None
        self._process: subprocess.Popen[bytes] | forks.Forked | None = None

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}{self.base_url}"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a user who works there."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "PTYTASK"))}
        places = {f"JUPYTER_{name}_DIR": str(self.home / name.lower()) for name in ("CONFIG", "DATA")}
        places["JUPYTER_RUNTIME_DIR"] = str(self.runtime)
        places |= {f"JUPYTERLAB_{name}_DIR": str(self.home / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
        path = os.pathsep.join(filter(None, (self.extra_path, _ROOT, env.get("PYTHONPATH"))))
        return {
            **env,
            **places,
            "HOME": str(self.home),
            "PYTHONPATH": path,
            "SHELL": "/bin/sh",
            "TERM": "xterm-256color",
        }

    def start(self) -> LiveServer:
        """Start it, and return when it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        if self.lab:
            be_quiet(self.home / "config")
        where = [f"--ServerApp.sock={self.sock}"] if self.sock else [f"--ServerApp.port={self.port}"]
        arguments = [
            *("--no-browser", "--allow-root", *where, *self._options),
            *(["--LabApp.expose_app_in_browser=True"] if self.lab else []),
            *("--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0", f"--ServerApp.base_url={self.base_url}"),
            f"--IdentityProvider.token={self.token}",
            "--ServerApp.jpserver_extensions=jupyter_ptytasks=True",
            f"--ServerApp.jpserver_extensions=jupyterlab={self.lab}",
        ]
        module = "jupyterlab" if self.lab else "jupyter_server"
        with (self.home / "server.log").open("ab") as log:
            if self.lab or self.extra_path or self.python != sys.executable:
                # What it imports is not what the others do.
                self._process = subprocess.Popen(
                    [self.python, "-m", module, *arguments],
                    cwd=self.home,
                    env=self.environ,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            else:
                self._process = forks.fork(module, *arguments, cwd=self.home, env=self.environ, log=Path(log.name))
        until(self._answers, "the server to answer")
        return self

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.home / "server.log").read_text()
        try:
            with self.client(timeout=5.0) as client:
                client.status()
        except ClientError:
            return False
        return True

    def kill9(self) -> None:
        """Kill it as hard as can be, with all of its process group."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):  # it has ended, and is forgotten
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def revive(self) -> None:
        """Start it again if it was killed."""
        if self._process is not None and self._process.poll() is not None:
            self.start()

    def stop(self) -> None:
        """End its tasks and then it, and see that nothing is left. One that was killed is started again for that."""
        if self._process is None:
            return
        self.revive()
        with self.client() as client:
            for task in client.list()["tasks"]:
                if task["alive"]:
                    with contextlib.suppress(RequestFailed):  # it has just ended by itself
                        client.stop(task["id"], signals=["SIGKILL"])
            for task in client.list()["tasks"]:
                client.wait(task["id"], PATIENCE)
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_WITH_LAB if self.lab else PATIENCE)
        except subprocess.TimeoutExpired:
            if not self.lab:
                raise
            self.kill9()
        self._process = None
        end_starters(str(self.home))
        until(lambda: not list(self.processes()), f"all processes of {self.home} to be gone")

    def processes(self) -> Iterator[psutil.Process]:
        """Iterate over what runs in its environment: itself, ptyhosts, tasks."""
        for process in psutil.process_iter(["cmdline"]):
            try:
                if process.status() != psutil.STATUS_ZOMBIE and self._is_ours(process):
                    yield process
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue

    def tasks_run(self) -> bool:
        """Return whether anything runs in its environment but what waits for the next task."""
        return any({"--starter", "--spare"}.isdisjoint(process.info["cmdline"]) for process in self.processes())

    def _is_ours(self, process: psutil.Process) -> bool:
        home = str(self.home)
        command = process.cmdline()
        if command == forks.COMMAND:
            # What the system tells of it is its parent's, but not where it works.
            return process.cwd() == home
        return process.environ().get("HOME") == home or any(home + os.sep in word for word in command)

    def client(self, **options: Any) -> Client:
        """Return a client of it; the caller closes it."""
        url = f"http+unix://{self.sock.replace('/', '%2F')}{self.base_url}" if self.sock else self.url
        return Client(url, self.token, **options)

    def cli(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command of `jupyter ptytasks` in its home, and return what it printed."""
        usual = {"cwd": self.home, "env": self.environ, "timeout": PATIENCE, "stdin": subprocess.DEVNULL, "text": True}
        return subprocess.run([*CLI, *arguments], capture_output=True, **{**usual, **options})

    def terminal(self, *arguments: str, **options: Any) -> Terminal:
        """Run a command of `jupyter ptytasks` in a terminal."""
        return Terminal([*CLI, *arguments], **{"cwd": self.home, "env": self.environ, **options})


def be_quiet(config: Path) -> None:
    """Keep JupyterLab, where `config` is its user's configuration, from asking about news."""
    directory = config / "labconfig"
    directory.mkdir(parents=True, exist_ok=True)
    switched_off = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (directory / "page_config.json").write_text(json.dumps(switched_off))


CLI = [sys.executable, "-m", "jupyter_ptytasks.cli"]


class Terminal:
    """A program in a terminal of its own, whose keyboard and screen we are. A context; leaving it kills the program."""

    def __init__(self, argv: list[str], *, cwd: Path, env: Mapping[str, str], rows: int = 30, cols: int = 100) -> None:
        self.master, self._slave = pty.openpty()
        self.seen = b""
        self.resize(rows, cols)
        self.modes = termios.tcgetattr(self._slave)
        self.process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  the child does nothing else
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for fd in (self.master, self._slave):
            if fd >= 0:
                os.close(fd)

    def resize(self, rows: int, cols: int) -> None:
        """Resize the terminal; the program gets SIGWINCH."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def type(self, keys: bytes) -> None:
        """Type."""
        os.write(self.master, keys)

    def hang_up(self) -> None:
        """Close the terminal, as a window is closed."""
        os.close(self._slave)
        os.close(self.master)
        self.master = self._slave = -1

    def read(self, wait: float = 0.0) -> bool:
        """Add what the program has written to `seen`. Return False if there was nothing within `wait` seconds."""
        if not select.select([self.master], [], [], wait)[0]:
            return False
        self.seen += os.read(self.master, 1 << 16)
        return True

    def until(self, text: bytes, timeout: float = PATIENCE) -> bytes:
        """Wait until the program has written `text`; move it and all before it out of `seen`, and return that."""
        deadline = time.monotonic() + timeout
        while text not in self.seen:
            assert time.monotonic() < deadline, f"waited in vain for {text!r}; there is {self.seen[-2000:]!r}"
            alive = self.process.poll() is None
            assert self.read(0.2) or alive, f"it ended without {text!r}; there is {self.seen[-2000:]!r}"
        at = self.seen.index(text) + len(text)
        shown, self.seen = self.seen[:at], self.seen[at:]
        return shown

    def end(self, timeout: float = PATIENCE) -> int:
        """Wait until the program has ended, with all that it wrote in `seen`, and return its exit code."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end; there is {self.seen[-2000:]!r}"
            self.read(0.05)
        while self.read():
            pass
        code = self.process.returncode
        assert code is not None
        return code

    def is_restored(self) -> bool:
        """Whether the terminal is as it was before the program."""
        return termios.tcgetattr(self._slave) == self.modes


def ended(client: Client, ref: str) -> Task:
    """Return a task when it has ended."""
    task = client.wait(ref, PATIENCE)
    assert not task["alive"], f"{ref} does not end: it is {task['state']}"
    return task
