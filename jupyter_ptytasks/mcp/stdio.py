"""The MCP server over standard input and output, as agents start it: `jupyter ptytasks mcp`."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import anyio
from mcp.server.stdio import stdio_server

from ..client import Client, caller_env
from ..client.discovery import Server
from .service import Service, ref_of
from .subscriptions import Subscriptions
from .tools import Here

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds for which a call is retried while the server is not available: agents give up soon.
_PATIENCE = 5.0


def serve(url: str, token: str) -> None:
    """Serve one agent, until it closes standard input. For the arguments see Client."""
    anyio.run(_serve, partial(Client, url, token, patience=_PATIENCE), _here(url))


async def _serve(connect: Callable[[], Client], here: Here) -> None:
    server = Service(connect, here).server()
    async with anyio.create_task_group() as group, stdio_server() as (read, write):
        Subscriptions(connect, ref_of, group).serve(server)
        await server.run(read, write, server.create_initialization_options())
        group.cancel_scope.cancel()


def _here(url: str) -> Here:
    """Return the directory and variables of this process, unless the server is on another machine."""
    address = url or os.environ.get("JUPYTER_PTYTASKS_URL", "")
    try:
        is_local = not address or Server.parse(address).is_local
    except ValueError:
        is_local = False
    return Here(os.getcwd(), caller_env.from_caller()) if is_local else Here()
