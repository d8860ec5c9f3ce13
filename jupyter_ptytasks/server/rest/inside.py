"""Requests to the server's own routes without a network: authenticated and authorized like those from outside."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
from tornado import httputil

if TYPE_CHECKING:
    from collections.abc import Callable

    from tornado.web import Application

#: Headers that identify the sender of a request and its origin.
_SENDER = ("Authorization", "Cookie", "X-XSRFToken", "Origin", "Referer", "Host", "User-Agent")
_GONE = "the sender has gone"


class Inside(httpx.BaseTransport):
    """Passes requests of clients in other threads to the application, on behalf of the sender of `outer`.

    They are authenticated with the same credentials, and the authorizer is asked about each of them.
    """

    def __init__(self, application: Application, outer: httputil.HTTPServerRequest, token: str | None) -> None:
        self._application = application
        self._context = getattr(outer.connection, "context", None)
        self._sender = {name: outer.headers[name] for name in _SENDER if name in outer.headers}
        if token and "Authorization" not in self._sender:
            # It was part of the URL.
            self._sender["Authorization"] = f"token {token}"
        self._loop = asyncio.get_running_loop()
        self._open: set[_Exchange] = set()
        self._has_left = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response to a request; blocks. Raises httpx.TransportError if the sender has disconnected."""
        if self._has_left:
            raise httpx.ConnectError(_GONE)
        body = request.read()
        return asyncio.run_coroutine_threadsafe(self._exchange(request, body), self._loop).result()

    def leave(self) -> None:
        """End all requests, and accept no more: their sender has disconnected."""
        self._has_left = True
        for exchange in list(self._open):
            exchange.abort()

    async def _exchange(self, request: httpx.Request, body: bytes) -> httpx.Response:
        exchange = _Exchange(self._context, self._loop.create_future())
        headers = httputil.HTTPHeaders(self._sender)
        if "Content-Type" in request.headers:
            headers["Content-Type"] = request.headers["Content-Type"]
        line = httputil.RequestStartLine(request.method, request.url.raw_path.decode("ascii"), "HTTP/1.1")
        self._open.add(exchange)
        try:
            self._application(
                httputil.HTTPServerRequest(connection=exchange, headers=headers, body=body, start_line=line)
            )
            return await exchange.response
        finally:
            self._open.discard(exchange)


class _Exchange(httputil.HTTPConnection):
    """One request and its response, in place of tornado's connection."""

    def __init__(self, context: object, response: asyncio.Future[httpx.Response]) -> None:
        #: From this tornado takes the sender's address and protocol.
        self.context = context
        self.response = response
        self._status = 500
        self._headers: list[tuple[str, str]] = []
        self._body = bytearray()
        self._on_close: Callable[[], None] | None = None

    def write_headers(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
        chunk: bytes | None = None,
    ) -> asyncio.Future[None]:
        """Receive the head of the response."""
        assert isinstance(start_line, httputil.ResponseStartLine)
        self._status = start_line.code
        self._headers = list(headers.get_all())
        return self.write(chunk or b"")

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Receive a part of its body."""
        self._body += chunk
        taken = asyncio.get_running_loop().create_future()
        taken.set_result(None)
        return taken

    def finish(self) -> None:
        """Pass it on."""
        if not self.response.done():
            self.response.set_result(httpx.Response(self._status, headers=self._headers, content=bytes(self._body)))

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Call this if the sender disconnects."""
        self._on_close = callback

    def abort(self) -> None:
        """Tell the handler that the sender has disconnected, and expect no response."""
        if not self.response.done():
            self.response.set_exception(httpx.ReadError(_GONE))
        if self._on_close is not None:
            self._on_close()
