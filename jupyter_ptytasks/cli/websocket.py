"""A websocket to a task's terminal (docs/protocol.md), with one thread to read and one to write."""

from __future__ import annotations

import json
import queue
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import websocket

from ..client import ConnectionLost, ServerNotFound, TaskNotFound, Unauthorized
from ..core.platform import endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..client.discovery import Server

#: Seconds for the server to answer, and to send the last input when closing.
_TIMEOUT = 10.0
_PARTING = 1.0


class Connection:
    """One connection. Call `close` when done.

    Args:
        query: the query of the protocol.
        on_message: called in a thread with each message.
        on_end: called in a thread when the connection is over.

    Raises:
        ServerNotFound, Unauthorized, TaskNotFound, ConnectionLost
    """

    def __init__(
        self,
        server: Server,
        task_id: str,
        query: dict[str, object],
        on_message: Callable[[Connection, list[Any]], None],
        on_end: Callable[[], None],
    ) -> None:
        self._on_message = on_message
        self._on_end = on_end
        self.is_over = False
        self._socket = _open(server, f"ptytasks/terminals/websocket/{task_id}?{urlencode(query)}")
        self._outgoing: queue.SimpleQueue[list[Any] | None] = queue.SimpleQueue()
        # Daemons: the program must be able to exit while the server does not read.
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._read, self._write)]

    def start(self) -> None:
        """Start calling `on_message`."""
        for thread in self._threads:
            thread.start()

    def send(self, *message: Any) -> None:
        """Queue a message; it is dropped if the connection ends first."""
        self._outgoing.put(list(message))

    def close(self) -> None:
        """Flush queued messages if possible and close; `on_message` is not called afterwards."""
        self._outgoing.put(None)
        reader, writer = self._threads
        writer.join(_PARTING)
        self._socket.shutdown()  # type: ignore[no-untyped-call]
        reader.join(_PARTING)

    def _read(self) -> None:
        try:
            # An empty one means that the server closed the connection.
            while text := self._socket.recv():
                self._on_message(self, json.loads(text))
        except (OSError, ValueError, websocket.WebSocketException):
            pass
        finally:
            self.is_over = True
            self._on_end()

    def _write(self) -> None:
        try:
            while (message := self._outgoing.get()) is not None:
                self._socket.send(json.dumps(message, ensure_ascii=False))
        except (OSError, websocket.WebSocketException):
            pass  # the reader will notice too


def _open(server: Server, path: str) -> websocket.WebSocket:
    where = server.sock or server.url
    connection = websocket.WebSocket(enable_multithread=True, skip_utf8_validation=True)
    connection.settimeout(_TIMEOUT)
    options: dict[str, Any] = {"suppress_origin": True}
    if server.token:
        options["header"] = [f"Authorization: token {server.token}"]
    try:
        url = server.url.replace("http", "ws", 1) + path
        connection.connect(url, socket=_dial(server), **options)  # type: ignore[no-untyped-call]
    except websocket.WebSocketBadStatusException as error:
        if error.status_code in (401, 403):
            raise Unauthorized(f"the server at {where} does not allow you to attach") from error
        if error.status_code == 404:
            raise TaskNotFound("the task no longer exists", code="task_not_found", http_status=404) from error
        raise ConnectionLost(f"the server at {where} responded with HTTP status {error.status_code}") from error
    except (OSError, websocket.WebSocketException) as error:
        raise ServerNotFound(f"no Jupyter server responds at {where}") from error
    connection.settimeout(None)
    return connection


def _dial(server: Server) -> socket.socket | None:
    """Connect to a local server, bypassing any proxy. Return None for other servers, to which the library connects."""
    parts = urlsplit(server.url)
    if server.sock:
        return endpoint.dial(server.sock, _TIMEOUT)
    if not server.is_local or not parts.hostname:
        return None
    is_secure = parts.scheme == "https"
    connection = socket.create_connection((parts.hostname, parts.port or (443 if is_secure else 80)), _TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return (
        ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
        if is_secure
        else connection
    )
