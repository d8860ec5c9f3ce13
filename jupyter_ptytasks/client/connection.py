"""Sends requests and decodes responses: all methods of the client are built on this."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from urllib.parse import quote

from . import discovery
from .errors import ClientError, ConnectionLost, ServerNotFound
from .transport import Transport, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from .types import Task

    Result = TypeVar("Result")
    Params = ParamSpec("Params")

#: Seconds for slow requests, such as stopping and then deleting a task.
SLOW = 600.0
#: Polling must not count as user activity, which would keep the server from being culled.
IDLE = {"no_track_activity": "1"}
#: Seconds between attempts to reach a server that is restarting.
_RETRY = 0.5


class Connection:
    """A connection to a server, which may restart. For the arguments see Client."""

    def __init__(
        self,
        url: str = "",
        token: str = "",
        *,
        timeout: float = 30.0,
        patience: float = 60.0,
        carrier: httpx.BaseTransport | None = None,
    ) -> None:
        self._patience = patience
        self._address = (url, token)
        self._transport = Transport(self._find, timeout, carrier)

    def _find(self) -> list[discovery.Server]:
        try:
            return discovery.find(*self._address)
        except ValueError as error:
            raise ServerNotFound(str(error)) from error

    @property
    def server(self) -> discovery.Server:
        """The server in use; makes a request if there has been none yet."""
        if self._transport.server is None:
            self._get("status")
        assert self._transport.server is not None  # it has just answered
        return self._transport.server

    def retrying(self, ask: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
        """Call `ask`, and retry while the server is gone, for up to `patience` seconds."""
        deadline = time.monotonic() + self._patience
        first = self._transport.server is None
        while True:
            try:
                return ask(*args, **kwargs)
            except (ServerNotFound, ConnectionLost):
                # Do not wait for a server that was never there.
                if first or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY)

    def _get(self, path: str, **params: Any) -> Any:
        return decoded(self._transport.request("GET", path, params=without_none(params)).content)

    def _task(self, method: str, path: str, **content: Any) -> Task:
        return cast("Task", decoded(self._transport.request(method, path, **content).content))


def path_of(ref: str, verb: str = "", of: str = "tasks") -> str:
    """Return the path of a task, or of another object with an id or a name. Raises NotFound for an invalid one."""
    kind = of.removesuffix("s")
    code = f"{kind}_not_found"
    if not ref:
        raise kind_of(code)(f"the id or name of a {kind} must not be empty", code=code, http_status=404)
    # Dots too: proxies resolve `..`.
    try:
        name = quote(ref, safe="").replace(".", "%2E")
    except UnicodeEncodeError as error:
        message = f"no {kind} has the id or name {ref!r}: names are UTF-8"
        raise kind_of(code)(message, code=code, http_status=404) from error
    return f"{of}/{name}/{verb}" if verb else f"{of}/{name}"


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are given."""
    return {name: value for name, value in values.items() if value is not None}


def decoded(content: bytes) -> Any:
    """Return the value of a JSON text. Raises ClientError if it is not valid."""
    try:
        return json.loads(content)
    except ValueError as error:
        raise ClientError("the server's response is not valid JSON") from error
