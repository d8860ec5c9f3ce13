"""The endpoint of a ptyhost: Python has no unix sockets here, so all are on TCP."""

from __future__ import annotations

import errno

from .. import loopback
from ..loopback import Endpoint, ask, is_dead, knock

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from socket import socket

__all__ = ["ON_TCP", "Endpoint", "ask", "call", "connect", "dial", "is_dead", "knock", "listen"]

#: The end of a path that is an endpoint on TCP. Here all are, whatever their path.
ON_TCP = ".tcp"


def listen(path: str) -> Endpoint:
    """Return the listening end at `path`. The caller closes it. Raises OSError; nothing is left then."""
    return Endpoint(path)


async def connect(loop: asyncio.AbstractEventLoop, protocol: Callable[[], asyncio.BaseProtocol], path: str) -> None:
    """Connect a protocol to the endpoint at `path`. Raises OSError, or ValueError if that is not one."""
    from .. import loopback_client  # noqa: PLC0415  not for a ptyhost

    await loopback_client.connect(loop, protocol, path)


def call(path: str) -> socket:
    """Return a connection to the endpoint at `path`. The caller closes it. Raises OSError or ValueError."""
    return loopback.call(path)


def dial(path: str, timeout: float | None) -> socket:  # noqa: ARG001
    """Connect to a unix socket, as a Jupyter server may listen at. Raises OSError: Python has none here."""
    raise OSError(errno.EAFNOSUPPORT, "there are no unix sockets on Windows")
