"""`clean_up`: deletes many finished tasks, or returns which ones would be deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..client import format as formats
from .clients import connections

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..client.literals import Better, StateName
    from ..client.types import CleanUp


def clean_up(
    *,
    older_than: float | str | timedelta | None = None,
    state: StateName | Iterable[StateName] = (),
    keep: int | None = None,
    keep_best: str | None = None,
    better: Better | None = None,
    group: str | None = None,
    tag: str | None = None,
    sweep: str | None = None,
    dry_run: bool = False,
    url: str = "",
    token: str = "",
) -> CleanUp:
    """Delete the finished tasks that match all filters, all of them or none. Return the deleted tasks with their disk
    usage in bytes, and how many others were spared. Live and pinned tasks are kept, and those that a pending task
    needs.

    Args:
        older_than: only tasks that ended longer ago: seconds, `"7d"`, or a timedelta.
        state: only tasks that ended in this state, or in one of these.
        keep: how many of the newest matching tasks to keep.
        keep_best: the name of a metric: the task with its best value stays, as do all without it.
        better: which of its values are better; by default this depends on its name.
        dry_run: delete nothing.

    Raises:
        ValueError: no filter is given.
    """
    if not state and all(one is None for one in (older_than, keep, keep_best, group, tag, sweep)):
        raise ValueError("a filter is required: older_than, state, keep, keep_best, group, tag or sweep")
    if isinstance(older_than, timedelta):
        older_than = older_than.total_seconds()
    elif isinstance(older_than, str):
        older_than = formats.seconds(older_than)
    with connections(url, token).client() as client:
        found = client.preview_clean_up(
            older_than=older_than,
            state=(state,) if isinstance(state, str) else state,
            keep=keep,
            keep_best=keep_best,
            better=better,
            group=group,
            tag=tag,
            sweep=sweep,
        )
        if dry_run or not found["tasks"]:
            return found
        return client.clean_up([task["id"] for task in found["tasks"]])
