"""Builds a page of many tasks. A task that cannot be converted does not affect others, and the loop is not blocked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ...core.model import Task

#: Seconds of work before yielding to the event loop.
_TURN = 0.004


@dataclass
class Page:
    """The JSON of some tasks.

    `cursor` is that of the last one if there are more; `omitted` counts those that could not be converted.
    """

    told: list[bytes] = field(default_factory=list)
    cursor: str | None = None
    omitted: int = 0


async def page_of(
    tasks: Iterable[Task],
    describe: Callable[[Task], bytes],
    *,
    on_failure: Callable[[Task, Exception], None],
    matches: Callable[[Task], bool] = lambda _: True,
    limit: int | None = None,
    cursor: Callable[[Task], str] = lambda task: task.id,
) -> Page:
    """Return a page of the tasks that match, at most `limit`.

    `describe` returns the JSON of a task. If it raises, the task is left out and passed to `on_failure`. `cursor`
    returns the cursor after a task.
    """
    page = Page()
    last: Task | None = None
    began = monotonic()
    for task in tasks:
        is_full = len(page.told) == limit
        try:
            if not matches(task):
                continue
            if not is_full:
                page.told.append(describe(task))
        except Exception as error:  # noqa: BLE001  it must not affect other tasks
            if not is_full:
                on_failure(task, error)
                page.omitted += 1
                continue
        if is_full:
            page.cursor = cursor(last) if last is not None else None
            break
        last = task
        if monotonic() - began > _TURN:
            await asyncio.sleep(0)
            began = monotonic()
    return page
