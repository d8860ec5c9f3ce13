"""The route for agents, from within: a client that disconnects holds no thread of the server."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from tests.client.live import LiveServer
from tests.server.conftest import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from tests.server.conftest import Rest
    from tests.server.serving import Served

pytest.importorskip("mcp")


async def call(served: Served, tool: str, *, patience: float = PATIENCE, **arguments: Any) -> Any:
    """Call a tool and return the response. Raises HTTPClientError on timeout."""
    params = {"name": tool, "arguments": arguments}
    request = HTTPRequest(
        f"http://localhost:{served.port}{served.base_url}ptytasks/mcp",
        method="POST",
        headers={**served.headers, "Accept": "application/json, text/event-stream", "Content-Type": "application/json"},
        body=json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}),
        request_timeout=patience,
    )
    return json.loads((await AsyncHTTPClient().fetch(request)).body)["result"]


def asking() -> int:
    """Return how many threads wait for a response from within."""

    def is_there(frame: FrameType | None) -> bool:
        while frame is not None:
            if frame.f_code.co_filename.endswith("inside.py") and frame.f_code.co_name == "handle_request":
                return True
            frame = frame.f_back
        return False

    return sum(map(is_there, list(sys._current_frames().values())))


async def until(count: int) -> None:
    deadline = time.monotonic() + PATIENCE / 2
    while asking() != count:
        assert time.monotonic() < deadline, f"{asking()} threads wait, not {count}"
        await asyncio.sleep(0.02)


async def test_a_client_that_disconnects_holds_no_thread(rest: Rest, served: Served) -> None:
    await rest.create("sleep 1000", name="long")
    assert "long" in (await call(served, "list"))["content"][0]["text"]
    waits = asyncio.ensure_future(call(served, "wait", ref="long", patience=5.0))
    await until(1)
    with pytest.raises(HTTPClientError):
        await waits
    await until(0)
    # And the next one is served.
    assert "long" in (await call(served, "list"))["content"][0]["text"]


async def test_a_body_that_is_not_a_request_of_the_protocol(rest: Rest, served: Served) -> None:
    root = f"http://localhost:{served.port}{served.base_url}ptytasks/mcp"
    for body in ("{", "[]", "{}", '"text"'):
        request = HTTPRequest(root, method="POST", headers={**served.headers, "Accept": "application/json"}, body=body)
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        assert 400 <= answer.code < 500


#: Slow imports, as on a cold disk; and which of them the main thread makes, whose loop serves all requests.
SLOW = """
import sys, threading, time

class Slow:
    def find_spec(self, name, path=None, target=None):
        package = name.partition(".")[0]
        if package in ("mcp", "mcp_types", "anyio", "starlette") or name.startswith("jupyter_ptytasks"):
            with open({log!r}, "a") as log:
                print(threading.current_thread() is threading.main_thread(), name, file=log)
        if name == "mcp.server.lowlevel":
            time.sleep({pause})

sys.meta_path.insert(0, Slow())
"""


def test_the_first_request_holds_up_no_other(tmp_path: Path) -> None:
    pause = 3.0
    log = tmp_path / "imported"
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "sitecustomize.py").write_text(textwrap.dedent(SLOW.format(log=str(log), pause=pause)))
    server = LiveServer(tmp_path / "home")
    server.extra_path = str(tmp_path / "slow")
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list", "arguments": {}}}
    headers = {"Authorization": f"token {server.token}", "Accept": "application/json, text/event-stream"}
    answers: list[httpx.Response] = []

    def first() -> None:
        answers.append(httpx.post(f"{server.url}ptytasks/mcp", headers=headers, json=call, timeout=PATIENCE))

    try:
        server.start()
        with httpx.Client(headers=headers, timeout=PATIENCE) as other:
            other.get(f"{server.url}ptytasks/api/status")
            log.write_text("")
            asking = threading.Thread(target=first)
            asking.start()
            slowest = 0.0
            while asking.is_alive():
                began = time.monotonic()
                assert other.get(f"{server.url}ptytasks/api/status").status_code == 200
                slowest = max(slowest, time.monotonic() - began)
        asking.join()
    finally:
        server.stop()
    assert [answer.status_code for answer in answers] == [200]
    assert slowest < pause / 2
    imported = [line.split() for line in log.read_text().splitlines()]
    assert ["False", "mcp.server.lowlevel"] in imported
    assert [name for is_main, name in imported if is_main == "True"] == []
