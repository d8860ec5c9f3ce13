"""Responses for unknown paths, and for all paths while terminals are disabled."""

from __future__ import annotations

from typing import Any

from tornado import web

from ...core.errors import Disabled
from .base import TaskHandler


class _Nothing(TaskHandler):
    """Responds to every method with the same error, after authentication."""

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Raise the error."""
        await super().prepare(*args, **kwargs)
        if not self.current_user:
            raise web.HTTPError(403)
        raise self.reason()

    def reason(self) -> Exception:
        """Return the error."""
        raise NotImplementedError


class Unknown(_Nothing):
    """Every path below `/ptytasks/api` that is not a route."""

    def reason(self) -> Exception:
        """Return the error."""
        return web.HTTPError(404, "no such route; see docs/rest.md")


class Off(_Nothing):
    """Every path while `ServerApp.terminals_enabled` is off."""

    def reason(self) -> Exception:
        """Return the error."""
        return Disabled("terminals are disabled on this server (ServerApp.terminals_enabled)")
