"""A task on Windows outlives the server that has started it: the next one finds it running, with all of its output."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from jupyter_ptytasks.core.terminal.lines import lines_of
from tests.ptyhost.hosting import is_alive, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="only Windows has pseudo consoles")

#: Seconds until a server answers, on a machine that has much to do.
UP = 600.0
COUNT = "import time\nfor n in range(100000): print('n', n, flush=True); time.sleep(0.1)"


class Servers:
    """Servers over one set of directories, one after the other."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self.log: list[str] = []
        self.http = httpx.Client(timeout=60.0)

    def start(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        home = self._home
        places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        env = {**os.environ, **places, "HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": os.getcwd()}
        (home / "root").mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyter_server",
                "--no-browser",
                "--ip=127.0.0.1",
                f"--port={port}",
                "--IdentityProvider.token=t",
                f"--ServerApp.root_dir={home / 'root'}",
                "--ServerApp.jpserver_extensions={'jupyter_ptytasks': True}",
            ],
            env=env,
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

    def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = self.http.request(method, f"/ptytasks/api{path}", json=body or None)
        assert answer.status_code < 400, (answer.text, self.log[-20:])
        return answer.json() if answer.content else None


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Servers that are gone when the test ends."""
    one = Servers(tmp_path)
    yield one
    one.kill()
    one.http.close()


@pytest.mark.timeout(2400)
def test_a_task_outlives_its_server(servers: Servers) -> None:
    servers.start()
    task = servers.ask("POST", "/tasks", command=[sys.executable, "-u", "-c", COUNT], name="counter")
    try:
        assert task["state"] == "running"
        wait_until(lambda: servers.ask("GET", "/tasks/counter")["output"]["lines"] > 5)
        servers.kill()
        assert is_alive(task["pid"])
        servers.start()
        found = servers.ask("GET", "/tasks/counter")
        assert (found["state"], found["pid"], found["started"]) == ("running", task["pid"], task["started"])
        servers.ask("POST", "/tasks/counter/stop")
        ended = wait_until(lambda: has_ended(servers.ask("GET", "/tasks/counter")))
        assert (ended["state"], ended["exit"]) == ("cancelled", {"code": None, "signal": "SIGINT"})
        lines = lines_of(servers.http.get("/ptytasks/api/tasks/counter/output/raw").content)
        assert [line for line in lines if line.startswith("n ")][:6] == [f"n {number}" for number in range(6)]
        # Its exit code is recorded, and its place is free.
        short = servers.ask("POST", "/tasks", command=[sys.executable, "-c", "raise SystemExit(3)"])
        ended = wait_until(lambda: has_ended(servers.ask("GET", f"/tasks/{short['id']}")))
        assert ended["exit"] == {"code": 3, "signal": None}
    finally:
        if is_alive(task["pid"]):
            os.kill(task["host_pid"], 9)


def has_ended(task: dict[str, Any]) -> dict[str, Any] | None:
    return task if task["state"] not in ("starting", "running", "stopping") else None
