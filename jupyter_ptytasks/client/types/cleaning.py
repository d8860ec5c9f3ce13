"""Which tasks are deleted when cleaning up."""

from __future__ import annotations

from ..literals import Count, Id, Name, StateName, Time
from .typed import TypedDict


class Removable(TypedDict):
    """A finished task that is deleted when cleaning up."""

    id: Id
    name: Name
    state: StateName
    ended: Time | None
    size: Count
    """Bytes that its files use."""


class Spared(TypedDict):
    """How many of the requested tasks are not deleted when cleaning up."""

    running: Count
    waiting: Count
    """Those that have not started yet, or will run again."""
    pinned: Count
    needed: Count
    """Those that a pending task needs."""
    best: Count
    newest: Count
    unmeasured: Count
    """Those without the metric whose best value is kept."""


class CleanUp(TypedDict):
    """The tasks that cleaning up deletes, or has deleted."""

    tasks: list[Removable]
    size: Count
    """Bytes that all of them use."""
    spared: Spared
