"""What is answered where there is nothing: unknown paths, and all of them where terminals are switched off."""

from __future__ import annotations

from typing import Any

from tornado import web

from ...core.errors import Disabled
from .base import TaskHandler


class _Nothing(TaskHandler):
    """Answers every method alike, and those who are not known as everywhere."""

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Answer."""
        await super().prepare(*args, **kwargs)
        if not self.current_user:
            raise web.HTTPError(403)
        raise self.reason()

    def reason(self) -> Exception:
        """Return what to answer."""
        raise NotImplementedError


class Unknown(_Nothing):
    """Every path below `/ptytasks/api` that is no route."""

    def reason(self) -> Exception:
        """Return that there is nothing."""
        return web.HTTPError(404, "there is nothing at this path; docs/rest.md lists the routes")


class Off(_Nothing):
    """Every path while `ServerApp.terminals_enabled` is off."""

    def reason(self) -> Exception:
        """Return why."""
        return Disabled("Terminals are disabled on this server (ServerApp.terminals_enabled).")
