"""Sends requests to the first server that responds, finds it again if it moved, and maps failures to our errors."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

import httpx

from ..core.platform import endpoint
from .errors import ClientError, ConnectionLost, NotFound, RequestFailed, ServerNotFound, TaskNotFound, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .discovery import Server

API = "ptytasks/api/"

_START_ONE = (
    "Start one with `jupyter lab` or `jupyter server`, or give its address with --url, url= or JUPYTER_PTYTASKS_URL."
)
_START_IT = "Start it first; on JupyterHub, from the hub's home page."
_INSTALL = "Install jupyter_ptytasks in the server's environment (`pip install jupyter_ptytasks`) and restart it."
_ENABLE = "Set c.ServerApp.terminals_enabled = True in the server's configuration and restart it."
_TOKEN = "Pass the server's token with --token, token= or JUPYTER_PTYTASKS_TOKEN (`jupyter server list` shows it)."  # noqa: S105  a hint
_HINTS = {
    "task_not_found": "`jupyter ptytasks ls -a` lists all tasks.",
    "group_not_found": "`jupyter ptytasks group` lists all groups.",
    "sweep_not_found": "`jupyter ptytasks sweep` lists all sweeps.",
    "place_not_found": "`jupyter ptytasks places` lists all places.",
    "name_in_use": "Choose another name, or set --if-exists or if_exists= to return, restart or new.",
    "too_many_tasks": "Stop some tasks, or raise PtyTasksApp.max_live_tasks.",
    "host_unreachable": "The task may still be running. Try again, or check its state.",
}


#: The statuses of a proxy whose server does not respond (RFC 9110, 15.6.3 to 15.6.5).
_GATEWAY = (502, 503, 504)


class Transport:
    """Sends requests to the first server of `find()` that responds, and keeps using it. Call `close` when done."""

    def __init__(
        self, find: Callable[[], list[Server]], timeout: float, carrier: httpx.BaseTransport | None = None
    ) -> None:
        self._find = find
        self._timeout = timeout
        self._carrier = carrier
        self._server: Server | None = None
        self._http: httpx.Client | None = None

    def close(self) -> None:
        """Close all connections; the next request opens new ones."""
        if self._http is not None:
            self._http.close()
        self._server = self._http = None

    @property
    def server(self) -> Server | None:
        """The server that responded last."""
        return self._server

    def request(
        self, method: str, path: str, *, timeout: float | None = None, stream: bool = False, **content: Any
    ) -> httpx.Response:
        """Return the response to a request. A request that may have been carried out is never repeated.

        Args:
            timeout: seconds to wait for data.
            stream: do not read the response; the caller does (`pieces`), or closes it.

        Raises:
            ClientError: any of them; RequestFailed (`bad_request`) also if the content cannot be encoded.
        """
        content = _encoded(content)
        if self._server is not None and self._http is not None:
            try:
                return self._exchange(self._server, self._http, method, path, timeout, content, stream=stream)
            except ServerNotFound:
                pass
            except Unauthorized:
                # A restarted server has a new token.
                if self._server in self._find():
                    raise
        return self._search(method, path, timeout, content, stream=stream)

    def _search(
        self, method: str, path: str, timeout: float | None, content: dict[str, Any], *, stream: bool
    ) -> httpx.Response:
        self.close()
        failure: ServerNotFound | None = None
        for server in self._find():
            http = _open(server, self._timeout, self._carrier)
            try:
                response = self._exchange(server, http, method, path, timeout, content, stream=stream)
            except ServerNotFound as error:
                http.close()
                failure = failure or error
                continue
            except BaseException:
                http.close()
                raise
            self._server, self._http = server, http
            return response
        raise failure or ServerNotFound("no running Jupyter server found", hint=_START_ONE)

    def _exchange(
        self,
        server: Server,
        http: httpx.Client,
        method: str,
        path: str,
        timeout: float | None,
        content: dict[str, Any],
        *,
        stream: bool,
    ) -> httpx.Response:
        """Return one server's response. ServerNotFound means that nothing was done, so another server may be tried."""
        if server.sock and not _is_listening(server.sock):
            raise ServerNotFound(f"no Jupyter server responds at {server.sock}", hint=_START_ONE)
        try:
            request = http.build_request(method, API + path, timeout=_limits(timeout or self._timeout), **content)
            response = http.send(request, stream=stream)
            if not response.is_success:
                response.read()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ServerNotFound(f"no Jupyter server responds at {_where(server)}", hint=_START_ONE) from error
        except httpx.TimeoutException as error:
            raise ConnectionLost(f"the server at {_where(server)} does not respond") from error
        except httpx.TransportError as error:
            if method == "GET":
                raise ServerNotFound(f"the server at {_where(server)} went away", hint=_START_ONE) from error
            raise _lost(server) from error
        if not response.is_success:
            raise _failure(response, server, method)
        return response


def pieces(response: httpx.Response) -> Iterator[bytes]:
    """Iterate over the bytes of a response to a request with `stream`. Raises ConnectionLost if they end too early."""
    try:
        yield from response.iter_bytes()
    except httpx.TransportError as error:
        raise ConnectionLost(f"the server at {response.url.host} went away") from error
    finally:
        response.close()


def _open(server: Server, timeout: float, carrier: httpx.BaseTransport | None) -> httpx.Client:
    headers = {"Authorization": f"token {server.token}"} if server.token else {}
    verify: ssl.SSLContext | bool = ssl.create_default_context() if server.url.startswith("https:") else False
    transport = httpx.HTTPTransport(uds=server.sock) if server.sock else carrier
    # Requests to this machine must not go through a proxy.
    return httpx.Client(
        base_url=server.url,
        headers=headers,
        timeout=_limits(timeout),
        verify=verify,
        transport=transport,
        trust_env=not server.is_local,
    )


def _encoded(content: dict[str, Any]) -> dict[str, Any]:
    """Return a request's content with its body as bytes. Raises RequestFailed with the field at fault."""
    fields = {**content.get("params", {}), **content.get("json", {})}
    try:
        _json(fields)
    except (ValueError, RecursionError):
        raise next(filter(None, map(_encoding_fault, fields, fields.values()))) from None
    if "json" not in content:
        return content
    rest = {name: value for name, value in content.items() if name != "json"}
    headers = {**rest.get("headers", {}), "Content-Type": "application/json"}
    return {**rest, "content": _json(content["json"]), "headers": headers}


def _encoding_fault(field: str, value: object) -> RequestFailed | None:
    """Return the error for a field that cannot be encoded as JSON in UTF-8; None for any other."""
    try:
        _json({field: value})
    except (ValueError, RecursionError) as error:
        why = "the text is not valid UTF-8" if isinstance(error, UnicodeError) else str(error)
        return RequestFailed(f"{field}: {why}", code="bad_request", http_status=400, field=field)
    return None


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _is_listening(path: str) -> bool:
    """Return whether a unix socket accepts connections; if not, httpcore (1.0.9) would leak a socket."""
    try:
        endpoint.dial(path, None).close()
    except OSError:
        return False
    return True


def _limits(timeout: float) -> httpx.Timeout:
    return httpx.Timeout(timeout, connect=min(timeout, 5.0))


def _where(server: Server) -> str:
    return server.sock or server.url


def _lost(server: Server) -> ConnectionLost:
    return ConnectionLost(f"lost the connection to {_where(server)}; the request may have been carried out")


def _failure(response: httpx.Response, server: Server, method: str) -> ClientError:
    """Return the error for an unsuccessful response to a request by `method`."""
    try:
        said = response.json()
        code, message, field = str(said["code"]), str(said["message"]), said.get("field")
    except (ValueError, TypeError, KeyError, AttributeError):
        code, message, field = "", "", None
    status = response.status_code
    if not code and status in _GATEWAY and method != "GET":
        return _lost(server)
    if not code and (status in _GATEWAY or _is_of_hub(response)):
        return ServerNotFound(f"the server at {_where(server)} is not running", hint=_START_IT)
    if status in (401, 403) or (status == 302 and "/login" in response.headers.get("Location", "")):
        why = message or response.reason_phrase
        return Unauthorized(f"the server at {_where(server)} denied access: {why}", hint=_TOKEN)
    if not code and (response.is_redirect or status == 404):
        return ServerNotFound(f"the server at {_where(server)} does not have jupyter_ptytasks", hint=_INSTALL)
    if code == "disabled":
        return ServerNotFound(f"terminals are disabled on the server at {_where(server)}", hint=_ENABLE)
    if not code:
        return RequestFailed(
            f"the server responded with HTTP status {status} {response.reason_phrase}",
            code=f"http_{status}",
            http_status=status,
        )
    return kind_of(code)(message, code=code, http_status=status, field=field, hint=_HINTS.get(code, ""))


def kind_of(code: str) -> type[RequestFailed]:
    """Return the class of the errors of the server that have this code."""
    if code == "task_not_found":
        return TaskNotFound
    return NotFound if code.endswith("_not_found") else RequestFailed


def _is_of_hub(response: httpx.Response) -> bool:
    """Return whether JupyterHub answered in place of a server that is stopped or starting.

    It redirects reads to a page of its own and rejects writes with an HTML page; a server would answer in JSON.
    """
    if "X-JupyterHub-Version" not in response.headers:
        return False
    refused = response.status_code == 403 and response.headers.get("Content-Type", "").startswith("text/html")
    return refused or response.status_code == 424 or "/hub/user/" in response.headers.get("Location", "")
