"""The websocket: terminado's protocol, with our own messages for clients that ask for them (docs/protocol.md)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from terminado.websocket import TermSocket
from tornado import web
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

from ...core import strict_json
from ...core.errors import PtyTasksError, shortage
from ..auth import AUTH_RESOURCE, LocalTokenMixin
from . import messages, replay
from .viewer import Viewer

if TYPE_CHECKING:
    from .manager import TaskTerminals
    from .terminal import TaskTerminal

#: Maximum size of a message in bytes: a paste of 10 MB, encoded in JSON.
_MESSAGE_MAX = 32 << 20


#: Errors that mean that a client has disconnected.
_GONE = (WebSocketClosedError, StreamClosedError)
#: Our query parameters.
_WISHES = ("lines", "offset", "readonly", "flow", "events", "end")


class TaskSocket(WebSocketMixin, LocalTokenMixin, TermSocket):
    """Attaches a client to a task, by id or name. Needs `execute` on terminals to type, `read` to view."""

    auth_resource = AUTH_RESOURCE
    term_manager: TaskTerminals
    terminal: TaskTerminal | None

    def initialize(self, term_manager: TaskTerminals, **_: Any) -> None:  # type: ignore[override]  # our own manager
        """Take the manager of the terminals."""
        TermSocket.initialize(self, term_manager)
        self._viewer: Viewer | None = None
        self._showing: asyncio.Task[None] | None = None
        self._may_type = self._has_left = False
        self._wishes: dict[str, str] = {}

    def origin_check(self, origin: str | None = None) -> bool:  # noqa: ARG002
        """Return True: tornado has already called `check_origin`."""
        return True

    @property
    def max_message_size(self) -> int:
        """See tornado.websocket.WebSocketHandler."""
        return _MESSAGE_MAX

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Authorize the request, check its query and find the task; then upgrade to a websocket."""
        self._may_type = await self._is_allowed("execute")
        if not await self._is_allowed("read"):
            raise web.HTTPError(403)
        # Validate the query before the upgrade, since a websocket cannot report errors.
        self._wishes = {name: self.get_query_argument(name) for name in _WISHES if name in self.request.query_arguments}
        try:
            task = await self.term_manager.control.get(args[0])
        except PtyTasksError as error:
            raise web.HTTPError(error.status, error.message) from error
        await super().get(task.id, **kwargs)

    async def _is_allowed(self, action: str) -> bool:
        return bool(
            await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, self.auth_resource))
        )

    def open(self, url_component: Any = None) -> None:
        """Attach: terminado sends `setup`, the viewer everything else."""
        if self._has_left:
            return  # before there was a websocket: on_close is not called again
        try:
            super().open(url_component)
        except PtyTasksError:
            self.close(1001)  # it was deleted meanwhile
            return
        assert self.terminal is not None
        self._viewer = Viewer(
            self.terminal,
            self._send,
            lines=min(self._number("lines", replay.LINES), replay.LINES_MAX),
            offset=self._number("offset", -1) if self._wishes.get("offset") else None,
            readonly=not self._may_type or self._wishes.get("readonly", "0") == "1",
            acknowledges=self._wishes.get("flow") == "ack",
            knows_us=self._wishes.get("events") == "1" or self._wishes.get("flow") == "ack" or "offset" in self._wishes,
            says_end=self._wishes.get("end") == "0",
        )
        self.terminal.watch()
        self._showing = asyncio.create_task(self._show(self._viewer))

    def _number(self, name: str, default: int) -> int:
        """Return a number from the query; the default if it is invalid."""
        try:
            return max(int(self._wishes.get(name, default)), -1)
        except ValueError:
            return default

    def wake(self) -> None:
        """The terminal has news for its clients."""
        if self._viewer is not None:
            self._viewer.wake()

    async def _show(self, viewer: Viewer) -> None:
        try:
            await viewer.run()
        except _GONE:
            return
        except Exception as error:
            self.log.warning("the viewer of %s failed: %s", self.term_name, error, exc_info=_unless_scarce(error))
            # Not 1000 or 1001: the client should reconnect.
            self.close(1011)
            return
        self.close()

    async def _send(self, message: list[Any]) -> None:
        await self.write_message(strict_json.encode(message))

    def send_json_message(self, content: Any) -> None:
        """Send a message for terminado, without waiting. A disconnected client is noticed elsewhere."""
        try:
            sending = asyncio.ensure_future(self.write_message(strict_json.encode(content)))
        except _GONE:
            return
        sending.add_done_callback(lambda sent: sent.cancelled() or sent.exception())

    async def on_message(self, message: str | bytes) -> None:  # type: ignore[override]  # a coroutine all the same
        """Process a message of the client; the next one waits until this one is processed. No content closes the
        connection.
        """
        said = messages.parse(message)
        if said is None or self._viewer is None:
            self.log.debug("no message of the terminal protocol: %.80r", message)
            return
        try:
            if isinstance(said, messages.Stdin):
                await self._viewer.type(said.text)
            elif isinstance(said, messages.SetSize):
                self._viewer.resize(said.rows, said.cols)
            else:
                self._viewer.acknowledge(said.offset)
        except Exception as error:
            # An error of ours must not close the client's connection.
            self.log.warning("a message to %s was lost: %s", self.term_name, error, exc_info=_unless_scarce(error))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log server errors, but not disconnected clients or violations of the websocket protocol."""
        if isinstance(value, (*_GONE, UnicodeDecodeError)):
            self.log.debug("the client of %s: %s", self.term_name, value)
        else:
            super().log_exception(typ, value, tb)

    def on_close(self) -> None:
        """Detach the client; its task keeps running."""
        self._has_left = True
        super().on_close()
        if self._showing is not None:
            self._showing.cancel()


def _unless_scarce(error: Exception) -> Exception | None:
    """Return the error to log with its traceback; None if the machine is out of resources."""
    return None if shortage(error) else error
