"""An AI agent that only calls tools: the MCP SDK's own client, over standard input and output or HTTP."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.client.live import CLI, PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.client.live import LiveServer

TRANSPORTS = ("stdio", "http")


class Agent:
    """Calls tools, and counts how often."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.calls = 0

    async def call(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool that is to succeed, and give the text of its answer."""
        text, is_error = await self.tried(tool, **arguments)
        assert not is_error, text
        return text

    async def refused(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool that is to fail, and give the text of its answer."""
        text, is_error = await self.tried(tool, **arguments)
        assert is_error, text
        return text

    async def tried(self, tool: str, /, **arguments: Any) -> tuple[str, bool]:
        self.calls += 1
        result = await self.client.call_tool(tool, arguments)
        return "\n".join(part.text for part in result.content if part.type == "text"), result.is_error


def started(server: LiveServer) -> StdioServerParameters:
    """Return how an agent starts the MCP server of a Jupyter server."""
    options = ["--url", server.url, "--token", server.token, "mcp"]
    return StdioServerParameters(command=CLI[0], args=[*CLI[1:], *options], env=server.environ, cwd=str(server.home))


@asynccontextmanager
async def agent(server: LiveServer, transport: str) -> AsyncIterator[Agent]:
    """Return an agent that works with a server."""
    if transport == "stdio":
        async with Client(started(server), read_timeout_seconds=PATIENCE) as client:
            yield Agent(client)
        return
    headers = {"Authorization": f"token {server.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http:
        wire = streamable_http_client(f"{server.url}ptytasks/mcp", http_client=http)
        async with Client(wire, read_timeout_seconds=PATIENCE) as client:
            yield Agent(client)


def converse(server: LiveServer, transport: str, talk: Callable[[Agent], Awaitable[None]]) -> None:
    """Let an agent talk; it has some time for it."""

    async def all_of_it() -> None:
        async with agent(server, transport) as one:
            await talk(one)

    asyncio.run(asyncio.wait_for(all_of_it(), 2 * PATIENCE))


def last(text: str) -> str:
    """Return the last line of an answer."""
    return text.splitlines()[-1]


def tokens(text: str) -> float:
    """Return the estimated number of tokens of a text, as the REST API estimates it."""
    return len(text.encode()) / 4
