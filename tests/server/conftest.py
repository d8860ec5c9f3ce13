"""A real Jupyter server in this process with the extension, and helpers for its REST API."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psutil
import pytest
from jupyter_core.utils import ensure_event_loop
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httputil import url_concat
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.client.live import LiveServer
from tests.ptyhost.hosting import end_starters, is_alive, wait_until
from tests.server.serving import Served, config, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from jupyter_ptytasks.server.parts import Parts

PATIENCE = 60.0


@pytest.fixture
def server_options() -> dict[str, dict[str, Any]]:
    """Settings of the server beside the usual ones, by class; a test that has its own parametrizes this name."""
    return {}


@pytest.fixture
def jp_server_config(server_options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return config(server_options)


@pytest.fixture(scope="module", autouse=True)
def jp_asyncio_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One loop for all tests of a module: a server that they share lives in it."""
    loop = ensure_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def shared_server(
    jp_asyncio_loop: asyncio.AbstractEventLoop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Served]]:
    """Return the server that the tests of a module share: `shared_server(options)`. Other options make another one."""
    with contextlib.ExitStack() as stack:
        running: list[tuple[dict[str, Any], Served]] = []

        def serve_with(options: dict[str, dict[str, Any]]) -> Served:
            if not running or running[0][0] != options:
                # One at a time: it has the environment of this process.
                stack.close()
                server = stack.enter_context(serve(tmp_path_factory.mktemp("shared"), jp_asyncio_loop, options))
                running[:] = [(options, server)]
            return running[0][1]

        yield serve_with


#: A test that takes one of these looks into its server: it gets one of its own.
OWN = {"jp_serverapp", "jp_data_dir", "jp_root_dir", "jp_runtime_dir"}


@pytest.fixture
def served(request: pytest.FixtureRequest, server_options: dict[str, dict[str, Any]]) -> Served:
    """The server that a test asks: one of its own, or the module's."""
    if not OWN.intersection(request.fixturenames):
        shared: Served = request.getfixturevalue("shared_server")(server_options)
        return shared
    app = request.getfixturevalue("jp_serverapp")
    request.getfixturevalue("http_server")
    loop: asyncio.AbstractEventLoop = request.getfixturevalue("jp_asyncio_loop")
    loop.run_until_complete(app.extension_manager.start_all_extensions())
    names = ("http_port", "base_url", "auth_header", "data_dir", "root_dir")
    return Served(*(request.getfixturevalue(f"jp_{name}") for name in names))


@pytest.fixture
def parts(jp_serverapp: Any) -> Parts:
    """The parts of a server that no other test uses."""
    (app,) = jp_serverapp.extension_manager.extension_apps["jupyter_ptytasks"]
    found: Parts = app.parts
    return found


@pytest.fixture
def jp_environ(jp_environ: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of tests must not reach tasks, and tokens in it must not."""
    monkeypatch.delenv("COLUMNS", raising=False)


def end_hosts(data_dir: Path) -> None:
    """Kill what tests left running, whole trees of it: ptyhosts outlive the server, that is what they are for."""
    end_scheduler(data_dir)
    end_starters(str(data_dir.parent))
    for record in data_dir.glob("ptytasks/tasks/*/host.json"):
        if (record.parent / "exit.json").exists():
            continue  # it has ended: its numbers may be those of others by now
        host = json.loads(record.read_text())
        for pid in (host["host_pid"], host["pid"]):
            try:
                end_tree(psutil.Process(pid))
            except psutil.NoSuchProcess:
                continue


def end_scheduler(data_dir: Path) -> None:
    """Kill the scheduler, if there is one, also one that is only starting: it would start what waits."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if any(word.endswith("scheduler/__main__.py") for word in command) and str(data_dir / "ptytasks") in command:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def end_tree(root: psutil.Process) -> None:
    """Kill a process and all below it. Raises psutil.NoSuchProcess if it has gone already."""
    # A stopped ptyhost remains the parent of orphaned processes.
    root.suspend()
    while below := [child for child in root.children(recursive=True) if is_alive(child.pid)]:
        for child in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(below, timeout=0.01)
    root.kill()
    wait_until(lambda: not is_alive(root.pid))


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """Start servers in processes of their own: `start_server("--option=...")`. They share a home, and what is in it."""
    home = tmp_path.resolve() / "home"
    servers: list[LiveServer] = []

    def start(*options: str) -> LiveServer:
        servers.append(LiveServer(home, "--PtyTasksApp.stop_grace=0.5", *options))
        return servers[-1].start()

    yield start
    for server in servers:
        with contextlib.suppress(ProcessLookupError):
            server.kill9()
    while servers and (left := list(servers[0].processes())):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=0.1)


class Answer:
    """Status, headers and JSON of an answer, whatever its status."""

    def __init__(self, code: int, headers: Any, body: bytes) -> None:
        self.code = code
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Rest:
    """The routes below `ptytasks/api`, with every part of a path encoded."""

    def __init__(self, root: str, headers: dict[str, str]) -> None:
        self._root = root
        self._headers = headers

    async def __call__(
        self, method: str, *parts: str, body: Any = None, headers: dict[str, str] | None = None, **params: Any
    ) -> Answer:
        path = "/".join(quote(part, safe="") for part in parts)
        return await self.at(method, path, body=body, headers=headers, **params)

    async def at(
        self, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None, **params: Any
    ) -> Answer:
        """Request a path that is already encoded. jp_fetch would encode it again."""
        request = HTTPRequest(
            # Not for nothing: it would mend what is no text.
            url_concat(f"{self._root}/{path}", params) if params else f"{self._root}/{path}",
            method=method,
            headers=self._headers if headers is None else headers,
            body=body if isinstance(body, (str, bytes)) else json.dumps(body if body is not None else {}),
            allow_nonstandard_methods=True,
            request_timeout=PATIENCE,
        )
        if method not in ("POST", "PATCH", "PUT"):
            request.body = None  # type: ignore[assignment]
        found = await AsyncHTTPClient().fetch(request, raise_error=False)
        return Answer(found.code, found.headers, found.body)

    async def create(self, command: Any = None, **about: Any) -> dict[str, Any]:
        answer = await self("POST", "tasks", body={"command": command, **about})
        assert answer.code in (200, 201), answer.body
        task: dict[str, Any] = answer.json
        return task

    async def get(self, ref: str) -> dict[str, Any]:
        answer = await self("GET", "tasks", ref)
        assert answer.code == 200, answer.body
        task: dict[str, Any] = answer.json
        return task

    async def wait(self, ref: str) -> dict[str, Any]:
        answer = await self("GET", "tasks", ref, "wait", timeout=55)
        task: dict[str, Any] = answer.json["task"]
        assert not task["alive"], task
        return task

    async def until(self, ref: str, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Return the task as soon as it meets a condition."""
        deadline = time.monotonic() + PATIENCE
        while not condition(task := await self.get(ref)):
            assert time.monotonic() < deadline, task
            await asyncio.sleep(0.01)
        return task

    async def output(self, ref: str, **query: Any) -> dict[str, Any]:
        answer = await self("GET", "tasks", ref, "output", **query)
        assert answer.code == 200, answer.body
        output: dict[str, Any] = answer.json
        return output

    async def until_output(self, ref: str, text: str) -> str:
        """Return the output as soon as it contains `text`."""
        deadline = time.monotonic() + PATIENCE
        while text not in (shown := (await self.output(ref))["output"]):
            assert time.monotonic() < deadline, shown
            await asyncio.sleep(0.01)
        return str(shown)


@pytest.fixture
def rest(served: Served, jp_asyncio_loop: asyncio.AbstractEventLoop, request: pytest.FixtureRequest) -> Iterator[Rest]:
    rest = Rest(f"http://localhost:{served.port}{served.base_url}ptytasks/api", served.headers)
    yield rest
    if OWN.intersection(request.fixturenames):
        end_hosts(served.data_dir)
    else:
        jp_asyncio_loop.run_until_complete(delete_all(rest))


async def delete_all(rest: Rest) -> None:
    """Leave nothing for the next test."""

    async def delete(task: dict[str, Any]) -> None:
        if task["alive"]:
            await rest("POST", "tasks", task["id"], "stop", body={"signals": ["SIGKILL"]})
        gone = await rest("DELETE", "tasks", task["id"], stop=1)
        assert gone.code in (204, 404), gone.body

    while tasks := (await rest("GET", "tasks")).json["tasks"]:
        await asyncio.gather(*map(delete, tasks))


class Viewer:
    """A websocket client that records its messages. A stock client receives no events."""

    def __init__(self, socket: WebSocketClientConnection, *, stock: bool = False) -> None:
        self.socket = socket
        self._stock = stock
        self.text = ""
        self.offset = 0
        self.events: list[dict[str, Any]] = []
        self.kinds: list[str] = []

    async def read(self) -> list[Any] | None:
        """Take the next message; None at the end."""
        message = await asyncio.wait_for(self.socket.read_message(), PATIENCE)
        if message is None:
            return None
        kind, *content = json.loads(message)
        self.kinds.append(kind)
        if kind == "stdout":
            self.text += content[0]
            if len(content) > 1:
                self.offset = content[1]
        elif kind == "ptytask":
            self.events.append(content[0])
            self.offset = content[0].get("offset", self.offset)
        return [kind, *content]

    async def __aiter__(self) -> AsyncIterator[list[Any]]:
        """Iterate over the messages until the server has closed the connection."""
        while (message := await self.read()) is not None:
            yield message

    async def until(self, condition: Callable[[Viewer], Any]) -> Viewer:
        """Read until a condition holds."""
        while not condition(self):
            assert await self.read() is not None, self.text[-500:]
        return self

    async def attached(self) -> Viewer:
        """Read until the history has been shown."""
        if self._stock:
            return await self.until(lambda viewer: "stdout" in viewer.kinds)
        return await self.until(lambda viewer: viewer.event("replayed") or viewer.event("resumed"))

    async def shows(self, text: str) -> Viewer:
        """Read until `text` has been shown."""
        return await self.until(lambda viewer: text in viewer.text)

    async def ended(self) -> Viewer:
        """Read until the server has closed the connection."""
        while await self.read() is not None:
            pass
        return self

    def event(self, name: str) -> dict[str, Any] | None:
        """Return the last event of this name."""
        return next((event for event in reversed(self.events) if event["event"] == name), None)

    @property
    def id(self) -> str:
        """Its id as a viewer."""
        event = self.event("task")
        assert event is not None
        return str(event["viewer"])

    @property
    def task(self) -> dict[str, Any]:
        """The task as last told."""
        event = self.event("task")
        assert event is not None
        task: dict[str, Any] = event["task"]
        return task

    async def send(self, *message: Any) -> None:
        await self.socket.write_message(json.dumps(message))

    async def type(self, text: str) -> None:
        await self.send("stdin", text)


@pytest.fixture
def attach(rest: Rest, served: Served) -> Iterator[Any]:
    """Attach to a task by id or name: `await attach(ref, readonly=1, ...)`; with `stock` as one who knows no events."""
    opened: list[Viewer] = []

    async def connect(ref: str, headers: dict[str, str] | None = None, *, stock: bool = False, **query: Any) -> Viewer:
        query = query if stock else {"events": 1, **query}
        path = f"ws://localhost:{served.port}{served.base_url}ptytasks/terminals/websocket/{quote(ref, safe='')}"
        request = HTTPRequest(url_concat(path, query), headers=served.headers if headers is None else headers)
        viewer = Viewer(await websocket_connect(request, max_message_size=64 << 20), stock=stock)
        opened.append(viewer)
        return viewer

    yield connect
    for viewer in opened:
        viewer.socket.close()
