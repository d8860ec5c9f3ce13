"""Tasks on Windows outlive the server that started them: the next one finds them with all of their output."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from jupyter_ptytasks.cli.websocket import Connection
from jupyter_ptytasks.client.discovery import Server
from jupyter_ptytasks.core.terminal.lines import lines_of
from tests.notebook.kernel import Kernel
from tests.ptyhost.hosting import is_alive, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="only Windows has pseudo consoles")

#: Seconds until a server answers, on a machine that has much to do.
UP = 600.0
#: A console is wider than what is printed: at its width some wrap lines for good.
WIDE = 200
COUNT = "import time\nfor n in range(100000): print('n', n, flush=True); time.sleep(0.1)"
TALK = """
import os
print('say it', flush=True)
while (line := input()) != 'end':
    print('got', ascii(line), os.get_terminal_size().columns, flush=True)
raise SystemExit(4)
"""


def has_ended(task: dict[str, Any]) -> dict[str, Any] | None:
    """Return a task that has ended."""
    return task if task["state"] not in ("queued", "starting", "running", "stopping") else None


class Servers:
    """Servers over one set of directories, one after the other."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._process: subprocess.Popen[bytes] | None = None
        self.log: list[str] = []
        self.http = httpx.Client(timeout=60.0)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the servers, and of the user who works with them."""
        home = self.home
        places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        return {**os.environ, **places, "HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": os.getcwd()}

    def start(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        (self.home / "root").mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyter_server",
                "--no-browser",
                "--ip=127.0.0.1",
                f"--port={port}",
                "--IdentityProvider.token=t",
                f"--ServerApp.root_dir={self.home / 'root'}",
                "--ServerApp.terminado_settings={'shell_command': ['cmd.exe']}",
                "--ServerApp.jpserver_extensions={'jupyter_ptytasks': True}",
            ],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        self.http.close()
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": "token t"}, timeout=60.0, trust_env=False
        )
        wait_until(self._is_up, UP)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as pipe:
            self.log += [line.decode(errors="replace") for line in pipe]

    def _is_up(self) -> bool:
        try:
            return self.http.get("/api/status").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """End the server as nothing announces it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def run(self, name: str, *arguments: str, **fields: Any) -> Any:
        """Start Python with `arguments`, in a wide console; return the task, which runs."""
        words = [sys.executable, "-u", *arguments]
        task = self.ask("POST", "/tasks", command=words, name=name, cols=WIDE, rows=50, **fields)
        return wait_until(lambda: self.is_running(task["id"]))

    def is_running(self, ref: str) -> Any:
        """Return a task if it runs."""
        task = self.ask("GET", f"/tasks/{ref}")
        return task if task["state"] == "running" else None

    def end(self, ref: str) -> tuple[str, Any]:
        """Return the state of a task, and how its command has ended, when it has."""
        task = wait_until(lambda: has_ended(self.ask("GET", f"/tasks/{ref}")))
        return task["state"], task["exit"]

    def lines(self, ref: str) -> list[str]:
        """Return the lines of a task's output that are not empty."""
        data = self.http.get(f"/ptytasks/api/tasks/{ref}/output/raw").content
        return [line.strip() for line in lines_of(data, 50, WIDE) if line.strip()]

    def wait_lines(self, ref: str, text: str) -> None:
        """Wait until a line of a task's output has `text`."""
        wait_until(lambda: any(text in line for line in self.lines(ref)))

    def end_tasks(self) -> None:
        """Leave no task behind, whatever has become of the servers."""
        for path in (self.home / "data" / "ptytasks" / "tasks").glob("*/host.json"):
            pid = json.loads(path.read_bytes())["host_pid"]
            if is_alive(pid):
                os.kill(pid, 9)

    def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = self.http.request(method, f"/ptytasks/api{path}", json=body or None)
        while answer.status_code == 503:  # nothing was done in time, on a machine that has much to do
            answer = self.http.request(method, f"/ptytasks/api{path}", json=body or None)
        assert answer.status_code < 400, (answer.text, self.log[-20:])
        return answer.json() if answer.content else None


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Servers that are gone when the test ends."""
    one = Servers(tmp_path)
    yield one
    one.kill()
    one.end_tasks()
    one.http.close()


class Viewer:
    """A terminal attached to a task, as a browser is."""

    def __init__(self, servers: Servers, ref: str) -> None:
        server = Server.parse(str(servers.http.base_url), "t")
        self._text = ""
        self._connection = Connection(server, ref, {}, self._receive, lambda: None)
        self.send = self._connection.send
        self.close = self._connection.close
        self._connection.start()

    def _receive(self, _: Connection, message: list[Any]) -> None:
        if message[0] == "stdout":
            self._text += message[1]

    def wait(self, text: str) -> None:
        """Wait until `text` is shown."""
        wait_until(lambda: text in "\n".join(lines_of(self._text.encode(), 50, WIDE)))


@pytest.mark.timeout(2400)
def test_tasks_outlive_their_server(servers: Servers) -> None:
    """Two tasks keep running when their server is killed, and the next one finds them; the rest is tested with them."""
    servers.start()
    counter, talk = servers.run("counter", "-c", COUNT), servers.run("talk", "-c", TALK)
    wait_until(lambda: servers.lines("counter")[5:])
    servers.kill()
    assert is_alive(counter["pid"])

    servers.start()
    # It is the same, and its output is whole.
    found = servers.ask("GET", "/tasks/counter")
    assert (found["state"], found["pid"], found["started"]) == ("running", counter["pid"], counter["started"])
    seen = len(servers.lines("counter"))
    wait_until(lambda: len(servers.lines("counter")) > seen + 5)
    lines = servers.lines("counter")
    assert lines == [f"n {number}" for number in range(len(lines))]

    # A viewer sees what was before, sets the size, and types.
    viewer = Viewer(servers, talk["id"])
    viewer.wait("say it")
    viewer.send("set_size", 50, WIDE + 2)
    wait_until(lambda: servers.ask("GET", "/tasks/talk")["cols"] == WIDE + 2)
    viewer.send("stdin", "grüß\r")
    viewer.wait(f"got {'grüß'!a} {WIDE + 2}")
    viewer.close()

    # A line for the shell, and directories as people write them there.
    line = servers.ask("POST", "/tasks", command='cd & echo "a  b" & exit 3', cwd="C:/windows/System32/..", cols=WIDE)
    assert line["cwd"] == "C:\\windows"
    assert servers.end(line["id"]) == ("failed", {"code": 3, "signal": None})
    assert {"C:\\windows", '"a  b"'} <= set(servers.lines(line["id"]))
    refused = servers.http.post("/ptytasks/api/tasks", json={"command": "cd", "cwd": "\\\\nowhere\\share"})
    assert (refused.status_code, refused.json()["field"]) == (400, "cwd")
    assert servers.ask("GET", "/status")["tasks_outlive_server"] is True

    # The command line in a console: what it is typed is typed into the task, whose exit code is its own.
    servers.run("attached", "-m", "jupyter_ptytasks.cli", "attach", "talk")
    servers.wait_lines("attached", "got ")
    servers.ask("POST", "/tasks/attached/input", data="end", newline=True)
    for name in ("talk", "attached"):
        assert servers.end(name) == ("failed", {"code": 4, "signal": None})

    # A cell of a notebook becomes a task, and knows how it has ended.
    with Kernel(servers) as kernel:
        kernel.run("%load_ext jupyter_ptytasks")
        kernel.run("%%task cell --python --wait\nprint('from a cell', 6 * 7)")
        kernel.run("%%task wrong --python --wait\nraise SystemExit(5)", fails=True)
        assert "succeeded" in kernel.run("import jupyter_ptytasks; jupyter_ptytasks.get('cell').state").text
    assert servers.end("cell") == ("succeeded", {"code": 0, "signal": None})
    assert servers.end("wrong") == ("failed", {"code": 5, "signal": None})
    assert "from a cell 42" in servers.lines("cell")

    # What has waited is started by the scheduler, when its turn has come.
    servers.ask("PUT", "/groups/one", slots=1)
    servers.run("first", "-c", "input()", group="one")
    second = servers.ask("POST", "/tasks", command=[sys.executable, "-c", "print('its turn')"], group="one")
    assert second["state"] == "queued"
    servers.ask("POST", "/tasks/first/input", data="", newline=True)
    for name in ("first", second["id"]):
        assert servers.end(name) == ("succeeded", {"code": 0, "signal": None})
    servers.wait_lines(second["id"], "its turn")

    # What was stopped can be started again.
    servers.ask("POST", "/tasks/counter/stop")
    assert servers.end("counter") == ("cancelled", {"code": None, "signal": "SIGINT"})
    servers.ask("POST", "/tasks/counter/restart")
    again = wait_until(lambda: servers.is_running("counter"))
    assert (again["attempt"], again["pid"] != counter["pid"]) == (2, True)
