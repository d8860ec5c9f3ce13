"""A Jupyter server of our own, in a home of its own, with our extension and the stock terminals side by side."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import psutil

import jupyter_ptytasks

from .plan import BenchmarkFailed, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: The package that is measured is the one that is imported here, installed or not.
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(jupyter_ptytasks.__file__)))
_EXTENSIONS = {"jupyter_ptytasks": True, "jupyter_server_terminals": True}

TASKS = "/ptytasks/api/tasks"
_SCHEDULER = os.path.join("scheduler", "__main__.py")
STOCK = "/api/terminals"


def cpu_time(pid: int) -> float:
    """Return the seconds that the threads of a process have run: ticks of the clock would be too coarse."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with suppress(FileNotFoundError), open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


class Rest:
    """A connection to a server that is kept open, as a browser's. Close it."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Return the JSON of the response, None if it has none. Raises BenchmarkFailed if it is an error."""
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, data, self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status >= 400:
            raise BenchmarkFailed(f"{method} {path}: {response.status} {answer[:200]!r}")
        return json.loads(answer) if answer else None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@dataclass(frozen=True)
class Terminal:
    """A command that runs in a terminal: `path` in the server's API, `url` of its websocket, `pid` of the command."""

    path: str
    url: str
    pid: int


class Server:
    """A server process, with `lab` one of JupyterLab.

    `options` are further arguments, `env` is added to its environment. As a context manager it is there from the
    beginning, and its tasks are gone at the end.
    """

    def __init__(self, directory: str, *options: str, lab: bool = False, env: Mapping[str, str] | None = None) -> None:
        self._options = options
        self._env = env or {}
        self._module = "jupyterlab" if lab else "jupyter_server"
        self.home = tempfile.mkdtemp(dir=directory)
        self.token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.rest = Rest(self.port, self.token)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        # Under nohup the programs in stock terminals do not heed that their terminal has gone.
        children: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):  # it was killed, and did not start again
            children = self.process.children(recursive=True)
        self.kill()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        self._sweep()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def process(self) -> psutil.Process:
        """The server's process."""
        return psutil.Process(self.pid)

    @property
    def tasks_dir(self) -> str:
        """Where the directories of its tasks are."""
        return os.path.join(self.home, "data", "ptytasks", "tasks")

    def start(self) -> float:
        """Start it and wait until it answers; give the time (monotonic seconds) at which it did."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY", "PYTHON"))
        }
        for name, place in (("CONFIG", "config"), ("DATA", "data"), ("RUNTIME", "run")):
            environment[f"JUPYTER_{name}_DIR"] = os.path.join(self.home, place)
        environment.update(HOME=self.home, JUPYTER_TOKEN=self.token, PYTHONPATH=_PACKAGE, **self._env)
        command = [sys.executable, "-m", self._module, "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0", *self._options]
        if self._module == "jupyterlab":
            command += ["--LabApp.expose_app_in_browser=True"]
        command += [f"--ServerApp.jpserver_extensions={ {**_EXTENSIONS, self._module: True} }"]
        with open(os.path.join(self.home, "server.log"), "ab") as log:
            self._process = subprocess.Popen(command, cwd=self.home, env=environment, stdout=log, stderr=log)
        wait_until(self._answers, "the server answered", every=0.002)
        return time.monotonic()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            with open(os.path.join(self.home, "server.log"), encoding="utf-8", errors="replace") as log:
                raise BenchmarkFailed(f"the server did not start:\n{log.read()[-2000:]}")
        try:
            self.rest.request("GET", "/api/status")
        except (OSError, http.client.HTTPException):
            self.rest.close()
            return False
        return True

    def kill(self) -> None:
        """End it as if the power had failed."""
        self.rest.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self, *options: str) -> None:
        """Kill it, and start it again; with other options if there are any."""
        self.kill()
        self._options = options or self._options
        self.start()

    def _sweep(self) -> None:
        """Kill what starts its tasks, and then what still runs of them."""
        for process in psutil.process_iter(["cmdline"]):
            command = process.info["cmdline"] or []
            is_ours = any(word.startswith(self.home) for word in command)
            if is_ours and ("--starter" in command or any(word.endswith(_SCHEDULER) for word in command)):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
                    process.wait(10)
        for task in os.scandir(self.tasks_dir) if os.path.isdir(self.tasks_dir) else ():
            try:
                with open(os.path.join(task.path, "host.json"), encoding="utf-8") as file:
                    pid = json.load(file)["host_pid"]
                if self.home in " ".join(psutil.Process(pid).cmdline()):
                    os.kill(pid, signal.SIGKILL)
            except (OSError, ValueError, KeyError, psutil.Error):
                continue  # it has ended, or never began

    @contextmanager
    def task(self, argv: Sequence[str], place: str = "local") -> Iterator[Terminal]:
        """Run a command as a task of ours, at a place; stop and forget it afterwards."""
        with self.submitted(argv, place) as terminal:
            wait_until(lambda: self.rest.request("GET", terminal.path)["state"] == "running", "the task ran")
            yield replace(terminal, pid=self.rest.request("GET", terminal.path)["pid"])

    @contextmanager
    def submitted(self, argv: Sequence[str], place: str) -> Iterator[Terminal]:
        """The same, but it may wait at the place: then `pid` is 0."""
        body = {"command": list(argv), "stop_signals": ["SIGKILL"], "stop_grace": 0, "place": place}
        task = self.rest.request("POST", TASKS, body)
        path = f"{TASKS}/{task['id']}"
        url = f"ws://127.0.0.1:{self.port}/ptytasks/terminals/websocket/{task['id']}"
        try:
            yield Terminal(path, url, task["pid"] or 0)
        finally:
            self.rest.request("DELETE", f"{path}?stop=1")

    def _in_terminals(self) -> Iterator[int]:
        """Yield the server's children that have a terminal (read from /proc); other extensions have children, too."""
        for child in self.process.children():
            with suppress(OSError):
                if os.readlink(f"/proc/{child.pid}/fd/0").startswith("/dev/pts/"):
                    yield child.pid

    @contextmanager
    def stock(self, argv: Sequence[str]) -> Iterator[Terminal]:
        """Run a command in a stock terminal (terminado, in the server's own process); end it afterwards."""
        before = set(self._in_terminals())
        name = self.rest.request("POST", STOCK, {"shell_command": list(argv)})["name"]

        def added() -> set[int]:
            return set(self._in_terminals()) - before

        wait_until(added, "the program had its terminal")
        (pid,) = added()
        try:
            yield Terminal(f"{STOCK}/{name}", f"ws://127.0.0.1:{self.port}/terminals/websocket/{name}", pid)
        finally:
            if any(one["name"] == name for one in self.rest.request("GET", STOCK)):
                self.rest.request("DELETE", f"{STOCK}/{name}")
