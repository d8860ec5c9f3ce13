"""The route for agents, from within: a client that disconnects holds no thread of the server."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from tests.server.conftest import PATIENCE

if TYPE_CHECKING:
    from types import FrameType

    from tests.server.conftest import Rest
    from tests.server.serving import Served

pytest.importorskip("mcp")


async def call(served: Served, tool: str, *, patience: float = PATIENCE, **arguments: Any) -> Any:
    """Call a tool, and give the response. Raises HTTPClientError after so many seconds."""
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
