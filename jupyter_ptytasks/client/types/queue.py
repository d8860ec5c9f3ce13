"""Groups, and what pending tasks wait for."""

from __future__ import annotations

from typing import Annotated, Literal

from ..literals import Count, Number, Says, Time, When
from .typed import NotRequired, TypedDict


class After(TypedDict):
    """A task that must have ended before another one starts."""

    ref: str
    """Its id; in requests also its name."""
    when: When
    """How it must have ended."""


class Retry(TypedDict):
    """How a failed task is retried: at most `max` times, after `delay` seconds times `factor` for each earlier retry,
    at most `most` seconds.
    """

    max: Number
    """Maximum number of retries."""
    delay: NotRequired[float]
    """Seconds until the first retry."""
    factor: NotRequired[float]
    """The factor by which each delay grows."""
    most: NotRequired[float]
    """The longest delay, in seconds."""
    on: NotRequired[list[str | int]]
    """States or exit codes; empty: all except success and cancellation."""


class Waiting(TypedDict):
    """Why a pending task is not running."""

    position: Count
    """1 is the next of its group; 0: it waits for something else."""
    reason: Literal["held", "dependency", "not_before", "paused", "slots", "gpus", "limit", "starting", "place"]
    """The reason, for programs."""
    text: str
    """The same in words."""
    starts: Time | None
    """When it starts, if known or estimated from earlier runs."""


class Group(TypedDict):
    """A group of tasks and its state; see docs/queue.md."""

    name: str
    slots: Count | None
    """Number of slots; null is unlimited."""
    gpus: Annotated[list[str], Says(minItems=1)] | Literal["all"] | None
    """GPUs for its tasks, in order of preference; null: only for tasks that request them."""
    per_gpu: Number
    """How many of its tasks share a GPU."""
    on_failure: Literal["continue", "pause", "cancel"]
    """What to do with its waiting tasks after a failure."""
    paused: bool
    reason: str
    """Why it is paused, in words."""
    used: Count
    """Slots used by active tasks."""
    active: Count
    """Number of its active tasks."""
    pending: Count
    """Number of its pending tasks."""
    ends: Time | None
    """When its last task ends, estimated from earlier runs."""


class GroupList(TypedDict):
    """All groups that are configured or in use, by name."""

    groups: list[Group]


class GroupChange(TypedDict):
    """The result of `retry` of a group."""

    changed: list[str]
    """Ids of the tasks that were queued again."""
