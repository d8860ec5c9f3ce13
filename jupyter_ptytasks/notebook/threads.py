"""Awaits blocking calls in threads, so that the kernel's event loop keeps running."""

from __future__ import annotations

import asyncio
import threading
from itertools import islice
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    Result = TypeVar("Result")
    Item = TypeVar("Item")
    Args = ParamSpec("Args")


async def call(function: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
    """Call `function` in a new thread and return its result.

    asyncio's own pool has too few threads to await a hundred tasks, and delays the exit of a program. When this is
    cancelled, the thread continues and its result is dropped.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

    def work() -> None:
        result: Result | None = None
        failure: BaseException | None = None
        try:
            result = function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001  raised where it is awaited
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            pass  # the loop is closed

    threading.Thread(target=work, name=f"ptytasks-{getattr(function, '__name__', 'call')}", daemon=True).start()
    return await future


async def iterate(items: Iterator[Item]) -> AsyncIterator[Item]:
    """Iterate over a blocking iterator without blocking the event loop."""
    while found := await call(list, islice(items, 1)):
        yield found[0]
