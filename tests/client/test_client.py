"""The client against a real server: each verb, following output, errors, and restarts of the server."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.client import (
    Client,
    RequestFailed,
    ServerNotFound,
    TaskNotFound,
    Unauthorized,
    discovery,
    exit_status,
    is_live,
)
from jupyter_ptytasks.client.discovery import Server
from tests.client.live import PATIENCE, LiveServer, ended, free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Waits until Enter is pressed, and then prints what was typed.
ECHO = "stty -echo; echo ready; read line; echo got $line"


def text(client: Client, ref: str) -> str:
    """Return all of a task's output, as text."""
    return "".join(part["output"] for part in client.lines(ref))


def whole(client: Client, ref: str) -> bytes:
    """Return all of a task's output, as bytes."""
    return b"".join(piece.data for piece in client.follow(ref))


# -- verbs ------------------------------------------------------------------------------------------------------------


def test_a_task_is_started_found_and_forgotten(client: Client, live: LiveServer) -> None:
    task = client.create(
        ["sh", "-c", "echo $COLOUR; pwd; exit 3"],
        name="all of it",
        env={"COLOUR": "blue"},
        group="g",
        tags=["a", "b"],
        rows=10,
        cols=20,
        timeout=100.0,
        timeout_warning={"signal": "USR1", "before": 1.0},
        stop_grace=1.0,
        metadata={"x": 1},
    )
    assert (task["name"], task["group"], task["tags"], task["metadata"]) == ("all of it", "g", ["a", "b"], {"x": 1})
    assert (task["rows"], task["cols"], task["timeout"]) == (10, 20, 100.0)
    task = ended(client, "all of it")
    assert (task["state"], task["exit"], exit_status(task)) == ("failed", {"code": 3, "signal": None}, 3)
    assert text(client, task["id"]) == f"blue\n{live.home}\n"
    assert client.list(group="g", tag="b", q="all", state=["failed"])["tasks"] == [task]
    assert client.list(group="g", tag="c")["tasks"] == []
    assert client.update(task["id"], name="renamed", tags=[])["name"] == "renamed"
    client.delete("renamed")
    with pytest.raises(TaskNotFound):
        client.get(task["id"])


def test_status_counts(client: Client) -> None:
    assert client.status()["limits"]["max_live_tasks"] == 100


def test_pages_lead_on(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"page-{number}" for number in range(3)]
    for name in names:
        client.create(["true"], name=name, group="pages")
    first = client.list(group="pages", limit=2)
    second = client.list(group="pages", limit=2, cursor=first["next_cursor"])
    assert [task["name"] for task in first["tasks"] + second["tasks"]] == names[::-1]
    assert second["next_cursor"] is None
    monkeypatch.setattr(client, "list", partial(client.list, limit=2))
    assert [task["name"] for task in client.all(group="pages")] == names[::-1]


@pytest.mark.parametrize("name", ["a/b", "...", ".a", "50% ?&#", "日本 🎉", "שלום", "a b\\c"])
def test_a_name_may_be_anything(client: Client, name: str) -> None:
    task = client.create(["true"], name=name)
    assert client.get(name)["id"] == task["id"]
    assert ended(client, name)["state"] == "succeeded"
    client.delete(name)


def test_a_task_is_typed_into_resized_and_stopped(client: Client) -> None:
    ref = client.create(f"{ECHO}; stty size; sleep 1000", name="typed")["id"]
    until(lambda: "ready" in text(client, ref))
    client.resize(ref, 17, 71)
    client.send_input(ref, "héllo", newline=True)
    until(lambda: "17 71" in text(client, ref))
    assert "got héllo" in text(client, ref)
    assert client.stop(ref, grace=20.0)["state"] == "stopping"
    task = ended(client, ref)
    assert (task["state"], exit_status(task)) == ("cancelled", 130)


def test_a_task_is_paused_resumed_signaled_and_restarted(client: Client) -> None:
    ref = client.create("trap 'echo usr1' USR1; echo ready; while :; do sleep 0.1; done")["id"]
    until(lambda: "ready" in text(client, ref))
    assert client.pause(ref)["state"] == "paused"
    assert client.resume(ref)["state"] == "running"
    client.signal(ref, "usr1", target="leader")
    until(lambda: "usr1" in text(client, ref))
    client.restart(ref, signals=["KILL"])
    task = until(lambda: (task := client.get(ref))["attempt"] == 2 and task["state"] == "running" and task)
    assert is_live(task)
    client.delete(ref, stop=True)


def test_wait_gives_up_in_time(client: Client) -> None:
    ref = client.create(["sleep", "1000"])["id"]
    assert client.wait(ref, 0.1)["state"] == "running"
    client.stop(ref, signals=["SIGKILL"])
    task = client.wait(ref)
    assert exit_status(task) == 137


def test_if_exists(client: Client) -> None:
    first = client.create(["sleep", "1000"], name="once")
    assert client.create(["sleep", "1000"], name="once", if_exists="return")["id"] == first["id"]
    with pytest.raises(RequestFailed) as caught:
        client.create(["sleep", "1000"], name="once", if_exists="fail")
    assert (caught.value.code, caught.value.http_status) == ("name_in_use", 409)
    assert "--if-exists" in caught.value.hint
    client.delete(first["id"], stop=True)


# -- output -----------------------------------------------------------------------------------------------------------


def test_output_is_followed_from_its_first_byte_to_its_last(client: Client) -> None:
    ref = client.create("stty -onlcr; for i in $(seq 1 40); do echo line $i; sleep 0.02; done; printf end")["id"]
    pieces = list(client.follow(ref))
    assert b"".join(piece.data for piece in pieces) == b"".join(b"line %d\n" % i for i in range(1, 41)) + b"end"
    assert [piece.offset for piece in pieces[1:]] == [piece.next for piece in pieces[:-1]]
    assert not any(piece.lost for piece in pieces)
    assert whole(client, ref).endswith(b"line 40\nend")
    assert b"".join(piece.data for piece in client.follow(ref, pieces[-1].next - 3)) == b"end"


def test_bytes_dropped_by_the_ring_are_counted(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "h", "--PtyTasksApp.ring_size=65536", "--PtyTasksApp.segment_size=8192")
    try:
        with server.start().client() as client:
            ref = client.create("stty -onlcr; seq 1 50000")["id"]
            end = ended(client, ref)["output"]["end"]
            pieces = list(client.follow(ref))
            assert pieces[0].lost == pieces[0].offset > 0
            assert sum(len(piece.data) + piece.lost for piece in pieces) == end
            texts = list(client.lines(ref))
            assert texts[0]["lines_omitted"] == texts[0]["first_line"] > 0
            assert texts[-1]["next_line"] == 50000
    finally:
        server.stop()


def test_lines_are_reported_whole_and_to_the_end(client: Client) -> None:
    ref = client.create("for i in $(seq 1 30000); do echo $i; done; printf unfinished")["id"]
    texts = list(client.lines(ref, follow=True))
    assert client.get(ref)["state"] == "succeeded"
    shown = "".join(part["output"][: part["output"].rfind("\n") + 1] for part in texts)
    assert shown == "".join(f"{i}\n" for i in range(1, 30001))
    assert texts[-1]["output"].endswith("unfinished")
    assert text(client, ref).endswith("30000\nunfinished")
    assert "".join(part["output"] for part in client.lines(ref, tail=2)) == "30000\nunfinished"
    matching = "".join(part["output"] for part in client.lines(ref, grep="^777.$"))
    assert matching == "".join(f"777{i}\n" for i in range(10))
    assert "".join(part["output"] for part in client.lines(ref, since=29999)) == "30000\nunfinished"


@pytest.mark.parametrize(
    ("end", "count", "tail"), [("", 2, b"8\n9\n"), ("x", 2, b"9\nx"), ("", 0, b""), ("", 99, None)]
)
def test_the_last_lines_have_an_offset(client: Client, end: str, count: int, tail: bytes | None) -> None:
    ref = client.create(f"stty -onlcr; seq 1 9; printf '{end}'")["id"]
    ended(client, ref)
    everything = whole(client, ref)
    offset = client.tail_offset(ref, count)
    assert everything[offset:] == (everything if tail is None else tail)


def test_again(client: Client) -> None:
    first = client.create("echo $WHO", name="hello", env={"WHO": "you"}, tags=["t"])
    ended(client, first["id"])
    second, third = client.again("hello"), client.again(first["id"], name="other")
    assert first["id"] not in (second["id"], third["id"])
    assert (second["name"], second["tags"], third["name"]) == ("hello", ["t"], "other")
    ended(client, second["id"])
    assert client.output(second["id"])["output"] == "you\n"
    with pytest.raises(TaskNotFound):
        client.again("nobody")


# -- errors -----------------------------------------------------------------------------------------------------------


def test_errors_say_what_is_wrong(client: Client, live: LiveServer) -> None:
    with pytest.raises(TaskNotFound, match="nobody") as not_found:
        client.get("nobody")
    assert not_found.value.hint
    with pytest.raises(TaskNotFound):
        client.get("")
    with pytest.raises(RequestFailed) as caught:
        client.create(["no-such-program"])
    assert (caught.value.code, caught.value.field, caught.value.http_status) == ("spawn_failed", "command", 400)
    assert caught.value.to_json()["field"] == "command"
    with Client(live.url, "wrong") as stranger, pytest.raises(Unauthorized, match="denied access"):
        stranger.status()


def test_without_a_server_the_error_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    for name in ("JUPYTER_PTYTASKS_URL", "JPY_PARENT_PID", "JUPYTERHUB_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with Client() as client, pytest.raises(ServerNotFound, match="no running Jupyter server found") as caught:
        client.status()
    assert "jupyter lab" in caught.value.hint
    with Client("http://127.0.0.1:9/") as client, pytest.raises(ServerNotFound, match="no Jupyter server responds"):
        client.wait("x")
    with Client("nonsense") as client, pytest.raises(ServerNotFound, match="not a valid server URL"):
        client.status()


@pytest.fixture
def stranger() -> Iterator[str]:
    """Yield the address of a server without this extension."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_server_without_us_is_passed_over(stranger: str, live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with Client(stranger) as client, pytest.raises(ServerNotFound, match="does not have jupyter_ptytasks") as caught:
        client.status()
    assert "pip install" in caught.value.hint
    servers = [Server("http://127.0.0.1:9/"), Server(stranger), Server(live.url, live.token)]
    monkeypatch.setattr(discovery, "find", lambda *_: servers)
    with Client() as client:
        client.status()
        assert client.server == servers[-1]


# -- servers that come and go -----------------------------------------------------------------------------------------


def test_a_server_that_moved_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = LiveServer(tmp_path / "h")
    for name, value in server.environ.items():
        if name.startswith("JUPYTER"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    try:
        server.start()
        followed: list[bytes] = []

        def follow(ref: str) -> None:
            with Client(patience=PATIENCE) as client:
                followed.extend(piece.data for piece in client.follow(ref))

        with Client() as client:
            ref = client.create("for i in $(seq 1 1000); do echo line $i; sleep 0.1; done")["id"]
            follower = threading.Thread(target=follow, args=(ref,))
            follower.start()
            until(lambda: b"line 3" in b"".join(followed))
            server.kill9()
            server.port, server.token = free_port(), "another"
            server.start()
            assert client.get(ref)["state"] == "running"
            assert client.server == Server(server.url, "another")
            client.stop(ref, signals=["SIGKILL"])
            follower.join(PATIENCE)
            assert not follower.is_alive()
            assert b"".join(followed) == client.raw(ref).data
    finally:
        server.stop()


def test_a_server_at_a_unix_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = LiveServer(tmp_path / "h", sock=True, base_url="/base/")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", server.environ["JUPYTER_RUNTIME_DIR"])
    try:
        server.start()
        with Client() as client:
            assert client.status()["version"]
            assert client.server.sock == server.sock
    finally:
        server.stop()


def test_no_proxy_comes_between(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with live.client() as client:
        client.status()


def test_looking_on_keeps_no_server_up(client: Client, live: LiveServer) -> None:
    def last_activity() -> str:
        response = client._transport.request("GET", "../../api/status", params={"no_track_activity": "1"})
        return str(json.loads(response.content)["last_activity"])

    ref = client.create(["true"])["id"]
    ended(client, ref)
    before = last_activity()
    client.wait_once(ref, 0.1)
    client.raw(ref)
    assert last_activity() == before
