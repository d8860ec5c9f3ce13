"""The endpoint of a ptyhost."""

from __future__ import annotations

from . import unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from socket import socket


class Endpoint:
    """The listening end of a ptyhost."""

    __slots__ = ()

    def __init__(self, path: str, fd: int | None = None) -> None:  # noqa: ARG002
        raise unsupported()

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        raise unsupported()

    def accept(self) -> socket | None:
        """Return the next connection."""
        raise unsupported()

    def renew(self) -> None:
        """Listen again if the path has been removed."""

    def hand_over(self) -> None:
        """Leave it to other processes that have it open."""

    def close(self) -> None:
        """Stop listening."""


async def connect(
    loop: asyncio.AbstractEventLoop,  # noqa: ARG001
    protocol: Callable[[], asyncio.BaseProtocol],  # noqa: ARG001
    path: str,  # noqa: ARG001
) -> None:
    """Connect a protocol to an endpoint."""
    raise unsupported()


def call(path: str) -> socket:  # noqa: ARG001
    """Return a connection to an endpoint."""
    raise unsupported()


def knock(path: str) -> bool:  # noqa: ARG001
    """Return whether a process listens there."""
    raise unsupported()


def ask(path: str, timeout: float) -> bool:  # noqa: ARG001
    """Return whether an endpoint answers."""
    raise unsupported()


def is_dead(path: str) -> bool:  # noqa: ARG001
    """Return False: there are no endpoints yet."""
    return False


def dial(path: str, timeout: float | None) -> socket:  # noqa: ARG001
    """Connect to a unix socket. Python has none here."""
    raise unsupported()
