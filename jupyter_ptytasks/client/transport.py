"""Requests to whichever server answers: found, and found again where it has moved; what goes wrong is our errors."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

import httpx

from .errors import ClientError, ConnectionLost, RequestFailed, ServerNotFound, TaskNotFound, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..discovery import Server

API = "ptytasks/api/"

_START_ONE = "Start one with `jupyter lab` or `jupyter server`, or say where it is with --url or JUPYTER_PTYTASKS_URL."
_INSTALL = "Install jupyter_ptytasks where that server runs (`pip install jupyter_ptytasks`), and start it again."
_TOKEN = "Give the server's token: --token or JUPYTER_PTYTASKS_TOKEN (`jupyter server list` shows it)."  # noqa: S105  a hint
_HINTS = {
    "task_not_found": "`jupyter ptytasks ls -a` lists them all.",
    "name_in_use": "Take another name, or say what becomes of the one that runs: --if-exists return, restart or new.",
    "too_many_tasks": "Stop some, or raise PtyTasksApp.max_live_tasks.",
    "host_unreachable": "The task may well be running. Try again, or look at its state.",
}


class Transport:
    """Speaks to the first server of those that `find` gives which answers, and stays with it. `close` it."""

    def __init__(self, find: Callable[[], list[Server]], timeout: float) -> None:
        self._find = find
        self._timeout = timeout
        self._server: Server | None = None
        self._http: httpx.Client | None = None

    def close(self) -> None:
        """Close what connections there are; the next request opens new ones."""
        if self._http is not None:
            self._http.close()
        self._server = self._http = None

    @property
    def server(self) -> Server | None:
        """The server that answered last."""
        return self._server

    def request(self, method: str, path: str, *, timeout: float | None = None, **content: Any) -> httpx.Response:
        """Give the answer to a request. Nothing is ever asked for twice that the server may have done already.

        `timeout` seconds at most pass without a byte. Raises any ClientError.
        """
        if self._server is not None and self._http is not None:
            try:
                return self._exchange(self._server, self._http, method, path, timeout, content)
            except ServerNotFound:
                pass
            except Unauthorized:
                # A server that was started again has another token.
                if self._server in self._find():
                    raise
        return self._search(method, path, timeout, content)

    def _search(self, method: str, path: str, timeout: float | None, content: dict[str, Any]) -> httpx.Response:
        self.close()
        failure: ServerNotFound | None = None
        for server in self._find():
            http = _open(server, self._timeout)
            try:
                response = self._exchange(server, http, method, path, timeout, content)
            except ServerNotFound as error:
                http.close()
                failure = failure or error
                continue
            except BaseException:
                http.close()
                raise
            self._server, self._http = server, http
            return response
        raise failure or ServerNotFound("no Jupyter server is running", hint=_START_ONE)

    def _exchange(
        self, server: Server, http: httpx.Client, method: str, path: str, timeout: float | None, content: dict[str, Any]
    ) -> httpx.Response:
        """Give one server's answer. Raises ServerNotFound where nothing has been done and another may be tried."""
        if server.sock and not _is_listening(server.sock):
            raise ServerNotFound(f"no Jupyter server answers at {server.sock}", hint=_START_ONE)
        try:
            response = http.request(method, API + path, timeout=_limits(timeout or self._timeout), **content)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ServerNotFound(f"no Jupyter server answers at {_where(server)}", hint=_START_ONE) from error
        except httpx.TimeoutException as error:
            raise ConnectionLost(f"the server at {_where(server)} does not answer") from error
        except httpx.TransportError as error:
            if method == "GET":
                raise ServerNotFound(f"the server at {_where(server)} has gone", hint=_START_ONE) from error
            raise ConnectionLost(
                f"the server at {_where(server)} has gone; it may have done it all the same"
            ) from error
        if not response.is_success:
            raise _failure(response, server)
        return response


def _open(server: Server, timeout: float) -> httpx.Client:
    headers = {"Authorization": f"token {server.token}"} if server.token else {}
    verify: ssl.SSLContext | bool = ssl.create_default_context() if server.url.startswith("https:") else False
    transport = httpx.HTTPTransport(uds=server.sock) if server.sock else None
    # What is on this machine is not to be asked for through a proxy.
    return httpx.Client(
        base_url=server.url,
        headers=headers,
        timeout=_limits(timeout),
        verify=verify,
        transport=transport,
        trust_env=not server.is_local,
    )


def _is_listening(path: str) -> bool:
    """Tell whether somebody listens at a unix socket: where nobody does, httpcore (1.0.9) would leak one of ours."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def _limits(timeout: float) -> httpx.Timeout:
    return httpx.Timeout(timeout, connect=min(timeout, 5.0))


def _where(server: Server) -> str:
    return server.sock or server.url


def _failure(response: httpx.Response, server: Server) -> ClientError:
    """Give the error that an answer comes to."""
    try:
        said = response.json()
        code, message, field = str(said["code"]), str(said["message"]), said.get("field")
    except (ValueError, TypeError, KeyError, AttributeError):
        code, message, field = "", "", None
    status = response.status_code
    if status in (401, 403) or (status == 302 and "/login" in response.headers.get("Location", "")):
        return Unauthorized(f"the server at {_where(server)} refuses: {message or response.reason_phrase}", hint=_TOKEN)
    if not code and (response.is_redirect or status == 404):
        return ServerNotFound(f"the server at {_where(server)} runs without jupyter_ptytasks", hint=_INSTALL)
    if not code:
        return RequestFailed(f"the server says {status} {response.reason_phrase}", code=f"http_{status}", status=status)
    kind = TaskNotFound if code == "task_not_found" else RequestFailed
    return kind(message, code=code, status=status, field=field, hint=_HINTS.get(code, ""))
