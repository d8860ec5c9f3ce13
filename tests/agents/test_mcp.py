"""Tools of the Model Context Protocol, tested with the SDK's own client over both transports."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import psutil
import pytest

pytest.importorskip("mcp")

import mcp_types as types
from mcp import Client as McpClient
from mcp import MCPError

from jupyter_ptytasks.mcp import texts
from tests.agents.agent import TRANSPORTS, Agent, converse, last, started, tokens
from tests.client.live import PATIENCE, LiveServer, ended

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Client

ASKS = "printf 'Proceed? [y/N] '; read answer; echo answer: $answer; echo done"
SILENT = "printf 'Password: '; stty -echo; read word; stty echo; echo; echo thanks"
BAR = """from tqdm import tqdm
for _ in tqdm(range(2000), mininterval=0, miniters=1): pass"""
VERSION = "2026-07-28"
TASKS = "io.modelcontextprotocol/tasks"

both = pytest.mark.parametrize("transport", TRANSPORTS)


@both
def test_an_answer_takes_three_calls(live: LiveServer, transport: str) -> None:
    name = f"ask-{transport}"

    async def talk(agent: Agent) -> None:
        asked = await agent.call("run", command=ASKS, name=name)
        assert asked.startswith("Proceed? [y/N]")
        assert last(asked) == f'It asks "Proceed? [y/N] ": send("{name}", "…").'
        answered = await agent.call("send", ref=name, text="y")
        assert answered.splitlines()[:3] == ["Proceed? [y/N] y", "answer: y", "done"]
        assert last(answered) == "It has ended."
        lines = await agent.call("read", ref=name, lines=2)
        assert lines == "answer: y\ndone\nnext_line: 3\nIt has ended."
        assert agent.calls == 3

    converse(live, transport, talk)


@both
def test_what_the_server_says_of_itself(live: LiveServer, client: Client, transport: str) -> None:
    task = ended(client, client.create("echo hello", name="a name")["id"])

    async def talk(agent: Agent) -> None:
        tools = {tool.name: tool for tool in (await agent.client.list_tools()).tools}
        assert list(tools) == ["run", "wait", "read", "send", "list", "stop"]
        hints = {name: tool.annotations for name, tool in tools.items()}
        assert {name for name, hint in hints.items() if hint and hint.read_only_hint} == {"wait", "read", "list"}
        assert {name for name, hint in hints.items() if hint and hint.destructive_hint} == {"run", "send", "stop"}
        assert tools["run"].input_schema["required"] == ["command"]
        (template,) = (await agent.client.list_resource_templates()).resource_templates
        assert template.uri_template == "ptytask://{ref}/output"
        uris = [resource.uri for resource in (await agent.client.list_resources()).resources]
        assert f"ptytask://{task['id']}/output" in uris
        for ref in (task["id"], "a%20name"):
            (content,) = (await agent.client.read_resource(f"ptytask://{ref}/output")).contents
            assert getattr(content, "text", None) == "hello\n"
        for uri in ("ptytask://nope/output", "ptytask://a%20name/other"):
            with pytest.raises(Exception, match=r"nope|other"):
                await agent.client.read_resource(uri)

    converse(live, transport, talk)


@both
def test_a_bar_of_2000_steps_costs_no_more_than_30_tokens(live: LiveServer, transport: str) -> None:
    async def talk(agent: Agent) -> None:
        await agent.call("run", command=[sys.executable, "-c", BAR], name="bar", wait=50)
        shown = await agent.call("read", ref="bar")
        assert "2000/2000" in shown
        assert tokens(shown) <= 30
        with live.client() as client:
            assert client.raw("bar").end > 20_000

    converse(live, transport, talk)


def test_answers_are_bounded_and_nothing_is_missing_between_them(live: LiveServer) -> None:
    async def talk(agent: Agent) -> None:
        begun = await agent.call("run", command="seq 60000", name="many")
        assert tokens(begun) <= 2000
        assert {"1", "60000"} <= set(begun.splitlines())
        assert tokens(await agent.call("read", ref="many", lines=2000)) <= 2000
        seen, since = "", 0
        for _ in range(3):
            page = await agent.call("read", ref="many", since=since, max_tokens=500)
            assert tokens(page) <= 500
            found = re.search(r"\nnext_line: (\d+), there is more\n", page)
            assert found
            assert last(page) == f'Continue: read("many", since={found[1]}).'
            seen += page[: found.start() + 1]
            since = int(found[1])
        assert seen == "".join(f"{number}\n" for number in range(1, since + 1))
        more = await agent.call("read", ref="many", since=0, max_tokens=20_000)
        assert 2000 < tokens(more) <= 20_000
        found_lines = await agent.call("read", ref="many", grep="^5999.$")
        assert found_lines.splitlines()[:2] == ["59989: 59990", "59990: 59991"]
        long = await agent.call("run", command="printf 'x%.0s' $(seq 90000)", name="long line")
        assert tokens(long) <= 2000

    converse(live, "stdio", talk)


def test_waits_for_a_line_for_silence_and_no_longer_than_asked(live: LiveServer) -> None:
    async def talk(agent: Agent) -> None:
        started = await agent.call("run", command="echo ready; sleep 1000", name="serve", wait=0)
        assert last(started).startswith("It is still running: wait(")
        ready = await agent.call("wait", ref="serve", match="rea.y")
        assert "Line 0 matches: ready" in ready.splitlines()
        silent = await agent.call("wait", ref="serve", until=["quiet"], quiet=0.5)
        assert "No output for 0.5 s." in silent.splitlines()
        nothing = await agent.call("wait", ref="serve", timeout=0.2)
        assert "None of that has happened yet." in nothing.splitlines()
        again = await agent.call("run", command="echo other", name="serve", wait=0)
        assert "It was already running: nothing was started." in again.splitlines()
        await agent.refused("wait", ref="serve", timeout=60)
        stopped = await agent.call("stop", ref="serve", now=True)
        assert "cancelled (SIGKILL)" in stopped
        listed = await agent.call("list", query="serve")
        assert listed.startswith("serve (")

    converse(live, "stdio", talk)


def test_keys_and_text_that_no_program_asked_for(live: LiveServer) -> None:
    async def talk(agent: Agent) -> None:
        await agent.call("run", command="sleep 1000; echo gone on", name="busy", wait=0)
        assert "does not wait for input" in await agent.refused("send", ref="busy", text="y")
        assert "either" in await agent.refused("send", ref="busy", text="y", keys=["Enter"])
        ended = await agent.call("send", ref="busy", keys=["C-c"])
        assert last(ended) == "It has ended."

    converse(live, "stdio", talk)


@both
def test_a_password_is_never_wanted_nor_taken(live: LiveServer, client: Client, transport: str) -> None:
    name = f"login-{transport}"

    async def talk(agent: Agent) -> None:
        asked = await agent.call("run", command=SILENT, name=name)
        assert "send(" not in asked
        assert "ask the user to type it" in last(asked)
        for force in (False, True):
            refused = await agent.refused("send", ref=name, text="hunter2", force=force)
            assert "Do not send it" in refused
            assert "secret" not in refused
        client.send_input(name, "hunter2", secret=True)  # the user
        done = await agent.call("wait", ref=name)
        assert "thanks" in done.splitlines()
        assert "hunter2" not in done

    converse(live, transport, talk)


def test_errors_say_what_to_do(live: LiveServer) -> None:
    async def talk(agent: Agent) -> None:
        assert last(await agent.refused("read", ref="nope")) == "list() shows all tasks."
        assert "command" in await agent.refused("run", commando="x")
        assert "not-there" in await agent.refused("run", command=["not-there"])
        failed = await agent.call("run", command="echo oops >&2; exit 3")
        assert re.search(r"failed \(exit 3\)", failed)
        assert failed.startswith("oops\n")
        with pytest.raises(Exception, match="there is no tool"):
            await agent.call("explode")

    converse(live, "stdio", talk)


def test_a_command_runs_where_the_agent_does(live: LiveServer) -> None:
    async def talk(agent: Agent) -> None:
        assert (await agent.call("run", command="pwd")).startswith(f"{live.home}\n")
        env = {"ANSWER": "42"}
        assert (await agent.call("run", command="echo $ANSWER; pwd", cwd="/", env=env)).startswith("42\n/\n")

    converse(live, "stdio", talk)


# -- what may die -----------------------------------------------------------------------------------------------------


def test_a_conversation_survives_the_death_of_its_servers(tmp_path: Path) -> None:
    server = LiveServer(tmp_path.resolve())
    try:
        server.start()

        async def begin(agent: Agent) -> None:
            asked = await agent.call("run", command=f"{ASKS}; read more; exit 7", name="long")
            assert last(asked).startswith("It asks")
            children = psutil.Process().children(recursive=True)
            serving = [one for one in children if one.cmdline()[-1:] == ["mcp"] and one.cwd() == str(server.home)]
            assert len(serving) == 1
            await agent.call("send", ref="long", text="y")
            # In the midst of a wait.
            threading.Timer(0.5, serving[0].send_signal, [signal.SIGKILL]).start()
            with pytest.raises(MCPError):
                await agent.call("wait", ref="long", until=["exit"])

        converse(server, "stdio", begin)

        async def go_on(agent: Agent) -> None:
            listed = await agent.call("list")
            assert listed.startswith("long (")
            assert "answer: y" in await agent.call("read", ref="long")
            server.kill9()
            gone = await agent.refused("wait", ref="long", timeout=5)
            assert "Tasks keep running without the server" in gone
            assert "jupyter" in gone
            server.revive()
            assert last(await agent.call("wait", ref="long", until=["waiting"])).startswith("It asks")
            over = await agent.call("send", ref="long", text="more")
            assert "failed (exit 7)" in over

        converse(server, "stdio", go_on)

        async def afterwards(agent: Agent) -> None:
            assert "failed (exit 7)" in await agent.call("list")

        converse(server, "http", afterwards)
    finally:
        server.stop()


# -- over HTTP --------------------------------------------------------------------------------------------------------


class Wire:
    """Requests as they are on the wire, of a client that declares the tasks extension or does not."""

    def __init__(self, server: LiveServer, *, tasks: bool = True, token: str | None = None) -> None:
        self._url = f"{server.url}ptytasks/mcp"
        self._token = server.token if token is None else token
        self._capabilities: dict[str, Any] = {"extensions": {TASKS: {}}} if tasks else {}

    def __call__(self, method: str, about: str | None = None, /, **params: Any) -> dict[str, Any]:
        """Return the result or the error of a method, which is about a tool or a task."""
        response = self.post(method, about, **params)
        answer: dict[str, Any] = response.json()
        return dict(answer.get("result") or answer["error"])

    def post(self, method: str, about: str | None = None, /, **params: Any) -> httpx.Response:
        meta = {
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": self._capabilities,
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
        headers = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": VERSION,
            "Mcp-Method": method,
            **({"Mcp-Name": about} if about else {}),
            **({"Authorization": f"token {self._token}"} if self._token else {}),
        }
        return httpx.post(self._url, json=body, headers=headers, timeout=PATIENCE)

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        return self("tools/call", tool, name=tool, arguments=arguments)


def test_a_run_that_lasts_is_a_task_of_the_client(live: LiveServer, client: Client) -> None:
    wire = Wire(live)
    discovered = wire("server/discover")
    assert discovered["capabilities"]["extensions"] == {TASKS: {}}
    short = wire.call("run", command="echo hello")
    assert (short["resultType"], short["content"][0]["text"].splitlines()[0]) == ("complete", "hello")
    assert wire.call("run", command="sleep 1000", name="left", wait=0)["resultType"] == "complete"
    created = wire.call("run", command=ASKS, name="handled", wait=5)
    assert (created["resultType"], created["status"], created["ttlMs"]) == ("task", "input_required", None)
    task_id = created["taskId"]
    assert client.get(task_id)["name"] == "handled"

    told = wire("tasks/get", task_id, taskId=task_id)
    assert (told["resultType"], told["status"]) == ("complete", "input_required")
    ((key, request),) = told["inputRequests"].items()
    assert request["method"] == "elicitation/create"
    assert request["params"]["message"] == "handled asks: Proceed? [y/N]"
    wire("tasks/update", task_id, taskId=task_id, inputResponses={"other": {"action": "accept", "content": {}}})
    wire("tasks/update", task_id, taskId=task_id, inputResponses={key: {"action": "decline"}})
    assert wire("tasks/get", task_id, taskId=task_id)["inputRequests"] == {key: request}
    accepted = {key: {"action": "accept", "content": {"answer": "y"}}}
    done = wire("tasks/update", task_id, taskId=task_id, inputResponses=accepted)
    assert done["resultType"] == "complete"
    ended(client, task_id)
    over = wire("tasks/get", task_id, taskId=task_id)
    assert (over["status"], over["result"]["isError"]) == ("completed", False)
    assert "answer: y" in over["result"]["content"][0]["text"]


def test_tasks_of_the_client_that_fail_are_cancelled_or_ask_for_a_password(live: LiveServer, client: Client) -> None:
    wire = Wire(live)
    failing = wire.call("run", command="sleep 1; exit 3", wait=0.1)
    task_id = failing["taskId"]
    assert failing["status"] == "working"
    ended(client, task_id)
    over = wire("tasks/get", task_id, taskId=task_id)
    assert (over["status"], over["result"]["isError"]) == ("completed", True)

    hidden = wire.call("run", command=SILENT, wait=5)
    assert hidden["status"] == "working"
    assert "password" in hidden["statusMessage"]
    task_id = hidden["taskId"]
    guessed = {"": {"action": "accept", "content": {"answer": "hunter2"}}}
    wire("tasks/update", task_id, taskId=task_id, inputResponses=guessed)
    assert "inputRequests" not in wire("tasks/get", task_id, taskId=task_id)
    wire("tasks/cancel", task_id, taskId=task_id)
    ended(client, task_id)
    assert wire("tasks/get", task_id, taskId=task_id)["status"] == "cancelled"
    assert wire("tasks/get", "nope", taskId="nope")["code"] == -32602


def test_clients_that_know_no_tasks_get_none(live: LiveServer) -> None:
    wire = Wire(live, tasks=False)
    started = wire.call("run", command="sleep 1000", name="plain", wait=0.1)
    assert started["resultType"] == "complete"
    assert last(started["content"][0]["text"]).startswith("It is still running")
    for method in ("tasks/get", "tasks/cancel"):
        refused = wire(method, "plain", taskId="plain")
        assert (refused["code"], list(refused["data"]["requiredCapabilities"]["extensions"])) == (-32021, [TASKS])


def test_no_token_no_answer(live: LiveServer) -> None:
    for token in ("", "wrong"):
        assert Wire(live, token=token).post("tools/list").status_code == 403
    route, token = f"{live.url}ptytasks/mcp", live.token
    assert httpx.get(route, headers={"Authorization": f"token {token}"}).status_code == 405
    by_address = httpx.post(f"{route}?token={token}", json={}, headers={"Accept": "application/json"})
    assert by_address.status_code == 400


READ_ONLY = """
from jupyter_server.auth.authorizer import Authorizer
class ReadOnly(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return action == "read"
"""


def test_a_tool_does_what_its_user_may_do(tmp_path: Path) -> None:
    server = LiveServer(tmp_path.resolve() / "home", "--ServerApp.authorizer_class=read_only.ReadOnly", token="other")
    (tmp_path / "read_only.py").write_text(READ_ONLY)
    server.extra_path = str(tmp_path)
    try:
        server.start()
        wire = Wire(server, tasks=False)
        assert wire.call("list")["isError"] is False
        refused = wire.call("run", command="touch forbidden")
        assert refused["isError"]
        assert "denied access" in refused["content"][0]["text"]
        assert not (server.home / "forbidden").exists()
    finally:
        server.stop()


# -- what is not there ------------------------------------------------------------------------------------------------


@pytest.fixture
def without_mcp(tmp_path: Path) -> Path:
    """Return a directory that makes the package mcp look as if it were not installed."""
    package = tmp_path / "hidden" / "mcp"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ModuleNotFoundError('No module named mcp', name='mcp')\n")
    return package.parent


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, without_mcp: Path) -> None:
    server = LiveServer(tmp_path.resolve() / "home", token="other")
    server.extra_path = str(without_mcp)
    try:
        server.start()
        response = Wire(server).post("tools/list")
        assert (response.status_code, response.json()["code"]) == (501, "extra_missing")
        assert "pip install 'jupyter_ptytasks[mcp]'" in response.json()["message"]
        done = server.cli("mcp")
        assert done.returncode == 1
        assert "pip install 'jupyter_ptytasks[mcp]'" in done.stderr
    finally:
        server.stop()


def test_an_idle_server_pays_nothing_for_it() -> None:
    script = textwrap.dedent("""
        import json, sys
        import jupyter_ptytasks.server.extension
        names = ("mcp", "mcp_types", "anyio", "httpx", "starlette", "jupyter_ptytasks.client", "jupyter_ptytasks.mcp")
        ours = [name for name in names if name in sys.modules]
        print(json.dumps(ours))
    """)
    plain = "import jupyter_server.extension.application, json, sys; print(json.dumps(list(sys.modules)))"

    def run(code: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True
        )
        found: list[str] = json.loads(done.stdout)
        return found

    # Some of it may come with Jupyter Server.
    assert set(run(script)) - set(run(plain)) == set()


def test_the_command_needs_no_server_until_a_tool_does(tmp_path: Path) -> None:
    server = LiveServer(tmp_path.resolve())  # it is not started
    server.home.mkdir(exist_ok=True)

    async def talk(agent: Agent) -> None:
        assert len((await agent.client.list_tools()).tools) == 6
        refused = await agent.refused("list")
        assert "Tasks keep running without the server" in refused
        assert "jupyter lab" in refused

    converse(server, "stdio", talk)


# -- subscriptions ----------------------------------------------------------------------------------------------------


def test_a_subscriber_is_notified_of_output_once_a_second(live: LiveServer, client: Client) -> None:
    """And of the end, after which there are no more notifications."""
    client.create(
        "read go; while [ ! -e stop ]; do echo x; sleep 0.02; done; read end", name="busy", cwd=str(live.home)
    )
    stop = live.home / "stop"

    async def talk(agent: Agent) -> None:
        uri = "ptytask://busy/output"
        async with agent.client.listen(resource_subscriptions=[uri]) as events:
            told: list[float] = []
            client.send_input("busy", "go")
            async for event in events:
                assert event.uri == uri  # type: ignore[union-attr]  # of no other kind
                told.append(time.monotonic())
                if len(told) == 4:
                    break
            # The first may come at once.
            assert told[-1] - told[0] >= 2.7
            assert told[-1] - told[0] < 20
            stop.touch()
            client.wait_for("busy", ["quiet"], quiet=1.5)
            await anyio.to_thread.run_sync(lambda: client.send_input("busy", "end"))
            client.wait("busy")
            await anext(aiter(events))
        content = (await agent.client.read_resource(uri)).contents[0]
        assert "x" in getattr(content, "text", "")

    converse(live, "stdio", talk)


def test_a_client_of_an_earlier_version_subscribes_and_unsubscribes(live: LiveServer, client: Client) -> None:
    client.create("while read line; do echo; done", name="echoes")
    uri = "ptytask://echoes/output"
    told: list[str] = []

    async def on_message(message: Any) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            told.append(message.params.uri)

    async def talk() -> None:
        async with McpClient(started(live), mode="legacy", message_handler=on_message) as agent:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with pytest.raises(MCPError):
                    await agent.subscribe_resource("ptytask://echoes/other")
                await agent.subscribe_resource(uri)
                await agent.subscribe_resource(uri)
                with anyio.fail_after(PATIENCE):
                    while not told:
                        await anyio.to_thread.run_sync(lambda: client.send_input("echoes", "more"))
                        await anyio.sleep(0.1)
                await agent.unsubscribe_resource(uri)
            before = len(told)
            client.send_input("echoes", "more")
            # Whatever would tell of it has had the time for it.
            client.wait_for("echoes", ["quiet"], quiet=2.5)
            await agent.list_tools()
            assert len(told) == before
            assert set(told) == {uri}

    asyncio.run(talk())


def test_over_http_there_are_no_subscriptions(live: LiveServer) -> None:
    wire = Wire(live)
    assert wire("server/discover")["capabilities"]["resources"]["subscribe"] is False
    assert (
        wire("subscriptions/listen", notifications={"resourceSubscriptions": ["ptytask://x/output"]})["code"] == -32601
    )


def test_a_long_line_that_was_found_keeps_its_match() -> None:
    text: Any = {"line_numbers": [3], "output": "a" * 1500 + " needle " + "=" * 20 + "b" * 1500 + "\n"}
    assert texts.numbered(text) == "3: " + "a" * 1500 + " needle ===…" + "b" * 1500 + "\n"
