"""Which of several real servers a script and a kernel find, however the servers listen and were started."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_server.auth.security import passwd

from jupyter_ptytasks.client import Client
from jupyter_ptytasks.core.local_token import LocalToken
from tests.client.live import PATIENCE, LiveServer, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Tells where a task is kept: the home of its server.
TELL = "from jupyter_ptytasks import run; print(run('true').wait(check=True).info['output']['directory'])"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, LiveServer]]:
    """Yield two servers of one user, the second one newer, each with its own tasks."""
    home = tmp_path_factory.mktemp("two").resolve()
    first, second = LiveServer(home / "first", token="1st"), LiveServer(home / "second", token="2nd")
    second.runtime = first.runtime
    with contextlib.ExitStack() as stack:
        for server in (first, second):
            stack.callback(server.stop)
            server.start()
        yield first, second


def tell(server: LiveServer, cwd: Path, **env: str) -> str:
    """Return the directory with the output of a task that a script has started."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", TELL],
        cwd=cwd,
        env={**server.environ, **env},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@contextlib.contextmanager
def kernel_of(server: LiveServer) -> Iterator[BlockingKernelClient]:
    """Yield a kernel that was started by the server."""
    headers = {"Authorization": f"token {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=PATIENCE, trust_env=False) as http:
        kernel = http.post("api/kernels", json={"name": "python3"}).raise_for_status().json()["id"]
        client = BlockingKernelClient(connection_file=str(server.runtime / f"kernel-{kernel}.json"))
        try:
            client.load_connection_file()
            # On a busy machine a kernel that is starting misses heartbeats for longer than a second, and lives.
            client.hb_channel.time_to_dead = PATIENCE
            client.start_channels()
            client.wait_for_ready(timeout=PATIENCE)
            yield client
        finally:
            client.stop_channels()
            http.delete(f"api/kernels/{kernel}").raise_for_status()
    until(lambda: not (server.runtime / f"kernel-{kernel}.json").exists(), "the kernel to be gone")


def output_of(client: BlockingKernelClient, code: str) -> str:
    """Run a cell, and give what it printed."""
    texts: list[str] = []

    def take(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            texts.append(message["content"]["text"])

    reply = client.execute_interactive(code, output_hook=take, timeout=PATIENCE, allow_stdin=False)
    assert reply["content"]["status"] == "ok", (reply["content"], texts)
    return "".join(texts)


def test_a_kernel_uses_the_server_that_started_it(two: tuple[LiveServer, LiveServer], tmp_path: Path) -> None:
    for server in two:
        with kernel_of(server) as kernel:
            # In a directory of neither, so that nothing else tells which one is meant.
            assert output_of(kernel, f"import os; os.chdir({str(tmp_path)!r})\n{TELL}").startswith(f"{server.home}/")


def test_a_script_uses_the_server_of_its_directory(two: tuple[LiveServer, LiveServer], tmp_path: Path) -> None:
    first, second = two
    assert tell(first, first.home).startswith(f"{first.home}/")
    assert tell(first, second.home).startswith(f"{second.home}/")
    assert tell(first, tmp_path).startswith(f"{second.home}/")  # the newest


def test_a_task_uses_the_server_that_runs_it(two: tuple[LiveServer, LiveServer], tmp_path: Path) -> None:
    for server in two:
        with server.client() as client:
            task = client.create([sys.executable, "-c", TELL], cwd=str(tmp_path))
            client.wait(task["id"], PATIENCE)
            assert client.output(task["id"])["output"].startswith(f"{server.home}/")


def test_variables_take_precedence(two: tuple[LiveServer, LiveServer], tmp_path: Path) -> None:
    first, second = two
    said = {"JUPYTER_PTYTASKS_URL": first.url, "JUPYTER_PTYTASKS_TOKEN": first.token}
    assert tell(second, second.home, **said).startswith(f"{first.home}/")
    # On another machine, with nothing here that tells of it.
    assert tell(second, tmp_path, **said, JUPYTER_RUNTIME_DIR=str(tmp_path)).startswith(f"{first.home}/")


@pytest.mark.parametrize("options", [{"sock": True}, {"base_url": "/user/jo/"}, {"sock": True, "base_url": "/b/"}])
def test_wherever_it_listens(tmp_path: Path, options: dict[str, Any]) -> None:
    server = LiveServer(tmp_path.resolve() / "h", **options)
    try:
        assert tell(server.start(), tmp_path).startswith(f"{server.home}/")
    finally:
        server.stop()


class PasswordServer(LiveServer):
    """A server that knows a password, and no token."""

    def __init__(self, home: Path) -> None:
        hashed = passwd("secret")  # type: ignore[no-untyped-call]
        super().__init__(home, f"--PasswordIdentityProvider.hashed_password={hashed}", token="")

    def revived(self) -> PasswordServer:
        """Start it, and give it."""
        self.start()
        return self

    def local_token(self) -> LocalToken:
        """Return the token that it leaves for the user's programs."""
        return LocalToken(str(self.runtime), self.pid)

    def client(self, **options: Any) -> Client:
        """Return a client of this server."""
        return Client(self.url, self.local_token().read(), **options)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PasswordServer]:
    """Yield a server with a password."""
    server = PasswordServer(tmp_path_factory.mktemp("guarded").resolve())
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_a_server_with_a_password_lets_our_own_programs_in(guarded: PasswordServer, tmp_path: Path) -> None:
    assert tell(guarded, tmp_path).startswith(f"{guarded.home}/")
    with guarded.client() as client:
        client.create("echo inside; sleep 1000", name="guarded")
        with guarded.terminal("attach", "guarded") as terminal:  # by a websocket
            terminal.until(b"inside")
        client.delete("guarded", stop=True)


def test_the_token_of_our_own_is_private_and_opens_tasks_alone(guarded: PasswordServer) -> None:
    (path,) = guarded.runtime.glob("ptytasks-*.token")
    assert path.stat().st_mode & 0o777 == 0o600
    token = guarded.local_token().read()
    assert len(token) == 64
    with httpx.Client(base_url=guarded.url, timeout=PATIENCE, trust_env=False) as http:

        def status(path: str, token: str, method: str = "GET") -> int:
            answer = http.request(method, path, headers={"Authorization": f"token {token}"})
            assert "username-" not in answer.headers.get("Set-Cookie", "")
            return answer.status_code

        assert status("ptytasks/api/status", token) == 200
        assert status("ptytasks/api/tasks/nobody/pause", token, "POST") == 404
        for wrong in ("wrong", "tok", token[:-1], token.upper()):
            assert status("ptytasks/api/status", wrong) == 403
        assert status("api/contents", token) == 403
        assert status("api/kernels", token, "POST") == 403


def test_the_token_of_our_own_lives_as_long_as_the_server(tmp_path: Path) -> None:
    server = PasswordServer(tmp_path.resolve() / "h")
    try:
        first = server.revived().local_token().read()
        server.kill9()
        assert server.revived().local_token().read() != first
    finally:
        server.stop()
    # That of the one that was killed opens nothing any more, whatever has its number.
    assert len(list(server.runtime.glob("ptytasks-*.token"))) <= 1
    assert first in "".join(path.read_text() for path in server.runtime.glob("ptytasks-*.token"))


def test_a_server_with_a_token_leaves_no_other(two: tuple[LiveServer, LiveServer]) -> None:
    assert not list(two[0].runtime.glob("*.token"))
