"""Subscriptions to the outputs of tasks: a client is notified of new output, at most once a second per task.

Each subscription is a pending request to the server (`wait until=output`) until its task has ended, so it causes no
traffic while there is no output. It requires a connection that carries notifications, which stateless HTTP lacks.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types as types
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError

from ..client import Client
from ..client.errors import ClientError, TaskNotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup
    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel import Server

    from ..client.types import Waited

    Publish = Callable[[], Awaitable[None]]

#: Seconds between two notifications about a task, and between two attempts while the server is not available.
_EVERY, _AGAIN = 1.0, 5.0
#: The duration of one pending request in seconds.
_HANG = 50.0
#: The most subscriptions of a client. Each has a thread, which waits.
_MOST = 32


class Subscriptions:
    """The subscriptions of one client.

    Args:
        connect: opens a client of the server; each request closes its own.
        ref_of: returns the task of a URI. Raises MCPError.
        group: runs subscriptions that outlive their request, as in versions of MCP before 2026-07-28.
    """

    def __init__(self, connect: Callable[[], Client], ref_of: Callable[[str], str], group: TaskGroup) -> None:
        self._connect = connect
        self._ref_of = ref_of
        self._group = group
        self._threads = anyio.CapacityLimiter(2 * _MOST)
        self._count = 0
        self._scopes: dict[str, anyio.CancelScope] = {}

    def serve(self, server: Server[dict[str, Any]]) -> None:
        """Register the handlers for subscriptions at a server."""
        server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, self._subscribe)
        server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, self._unsubscribe)
        server.add_request_handler("subscriptions/listen", types.SubscriptionsListenRequestParams, self._listen)

    # -- since 2026-07-28: a long-lived request -----------------------------------------------------------------------

    async def _listen(
        self, ctx: ServerRequestContext[Any, Any], params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        uris = dict.fromkeys(params.notifications.resource_subscriptions or ())
        refs = {uri: self._ref_of(uri) for uri in uris}
        self._take(len(refs))
        bus = InMemorySubscriptionBus()

        def publish(uri: str) -> Publish:
            return lambda: bus.publish(ResourceUpdated(uri=uri))

        try:
            # Before the acknowledgment, so that all output after it is reported.
            offsets = {uri: await self._end(ref) for uri, ref in refs.items()}
            async with anyio.create_task_group() as group:
                for uri, ref in refs.items():
                    group.start_soon(self._follow, ref, offsets[uri], publish(uri))
                result = await ListenHandler(bus)(ctx, params)
                group.cancel_scope.cancel()
        finally:
            self._count -= len(refs)
        return result

    # -- before --------------------------------------------------------------------------------------------------------

    async def _subscribe(
        self, ctx: ServerRequestContext[Any, Any], params: types.SubscribeRequestParams
    ) -> types.EmptyResult:
        uri = params.uri
        ref = self._ref_of(uri)
        offset = await self._end(ref)
        if uri not in self._scopes:
            self._take(1)
            scope = self._scopes[uri] = anyio.CancelScope()
            session = ctx.session

            async def run() -> None:
                try:
                    with scope:
                        await self._follow(ref, offset, lambda: session.send_resource_updated(uri))
                finally:
                    self._count -= 1
                    if self._scopes.get(uri) is scope:
                        del self._scopes[uri]

            self._group.start_soon(run)
        return types.EmptyResult()

    async def _unsubscribe(
        self, _: ServerRequestContext[Any, Any], params: types.UnsubscribeRequestParams
    ) -> types.EmptyResult:
        scope = self._scopes.pop(params.uri, None)
        if scope is not None:
            scope.cancel()
        return types.EmptyResult()

    # -- both ----------------------------------------------------------------------------------------------------------

    def _take(self, count: int) -> None:
        if self._count + count > _MOST:
            raise MCPError(types.INVALID_REQUEST, f"too many subscriptions; the limit is {_MOST}")
        self._count += count

    async def _end(self, ref: str) -> int | None:
        """Return the end of a task's output (byte offset); None if unknown."""
        try:
            found: int = await self._ask(lambda client: client.get(ref)["output"]["end"])
        except ClientError:
            return None
        return found

    async def _follow(self, ref: str, offset: int | None, publish: Publish) -> None:
        """Publish whenever the output of a task grows beyond `offset`, and when the task has ended."""
        while True:
            try:
                waited: Waited = await self._ask(
                    partial(Client.wait_for, ref=ref, until=["output"], offset=offset, timeout=_HANG)
                )
            except TaskNotFound:
                return
            except ClientError:
                await anyio.sleep(_AGAIN)
                continue
            if waited["reason"] != "timeout":
                await publish()
            if waited["reason"] == "exit":
                return
            # From now on follow this task by its id, even if another one gets its name.
            ref, offset = waited["task"]["id"], waited["task"]["output"]["end"]
            await anyio.sleep(_EVERY)

    async def _ask(self, do: Callable[[Client], Any]) -> Any:
        def blocking() -> Any:
            with self._connect() as client:
                return do(client)

        return await anyio.to_thread.run_sync(blocking, abandon_on_cancel=True, limiter=self._threads)
