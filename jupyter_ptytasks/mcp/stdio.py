"""The MCP server over standard input and output, as agents start it: `jupyter ptytasks mcp`."""

from __future__ import annotations

import os
from functools import partial

import anyio
from mcp.server.stdio import stdio_server

from ..client import Client, caller_env
from ..client.discovery import Server
from .service import Service
from .tools import Here

#: Seconds for which a call goes on while the server is gone: agents give up soon.
_PATIENCE = 5.0


def serve(url: str, token: str) -> None:
    """Serve one agent, until it closes standard input. For the arguments see Client."""
    connect = partial(Client, url, token, patience=_PATIENCE)
    anyio.run(_serve, Service(connect, _here(url)))


async def _serve(service: Service) -> None:
    server = service.server()
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def _here(url: str) -> Here:
    """Return directory and variables of this process, unless the server is on another machine."""
    address = url or os.environ.get("JUPYTER_PTYTASKS_URL", "")
    try:
        is_local = not address or Server.parse(address).is_local
    except ValueError:
        is_local = False
    return Here(os.getcwd(), caller_env.from_caller()) if is_local else Here()
