"""Requests to whichever server answers: found, and found again where it has moved; what goes wrong is our errors."""

from __future__ import annotations

import json
import socket
import ssl
from typing import TYPE_CHECKING, Any

import httpx

from .errors import ClientError, ConnectionLost, RequestFailed, ServerNotFound, TaskNotFound, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

    from .discovery import Server

API = "ptytasks/api/"

_START_ONE = (
    "Start one with `jupyter lab` or `jupyter server`, or say where it is: --url, url= or JUPYTER_PTYTASKS_URL."
)
_START_IT = "Start it, where it is started: on the page of the hub, if it is a hub's."
_INSTALL = "Install jupyter_ptytasks where that server runs (`pip install jupyter_ptytasks`), and start it again."
_ENABLE = "Set c.ServerApp.terminals_enabled = True in that server's configuration, and start it again."
_TOKEN = "Give the server's token: --token, token= or JUPYTER_PTYTASKS_TOKEN (`jupyter server list` shows it)."  # noqa: S105  a hint
_HINTS = {
    "task_not_found": "`jupyter ptytasks ls -a` lists them all.",
    "name_in_use": "Take another name, or say what becomes of it: --if-exists or if_exists= return, restart, new.",
    "too_many_tasks": "Stop some, or raise PtyTasksApp.max_live_tasks.",
    "host_unreachable": "The task may well be running. Try again, or look at its state.",
}


#: What a proxy says of a server that does not answer it (RFC 9110, 15.6.3 to 15.6.5).
_GATEWAY = (502, 503, 504)


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

        `timeout` seconds at most pass without a byte. Raises any ClientError; RequestFailed (`bad_request`) also for
        what no request can carry.
        """
        content = _encoded(content)
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
            raise _failure(response, server, method)
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


def _encoded(content: dict[str, Any]) -> dict[str, Any]:
    """Return a request's content with its body as bytes. Raises RequestFailed that names the field to blame."""
    fields = {**content.get("params", {}), **content.get("json", {})}
    try:
        _json(fields)
    except (ValueError, RecursionError):
        raise next(filter(None, map(_unfit, fields, fields.values()))) from None
    if "json" not in content:
        return content
    rest = {name: value for name, value in content.items() if name != "json"}
    return {**rest, "content": _json(content["json"]), "headers": {"Content-Type": "application/json"}}


def _unfit(field: str, value: object) -> RequestFailed | None:
    """Return what is to be said of a field that JSON or UTF-8 cannot carry; None of another one."""
    try:
        _json({field: value})
    except (ValueError, RecursionError) as error:
        why = "text that is not UTF-8 cannot be sent" if isinstance(error, UnicodeError) else str(error)
        return RequestFailed(f"{field}: {why}", code="bad_request", status=400, field=field)
    return None


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _is_listening(path: str) -> bool:
    """Tell whether somebody listens at a unix socket: where nobody does, httpcore (1.0.9) would leak one of ours."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def _limits(timeout: float) -> httpx.Timeout:
    return httpx.Timeout(timeout, connect=min(timeout, 5.0))


def _where(server: Server) -> str:
    return server.sock or server.url


def _failure(response: httpx.Response, server: Server, method: str) -> ClientError:
    """Give the error that an answer to a request by `method` comes to."""
    try:
        said = response.json()
        code, message, field = str(said["code"]), str(said["message"]), said.get("field")
    except (ValueError, TypeError, KeyError, AttributeError):
        code, message, field = "", "", None
    status = response.status_code
    if not code and status in _GATEWAY and method != "GET":
        return ConnectionLost(f"the server at {_where(server)} has gone; it may have done it all the same")
    if not code and (status in _GATEWAY or _is_of_hub(response)):
        return ServerNotFound(f"the server at {_where(server)} is not running", hint=_START_IT)
    if status in (401, 403) or (status == 302 and "/login" in response.headers.get("Location", "")):
        return Unauthorized(f"the server at {_where(server)} refuses: {message or response.reason_phrase}", hint=_TOKEN)
    if not code and (response.is_redirect or status == 404):
        return ServerNotFound(f"the server at {_where(server)} runs without jupyter_ptytasks", hint=_INSTALL)
    if code == "disabled":
        return ServerNotFound(f"terminals are disabled on the server at {_where(server)}", hint=_ENABLE)
    if not code:
        return RequestFailed(f"the server says {status} {response.reason_phrase}", code=f"http_{status}", status=status)
    kind = TaskNotFound if code == "task_not_found" else RequestFailed
    return kind(message, code=code, status=status, field=field, hint=_HINTS.get(code, ""))


def _is_of_hub(response: httpx.Response) -> bool:
    """Tell whether a JupyterHub answers in the place of a server that it has stopped, or starts.

    It sends those who read to a page of its own, and those who write away with one; a server speaks JSON.
    """
    if "X-JupyterHub-Version" not in response.headers:
        return False
    refused = response.status_code == 403 and response.headers.get("Content-Type", "").startswith("text/html")
    return refused or response.status_code == 424 or "/hub/user/" in response.headers.get("Location", "")
