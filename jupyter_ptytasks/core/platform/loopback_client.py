"""A server's connection to an endpoint on TCP: first mutual authentication, then the actual protocol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from . import loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..proof import Proof


class _Proving(asyncio.Protocol):
    """Exchanges the proofs; then sets `done` and passes the transport to the actual protocol."""

    def __init__(self, proof: Proof, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        self._proof = proof
        self._protocol = protocol
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._proof.nonce)

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        assert transport is not None
        try:
            transport.write(self._proof.feed(data))
        except PermissionError as error:
            transport.abort()
            self._fail(error)
            return
        if not self._proof.is_given or self.done.done():
            return
        inner = self._protocol()
        assert isinstance(inner, asyncio.Protocol)
        transport.set_protocol(inner)
        inner.connection_made(transport)
        rest = self._proof.rest()
        if rest:
            inner.data_received(rest)
        self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionResetError("the other side has closed the connection"))

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


async def connect(loop: asyncio.AbstractEventLoop, protocol: Callable[[], asyncio.BaseProtocol], path: str) -> None:
    """Connect a protocol to the endpoint at `path`. Raises OSError: PermissionError if the other side does not know the
    secret; or ValueError.
    """
    address, proof = await loop.run_in_executor(None, loopback.read, path)
    transport, proving = await loop.create_connection(lambda: _Proving(proof, protocol), *address)
    try:
        await proving.done
    except BaseException:
        transport.abort()
        raise
