"""A real JupyterHub with its proxy, its users' servers and its culler, in its own directory."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
from websocket import create_connection

from jupyter_ptytasks.client import Client
from tests.client.live import PATIENCE, be_quiet, free_port, until
from tests.npm import install
from tests.server.conftest import end_hosts, end_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websocket import WebSocket

#: Seconds that a hub or a user's server may take to start; jupyterhub_config.py has the same.
SLOW = 120.0

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


class Hub:
    """A hub in `home`, below which its users' homes are, too. `start` it, and `end` it with all that it started."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.token = secrets.token_hex()
        self._culler_token = secrets.token_hex()
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(trust_env=False, timeout=PATIENCE, base_url=f"{self.url}hub/api/")
        self._http.headers["Authorization"] = f"token {self.token}"

    @property
    def url(self) -> str:
        """The address that people know."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    # -- the hub ------------------------------------------------------------------------------------------------------

    def start(self) -> Hub:
        """Start it, and return when it answers."""
        command = [sys.executable, "-m", "jupyterhub", "--config", str(HERE / "jupyterhub_config.py")]
        self._process = self._run(
            command,
            HUB_TEST_PORT=str(self.port),
            HUB_TEST_HUB_PORT=str(free_port()),
            HUB_TEST_PROXY_PORT=str(free_port()),
            HUB_TEST_PROXY=str(install(HERE) / ".bin" / "configurable-http-proxy"),
            HUB_TEST_TOKEN=self.token,
            HUB_TEST_CULLER_TOKEN=self._culler_token,
        )
        until(self._answers, "the hub to answer", SLOW)
        return self

    def _run(self, command: list[str], **env: str) -> subprocess.Popen[bytes]:
        usual = {
            name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "PTYTASK"))
        }
        path = os.pathsep.join(filter(None, (str(ROOT), usual.get("PYTHONPATH"))))
        env = {**usual, "HOME": str(self.home), "PYTHONPATH": path, **env}
        with (self.home / "hub.log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.home,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            return self._http.get("").is_success
        except httpx.TransportError:
            return False

    @property
    def log(self) -> str:
        """What the hub, the proxy, the culler and the servers have told."""
        return (self.home / "hub.log").read_text(errors="replace")

    def end(self) -> None:
        """End it at once, with its proxy and all servers, and all tasks of all users."""
        self._http.close()
        if self._process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                end_tree(psutil.Process(self._process.pid))
            self._process.wait()
        for user in self.home.glob("users/*"):
            end_hosts(user / ".local/share/jupyter")

    @contextlib.contextmanager
    def culler(self, timeout: int) -> Iterator[None]:
        """Have servers stopped that were idle for `timeout` seconds, as a service of the hub does."""
        options = [f"--url={self.url}hub/api", f"--timeout={timeout}", "--cull-every=1"]
        command = [sys.executable, "-m", "jupyterhub_idle_culler", *options]
        process = self._run(command, JUPYTERHUB_API_TOKEN=self._culler_token)
        try:
            yield
            assert process.poll() is None, self.log
        finally:
            process.terminate()
            process.wait(PATIENCE)

    def add_user(self, name: str, **settings: dict[str, Any]) -> User:
        """Let the hub know a user, whose server shall have these settings of his own, by class."""
        user = User(self, name)
        config = user.home / ".jupyter"
        be_quiet(config)
        (config / "jupyter_server_config.json").write_text(json.dumps(settings))
        return user

    def ask(self, method: str, path: str, **content: Any) -> Any:
        """Return the response of the hub's REST API (https://jupyterhub.readthedocs.io/en/stable/reference/rest-api.html)."""
        answer = self._http.request(method, path, **content)
        assert answer.is_success, (method, path, answer.status_code, answer.text, self.log[-5000:])
        return answer.json() if answer.content else None


class User:
    """A user of the hub, with a token as he would get one from the hub's page."""

    def __init__(self, hub: Hub, name: str) -> None:
        self._hub = hub
        self.name = name
        self.home = hub.home / "users" / name
        #: Of his server, behind the proxy.
        self.url = f"{hub.url}user/{name}/"
        hub.ask("POST", f"users/{name}")
        self.token: str = hub.ask("POST", f"users/{name}/tokens", json={})["token"]

    @property
    def server(self) -> dict[str, Any] | None:
        """What the hub knows of his server; None if there is none."""
        found: dict[str, Any] | None = self._hub.ask("GET", f"users/{self.name}")["servers"].get("")
        return found

    @property
    def is_served(self) -> bool:
        """Whether his server is ready."""
        return bool(self.server and self.server["ready"])

    @property
    def last_activity(self) -> float:
        """When his server was active, as far as the hub knows (Unix seconds; 0.0: never, or there is none)."""
        last = self.server and self.server["last_activity"]
        return unix_time(last) if last else 0.0

    def start_server(self) -> User:
        """Start his server if there is none, and return when it is ready."""
        start_servers(self)
        return self

    def stop_server(self) -> None:
        """Stop his server, and return when it has stopped."""
        self._hub.ask("DELETE", f"users/{self.name}/server")
        until(lambda: self.server is None, f"the server of {self.name} to stop")

    def begin_server(self) -> None:
        """Have his server started."""
        self._hub.ask("POST", f"users/{self.name}/server")

    @property
    def server_process(self) -> psutil.Process:
        """The process of his server."""
        assert self.server is not None
        return psutil.Process(self.server["state"]["pid"])

    def client(self) -> Client:
        """Return a client of the user's server, from outside the hub; the caller closes it."""
        return Client(self.url, self.token)

    def socket(self, path: str, token: str | None = None, cookie: str | None = None) -> WebSocket:
        """Open a websocket to his server, with his own token or another, and cookies; the caller closes it.

        Raises WebSocketBadStatusException.
        """
        token = self.token if token is None else token
        header = [f"Authorization: token {token}"] if token else []
        return create_connection(
            self.url.replace("http", "ws", 1) + path, timeout=PATIENCE, header=header, cookie=cookie
        )

    def run_in_kernel(self, code: str) -> str:
        """Run some code in a new Python kernel of his server, and give what it printed."""
        with httpx.Client(trust_env=False, timeout=PATIENCE, base_url=f"{self.url}api/") as http:
            http.headers["Authorization"] = f"token {self.token}"
            kernel = http.post("kernels", json={"name": "python3"}).json()["id"]
            with contextlib.closing(self.socket(f"api/kernels/{kernel}/channels")) as channels:
                printed = _execute(channels, code)
            http.delete(f"kernels/{kernel}")
        return printed


def start_servers(*users: User) -> None:
    """Start the servers of all these users at once, and return when all are ready."""
    for user in users:
        if user.server is None:
            user.begin_server()
    for user in users:
        until(lambda user=user: user.is_served, f"the server of {user.name}", SLOW)  # type: ignore[misc]


def unix_time(told: str) -> float:
    """Return an ISO 8601 time as Unix seconds."""
    return datetime.fromisoformat(told.replace("Z", "+00:00")).timestamp()


def _execute(channels: WebSocket, code: str) -> str:
    """Return what some code printed (https://jupyter-client.readthedocs.io/en/stable/messaging.html)."""
    about = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": "", "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": False}
    request = {"header": about, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    channels.send(json.dumps(request))
    printed = ""
    while True:
        message = json.loads(channels.recv())
        if message["parent_header"].get("msg_id") != about["msg_id"]:
            continue
        content = message["content"]
        assert message["msg_type"] != "error", content
        if message["msg_type"] == "stream":
            printed += content["text"]
        elif message["msg_type"] == "status" and content["execution_state"] == "idle":
            return printed  # all that belongs to a request comes before this
