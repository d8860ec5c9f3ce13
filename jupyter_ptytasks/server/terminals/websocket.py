"""The websocket: terminado's protocol, with messages of our own beside it that stock clients ignore
(docs/protocol.md).
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from terminado.websocket import TermSocket
from tornado import web
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

from ..auth import Admission
from ...core.errors import TaskNotFound
from . import replay as history
from .viewer import Viewer

if TYPE_CHECKING:
    from .manager import TaskTerminals
    from .terminal import TaskTerminal

#: Whoever was denied terminals is denied tasks.
AUTH_RESOURCE = "terminals"
#: Rows and columns that make sense.
_SIZE_MAX = 1000
#: Bytes of one message: a paste of 10 MB, with what JSON adds to it.
_MESSAGE_MAX = 32 << 20


class TaskSocket(WebSocketMixin, Admission, TermSocket):
    """Attaches a client to a task, by id or name. Needs `execute` on terminals to type, `read` to look on."""

    auth_resource = AUTH_RESOURCE
    term_manager: TaskTerminals
    terminal: TaskTerminal | None

    def initialize(self, term_manager: TaskTerminals, **_: Any) -> None:  # type: ignore[override]  # our own manager
        """Take the manager of the terminals."""
        TermSocket.initialize(self, term_manager)
        self._viewer: Viewer | None = None
        self._showing: asyncio.Task[None] | None = None
        self._may_type = False

    def origin_check(self, origin: str | None = None) -> bool:  # noqa: ARG002
        """Tornado has asked `check_origin` already."""
        return True

    @property
    def max_message_size(self) -> int:
        """See tornado.websocket.WebSocketHandler."""
        return _MESSAGE_MAX

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Check who asks and for what, then let tornado make it a websocket."""
        self._may_type = await self._is_allowed("execute")
        if not self._may_type and not await self._is_allowed("read"):
            raise web.HTTPError(403)
        try:
            task = await self.term_manager.manager.get(args[0])
        except TaskNotFound as error:
            raise web.HTTPError(404, error.message) from error
        await super().get(task.id, **kwargs)

    async def _is_allowed(self, action: str) -> bool:
        return bool(
            await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, self.auth_resource))
        )

    def open(self, url_component: Any = None) -> None:
        """Attach: terminado sends `setup`, the viewer all the rest."""
        super().open(url_component)
        assert self.terminal is not None
        self._viewer = Viewer(
            self.terminal,
            self._send,
            lines=min(self._number("lines", history.LINES), history.LINES_MAX),
            offset=self._number("offset", -1) if self.get_query_argument("offset", None) else None,
            readonly=not self._may_type or self.get_query_argument("readonly", "0") == "1",
            acknowledges=self.get_query_argument("flow", "") == "ack",
        )
        self.terminal.wake()
        self._showing = asyncio.create_task(self._show(self._viewer))

    def _number(self, name: str, default: int) -> int:
        """Give a number of the query; a websocket that is open has no better way to complain than to ignore
        nonsense.
        """
        try:
            return max(int(self.get_query_argument(name, str(default))), -1)
        except ValueError:
            return default

    def wake(self) -> None:
        """The terminal has news for its clients."""
        if self._viewer is not None:
            self._viewer.wake()

    async def _show(self, viewer: Viewer) -> None:
        try:
            await viewer.run()
        except (WebSocketClosedError, StreamClosedError):
            return
        except Exception:
            self.log.exception("the viewer of %s failed", self.term_name)
            # Not 1000 or 1001: the client shall come again.
            self.close(1011)
            return
        self.close()

    async def _send(self, message: list[Any]) -> None:
        # ASCII only where it must be: box drawing takes 3 bytes so, and 6 otherwise.
        await self.write_message(json.dumps(message, ensure_ascii=False, separators=(",", ":")))

    async def on_message(self, message: str | bytes) -> None:  # type: ignore[override]  # a coroutine all the same
        """Take a message of the client; the next one waits until this one is dealt with."""
        viewer = self._viewer
        try:
            kind, *content = json.loads(message)
            if viewer is None or not isinstance(kind, str):
                return
            if kind == "stdin" and isinstance(content[0], str):
                await viewer.type(content[0])
            elif kind == "set_size":
                rows, cols = (int(value) for value in content[:2])
                if 1 <= rows <= _SIZE_MAX and 1 <= cols <= _SIZE_MAX:
                    viewer.resize(rows, cols)
            elif kind == "ack":
                viewer.acknowledge(int(content[0]))
        except (ValueError, TypeError, IndexError):
            self.log.debug("no message of the terminal protocol: %.80r", message)

    def on_close(self) -> None:
        """The client has gone; its task has not."""
        super().on_close()
        if self._showing is not None:
            self._showing.cancel()
