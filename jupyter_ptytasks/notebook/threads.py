"""Calls that block, awaited: the kernel's loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    Result = TypeVar("Result")
    Item = TypeVar("Item")
    Args = ParamSpec("Args")


async def call(function: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
    """Give what `function` gives, called in a thread of its own.

    Not in asyncio's pool, which has few threads (a hundred tasks may be awaited at once), and which the end of a
    program waits for. When this is cancelled, the thread ends by itself, and nobody hears of its result.
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
        except BaseException as error:  # noqa: BLE001  whoever awaits it gets it
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            pass  # the loop is closed: nobody awaits it any more

    threading.Thread(target=work, name=f"ptytasks-{getattr(function, '__name__', 'call')}", daemon=True).start()
    return await future


async def iterate(items: Iterator[Item]) -> AsyncIterator[Item]:
    """Iterate over what blocks between its items."""
    end = object()
    while (item := await call(next, items, end)) is not end:
        yield item  # type: ignore[misc]  # it is not `end`
