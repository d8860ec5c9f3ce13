"""The endpoint of a ptyhost: always TCP, since Python does not support unix sockets on Windows."""

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

#: The suffix of a path that is an endpoint on TCP elsewhere; here all are.
ON_TCP = ".tcp"


def listen(path: str) -> Endpoint:
    """Return the listening end at `path`. The caller closes it. If this raises OSError, nothing is left behind."""
    return Endpoint(path)


async def connect(loop: asyncio.AbstractEventLoop, protocol: Callable[[], asyncio.BaseProtocol], path: str) -> None:
    """Connect a protocol to the endpoint at `path`. Raises OSError, or ValueError if that is not one."""
    from .. import loopback_client  # noqa: PLC0415  not for a ptyhost

    await loopback_client.connect(loop, protocol, path)


def call(path: str) -> socket:
    """Return a connection to the endpoint at `path`. The caller closes it. Raises OSError or ValueError."""
    return loopback.call(path)


def dial(path: str, timeout: float | None) -> socket:  # noqa: ARG001
    """Raise OSError: Python does not support unix sockets, such as that of a Jupyter server, on Windows."""
    raise OSError(errno.EAFNOSUPPORT, "there are no unix sockets on Windows")
