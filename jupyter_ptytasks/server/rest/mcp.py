"""The endpoint for AI agents (`<base>/ptytasks/mcp`): the MCP server of jupyter_ptytasks.mcp, without sessions.

It has the same authentication and authorization as all routes, and so does everything that its tools do. It is imported
with the first request, so an unused endpoint costs nothing.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...core.errors import ExtraMissing
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from ...client import Client
    from .inside import Inside

#: A placeholder URL for requests that do not leave the process.
_NOWHERE = "http://localhost"


class Mcp(TaskHandler):
    """`/ptytasks/mcp`."""

    _inside: Inside | None = None

    @needs("read")
    async def post(self) -> None:
        """Handle one JSON-RPC request. Its tool needs the permissions of the routes that it calls."""
        client, http, within = await _parts()
        inside: Inside = within.Inside(self.application, self.request, self.identity_provider.get_token(self))
        self._inside = inside

        def connect() -> Client:
            opened: Client = client.Client(_NOWHERE + self.base_url, patience=0.0, carrier=inside)
            return opened

        response = await http.respond(
            connect, "POST", _NOWHERE + self.request.path, list(self.request.headers.get_all()), self.request.body
        )
        self.set_status(response.status_code)
        self.finish(response.content)

    def on_connection_close(self) -> None:
        """Give up: the client has disconnected."""
        super().on_connection_close()
        if self._inside is not None:
            self._inside.leave()


async def _parts() -> tuple[Any, Any, Any]:
    """Return the modules of the client, of the MCP server, and of requests from within. Raises ExtraMissing.

    Importing them takes seconds, during which other requests are handled.
    """

    def imported() -> tuple[Any, Any, Any]:
        names = ("jupyter_ptytasks.client", "jupyter_ptytasks.mcp.http", "jupyter_ptytasks.server.rest.inside")
        client, http, within = map(import_module, names)
        # anyio imports its backend on first use, which would block the server's loop: import it now.
        anyio: Any = import_module("anyio")
        anyio.run(anyio.sleep, 0)
        return client, http, within

    try:
        return await asyncio.to_thread(imported)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio"):
            raise
        raise ExtraMissing("agents are served with the package mcp: pip install 'jupyter_ptytasks[mcp]'") from error
