"""A Jupyter server with a home of its own, for the demos."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from jupyter_ptytasks.client import Client, ClientError, is_live

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.slurm.cluster import Cluster

BIN = Path(sys.prefix) / "bin"
#: Without it there is the command line.
HAS_LAB = (BIN / "jupyter-lab").exists()
#: Seconds that anything but the training may take.
PATIENCE = 60.0
PANEL = "jp-ptytasks-panel"
#: As JupyterLab keeps it.
LAYOUT = {
    "main": {"dock": None, "current": None},
    "left": {"collapsed": False, "visible": True, "current": PANEL, "widgets": [PANEL]},
    "right": {"collapsed": True, "visible": True, "widgets": []},
    "relativeSizes": [0.25, 0.75, 0],
}


class Place:
    """A Jupyter server with a home of its own, which the command line finds by itself. With a cluster its training is
    a job there.
    """

    def __init__(self, home: Path, cluster: Cluster | None = None) -> None:
        self.home = home
        self.cluster = cluster
        #: Options of `run`.
        self.where = ["--place", "slurm", "--cpus", "2", "--time", "10m"] if cluster is not None else []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
        self.token = os.urandom(16).hex()
        self.server: subprocess.Popen[bytes] | None = None
        env = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "PTYTASK"))}
        if cluster is not None:
            env["SLURM_CONF"] = str(cluster.config)
        places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        self.env = {**env, **places, "HOME": str(home), "PATH": f"{BIN}{os.pathsep}{env.get('PATH', os.defpath)}"}

    def start(self) -> None:
        """Start the server; return when it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        face = "lab" if HAS_LAB else "server"
        port = self.url.rstrip("/").rpartition(":")[2]
        with (self.home / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [
                    *(str(BIN / "jupyter"), face, "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
                    *(
                        f"--ServerApp.port={port}",
                        "--ServerApp.port_retries=0",
                        f"--IdentityProvider.token={self.token}",
                    ),
                ],
                cwd=self.home,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._answers, f"the server (see {self.home / 'server.log'})")

    def _answers(self) -> bool:
        if self.server is None or self.server.poll() is not None:
            raise AssertionError(f"the server has ended; see {self.home / 'server.log'}")
        try:
            with self.client() as client:
                client.status()
        except ClientError:
            return False
        return True

    def furnish(self) -> None:
        """Have JupyterLab open with the panel of tasks in front, and without asking about news. What the user has
        made of it since then stays.
        """
        config = self.home / "config" / "labconfig" / "page_config.json"
        if config.exists():
            return
        config.parent.mkdir(parents=True)
        config.write_text(json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}))
        workspace = self.home / "workspace.json"
        workspace.write_text(json.dumps({"data": {"layout-restorer:data": LAYOUT}, "metadata": {"id": "default"}}))
        command = [str(BIN / "jupyter"), "lab", "workspaces", "import", str(workspace)]
        subprocess.run(command, cwd=self.home, env=self.env, check=True, capture_output=True)

    def client(self) -> Client:
        """Return a client of the server; the caller closes it."""
        return Client(self.url, self.token)

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `jupyter ptytasks`."""
        command = [str(BIN / "jupyter"), "ptytasks", *arguments]
        options: dict[str, Any] = {"text": True, "capture_output": True, "timeout": PATIENCE}
        return subprocess.run(command, cwd=self.home, env=self.env, check=False, **options)

    def stop(self) -> None:
        """End the task, and then the server."""
        if self.server is None:
            return
        try:
            if self.server.poll() is not None:
                self.start()
            with self.client() as client:
                for task in client.list()["tasks"]:
                    if is_live(task):
                        client.stop(task["id"])
                        client.wait(task["id"], PATIENCE)
        finally:
            server, self.server = self.server, None
            server.terminate()
            server.wait(PATIENCE)
            for process in self.processes():
                # It would wait some minutes for the next task.
                if "--starter" in process.info["cmdline"]:
                    process.terminate()

    def processes(self) -> list[psutil.Process]:
        """Return what still runs in this home, or works for it."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            try:
                is_ours = process.environ().get("HOME") == str(self.home) or any(
                    word.startswith(str(self.home) + os.sep) for word in process.info["cmdline"]
                )
                if is_ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found


def until(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of `condition()`. Raises AssertionError if that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.05)
    return found
