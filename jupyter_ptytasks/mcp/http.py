"""The MCP server over stateless HTTP: one request in, one response out, for a web server that is not the SDK's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from .service import Service
from .tools import Here

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..client import Client


async def respond(
    connect: Callable[[], Client], method: str, url: str, headers: list[tuple[str, str]], body: bytes
) -> httpx.Response:
    """Return the response to a request for the MCP endpoint.

    The caller has authenticated it and checked its origin. `connect` opens clients with the permissions of its user.
    """
    server = Service(connect, Here()).server()
    # Created for each request: no state is kept between requests, and nothing has to be closed.
    manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)
    async with (
        manager.run(),
        httpx.AsyncClient(transport=httpx.ASGITransport(manager.handle_request), timeout=None) as client,  # noqa: S113
    ):
        return await client.request(method, url, headers=headers, content=body)
