"""Server discovery, by environment variables and runtime files."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.client import discovery
from jupyter_ptytasks.client.discovery import Server

if TYPE_CHECKING:
    from pathlib import Path

A = Server("http://localhost:8888/", "a")
B = Server("http://localhost:8889/", "b")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away what this machine may know, and work in a directory that no server serves."""
    for name in list(os.environ):
        if name.startswith(("JUPYTER", "JPY_")):
            monkeypatch.delenv(name)
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path)


def leave_file(where: Path, server: Server, pid: int = os.getpid(), age: float = 0.0, **about: Any) -> None:
    """Leave a file as a Jupyter server does."""
    path = where / "run" / f"jpserver-{pid}-{server.token}.json"
    record = {
        "url": server.url,
        "token": server.token,
        "sock": server.sock,
        "pid": pid,
        "root_dir": "/nowhere",
        **about,
    }
    path.write_text(json.dumps(record))
    now = path.stat().st_mtime
    os.utime(path, (now - age, now - age))


def dead_pid() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("http://localhost:8888", A),
        ("http://localhost:8888/lab?token=a", A),
        ("http://localhost:8888/lab/tree/notes/x.ipynb?token=a", A),
        ("http://localhost:8888/tree", A),
        ("https://hub.example/user/jo/", Server("https://hub.example/user/jo/", "a")),
        ("http://0.0.0.0:8888/", Server("http://127.0.0.1:8888/", "a")),
        ("http+unix://%2Ftmp%2Fs/base/", Server("http://localhost/base/", "a", "/tmp/s")),
    ],
)
def test_an_address_is_read_as_people_have_it(text: str, server: Server) -> None:
    assert Server.parse(text, "a") == server


@pytest.mark.parametrize("text", ["", "localhost:8888", "ftp://x/", "http:///lab"])
def test_invalid_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a valid server URL"):
        Server.parse(text)


def test_the_token_in_an_address_counts() -> None:
    assert Server.parse("http://x:1/?token=t") == Server("http://x:1/", "t")


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://localhost:1/", True),
        ("http://127.0.0.1:1/", True),
        ("http://[::1]:1/", True),
        ("http://hub.example/", False),
    ],
)
def test_what_is_on_this_machine(url: str, is_local: bool) -> None:
    assert Server(url).is_local is is_local
    assert Server(url, sock="/tmp/s").is_local
    assert Server(f"http://{socket.gethostname()}:1/").is_local


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "run").rmdir()
    assert discovery.find() == []


def test_what_the_caller_says_is_the_only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_file(tmp_path, A)
    monkeypatch.setenv("JUPYTER_PTYTASKS_URL", B.url)
    assert discovery.find("http://localhost:1/", "t") == [Server("http://localhost:1/", "t")]
    with pytest.raises(ValueError, match="not a valid server URL"):
        discovery.find("nonsense")


def test_the_environment_goes_before_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_file(tmp_path, A)
    monkeypatch.setenv("JUPYTER_PTYTASKS_URL", B.url)
    monkeypatch.setenv("JUPYTER_PTYTASKS_TOKEN", B.token)
    assert discovery.find() == [B]
    monkeypatch.delenv("JUPYTER_PTYTASKS_URL")
    assert discovery.find() == [Server(A.url, B.token)]


def test_an_address_without_a_token_gets_that_of_the_file(tmp_path: Path) -> None:
    leave_file(tmp_path, A)
    assert discovery.find(A.url) == [A]


def test_a_kernel_finds_the_server_that_started_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_file(tmp_path, A)
    leave_file(tmp_path, B, pid=os.getppid(), age=100)
    assert discovery.find() == [A, B]
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getppid()))
    assert discovery.find() == [B, A]


def test_a_hub_is_found_by_its_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_file(tmp_path, Server(A.url))
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", "http://0.0.0.0:8000/")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/jo/")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub")
    # A server behind a hub has no token of its own: the hub's is good for it.
    assert discovery.find() == [Server("http://127.0.0.1:8000/user/jo/", "hub"), Server(A.url, "hub")]
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:8000/user/jo")
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX")
    assert discovery.find()[0].url == "http://127.0.0.1:8000/user/jo/"


def test_the_dead_and_the_damaged_are_passed_over(tmp_path: Path) -> None:
    leave_file(tmp_path, A, pid=dead_pid())
    leave_file(tmp_path, B)
    (tmp_path / "run/jpserver-1.json").write_text("{ half")
    (tmp_path / "run/jpserver-2.json").write_text("[]")
    (tmp_path / "run/jpserver-3.json").write_text('{"url": "?", "pid": 1}')
    (tmp_path / "run/jpserver-4-open.html").write_text("")
    assert discovery.find() == [B]


def test_the_server_of_this_directory_precedes_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner, beside = tmp_path / "project", tmp_path / "project-2"
    inner.mkdir()
    beside.mkdir()
    leave_file(tmp_path, A, age=200, root_dir=str(tmp_path))
    leave_file(tmp_path, B, age=100, root_dir=str(inner))
    newest = Server("http://localhost:1/", "c")
    leave_file(tmp_path, newest)
    assert discovery.find() == [A, newest, B]
    monkeypatch.chdir(inner)
    assert discovery.find() == [B, A, newest]
    monkeypatch.chdir(beside)
    assert discovery.find()[0] == A


def test_a_task_finds_the_server_that_runs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_file(tmp_path, A, age=100, root_dir="/x")
    leave_file(tmp_path, B, root_dir=str(tmp_path))
    monkeypatch.setenv("JUPYTER_SERVER_URL", A.url)
    monkeypatch.setenv("JUPYTER_SERVER_ROOT", "/x")
    assert discovery.find()[0] == A
    # It has come back on another port.
    monkeypatch.setenv("JUPYTER_SERVER_URL", "http://localhost:1/")
    assert discovery.find()[0] == A


def test_a_server_at_a_unix_socket_is_found(tmp_path: Path) -> None:
    leave_file(tmp_path, Server("http+unix://%2Ftmp%2Fs/base/", "t", "/tmp/s"))
    assert discovery.find() == [Server("http://localhost/base/", "t", "/tmp/s")]


def test_a_missing_directory_is_harmless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    leave_file(tmp_path, A)
    assert discovery.find() == [A]


def test_nothing_of_the_server_is_imported() -> None:
    env = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(discovery.__file__))}
    code = "import sys, jupyter_ptytasks.client, jupyter_ptytasks.cli.attach_session; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], env=env, text=True, stdout=subprocess.PIPE, check=True).stdout
    assert not set(loaded.split()) & {
        "jupyter_server",
        "tornado",
        "terminado",
        "traitlets",
        "pydantic",
        "jupyter_ptytasks.server.manager",
    }
