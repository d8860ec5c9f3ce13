"""Sweeps."""

from __future__ import annotations

from ..literals import Command, Count, Id, Name, Number, Scalar, StateName, SweepMode, Time
from .typed import TypedDict


class SweepOf(TypedDict):
    """The sweep that a task belongs to."""

    id: str
    name: str


class Sweep(TypedDict):
    """A sweep. Its definition is null if it is no longer known."""

    id: Id
    name: Name
    command: Command | None
    """The command with its placeholders."""
    params: dict[str, str | list[Scalar]] | None
    """The values of each parameter, as they were given."""
    mode: SweepMode | None
    random_seed: int | None
    """The seed of a random sweep."""
    max_failures: Number | None
    """After this many failed tasks, those that have not started are canceled."""
    group: str
    created: Time
    size: Number
    """Tasks that were created; some may have been deleted since."""
    states: dict[StateName, Count]
    """Number of its tasks in each state."""


class SweepList(TypedDict):
    """All sweeps, newest first."""

    sweeps: list[Sweep]


class SweepChange(TypedDict):
    """The result of `start`, `retry` and `cancel`."""

    sweep: Sweep
    changed: list[str]
    """Ids of the tasks that were queued again, canceled, or are being stopped."""
