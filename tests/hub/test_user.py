"""A user's tasks behind a hub: everything works below the base URL, even after the server was stopped."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from jupyter_ptytasks.client import ConnectionLost, ServerNotFound
from tests.client.live import ended, until
from tests.ptyhost.hosting import is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_ptytasks.client import Client, Task
    from tests.hub.hub import Hub, User

#: Servers behind a hub take their time to start, and some tests start several.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: A shell line that finds its server as people do.
LS = '"$PTYTASK_PYTHON" -m jupyter_ptytasks.cli ls --all --json > found'


@pytest.fixture
def client(user: User) -> Iterator[Client]:
    """Yield a client of the user's server, from outside the hub."""
    with user.client() as client:
        yield client


def said(client: Client, ref: str) -> str:
    """Return what a task has written, when it has ended."""
    assert ended(client, ref)["state"] == "succeeded", client.output(ref)
    return client.output(ref, max_lines=100_000)["output"]


def test_rest_and_socket_are_below_the_base_url(user: User, client: Client) -> None:
    task = client.create(["cat"], name="cat")
    assert client.server.url == user.url
    client.send_input("cat", "typed over REST", newline=True)
    with closing(user.socket("ptytasks/terminals/websocket/cat")) as socket:
        socket.send(json.dumps(["stdin", "typed over the socket\r\x04"]))
        shown = ""
        while (message := json.loads(socket.recv()))[0] != "disconnect":
            shown += message[1] if message[0] == "stdout" else ""
    assert shown.count("typed over REST") == shown.count("typed over the socket") == 2
    assert ended(client, task["id"])["exit"] == {"code": 0, "signal": None}


def test_a_task_reaches_the_server_that_runs_it(user: User, client: Client) -> None:
    task = client.create(LS)
    said(client, task["id"])
    assert task["id"] in found(user)


def test_a_kernel_reaches_the_server_that_runs_it(user: User, client: Client) -> None:
    printed = user.run_in_kernel(
        "from jupyter_ptytasks.client import Client\n"
        "with Client() as client:\n"
        "    task = client.create('echo of a kernel', name='launched')\n"
        "    print(client.wait(task['id'])['state'], client.server.url)\n"
    )
    state, url = printed.split()
    assert state == "succeeded"
    # Straight to the server: not everywhere can it be reached by its public address from inside.
    assert url.endswith("/user/somebody/")
    assert not url.startswith(user.url)
    assert said(client, "launched") == "of a kernel\n"


def test_no_secret_of_the_hub_is_in_a_task(hub: Hub, user: User, client: Client) -> None:
    environments = [process.environ() for process in psutil.Process(hub.pid).children()]
    assert {"JUPYTERHUB_API_TOKEN", "CONFIGPROXY_AUTH_TOKEN"} <= {name for env in environments for name in env}
    secrets = {value for env in environments for name, value in env.items() if "TOKEN" in name} | {hub.token}
    assert all(len(secret) >= 32 for secret in secrets)
    task = client.create("env; tr '\\0' '\\n' < /proc/$PPID/environ", name="env")
    told = said(client, task["id"])
    assert told.count("JUPYTERHUB_USER=somebody") == 1
    assert [secret for secret in secrets if secret in told] == []
    spec = Path(task["output"]["directory"]).parent / "spec.json"
    assert [secret for secret in secrets if secret in spec.read_text()] == []


def test_a_server_that_is_stopped_and_started_has_its_tasks_again(stranger: User) -> None:
    go, ask = stranger.home / "go", stranger.home / "ask"
    go.touch()
    with stranger.client() as client, ThreadPoolExecutor() as pool:
        count = client.create("i=0; while [ -e go ]; do echo $i; i=$((i+1)); sleep 0.02; done", name="count")
        client.create(f"until [ -e ask ]; do sleep 0.05; done; {LS}", name="asks later")
        follower = pool.submit(read_all, stranger, count["id"])
        pid = stranger.server_process.pid

        stranger.stop_server()
        assert not is_alive(pid)
        written = size(count)
        until(lambda: size(count) > written, "output while no server runs")
        stranger.start_server()

        until(lambda: client.get(count["id"])["connected"], "the task to be adopted")
        adopted = client.get("count")
        assert [adopted["id"], adopted["pid"], adopted["attempt"]] == [count["id"], count["pid"], count["attempt"]]
        assert adopted["state"] == "running"
        client.send_input("count", "typed after all", newline=True)
        ask.touch()
        said(client, "asks later")
        assert count["id"] in found(stranger)
        go.unlink()
        text = said(client, count["id"])
    lines = text.replace("typed after all", "").split()
    assert lines == [str(number) for number in range(len(lines))]
    assert follower.result() == text.replace("\n", "\r\n")


def test_another_process_at_the_address_of_a_dead_server_is_not_trusted(stranger: User) -> None:
    with stranger.client() as client:
        client.status()
        process = stranger.server_process
        process.kill()
        until(lambda: not is_alive(process.pid))
        # The proxy answers, that it cannot reach it; later the hub, for it knows that it has stopped.
        with pytest.raises(ServerNotFound, match="is not running"):
            client.status()
        with pytest.raises(ConnectionLost, match="may have been carried out"):
            client.create("true")
        stranger.stop_server()
        for ask in (client.status, client.create):
            with pytest.raises(ServerNotFound, match="is not running"):
                ask()


def found(user: User) -> list[str]:
    """Return the ids of the tasks that `LS` found."""
    return [task["id"] for task in json.loads((user.home / "found").read_text())["tasks"]]


def read_all(user: User, ref: str) -> str:
    """Follow a task to its end, and give what it wrote."""
    with user.client() as client:
        return b"".join(piece.data for piece in client.follow(ref)).decode()


def size(task: Task) -> int:
    """Return the bytes that a task has written, without a server."""
    return sum(path.stat().st_size for path in Path(task["output"]["directory"]).glob("*.log"))
