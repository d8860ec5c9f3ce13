"""The service: its state, its errors, and its tasks as Jupyter terminals."""

from __future__ import annotations

from typing import Annotated

from ..literals import Count, ErrorCode, Id, Number, Says, StateName, Time
from .typed import NotRequired, TypedDict


class Error(TypedDict):
    """The body of every response that reports an error."""

    code: ErrorCode | Annotated[str, Says(pattern="^http_[45][0-9]{2}$", description="A plain HTTP error.")]
    """Identifies the error for programs; never changes."""
    message: str
    """A message for people; it may change."""
    field: NotRequired[str]
    """The part of the request at fault."""


class Storage(TypedDict):
    """Bytes on disk used by finished tasks, and the limit (null for none)."""

    used: Count
    limit: Count | None


class Limits(TypedDict):
    """What the server allows."""

    max_live_tasks: Number
    """Tasks that are active at a time."""


class Status(TypedDict):
    """The state of the service."""

    version: str
    tasks: dict[StateName, Count]
    """Number of tasks in each state."""
    limits: Limits
    provisioners: list[str]
    tasks_outlive_server: bool
    """Whether tasks outlive the server. On Windows, the job object of the server can prevent it."""
    storage: Storage
    stale: Annotated[float, Says(minimum=0)] | None
    """Seconds since the database last responded; null if it responds."""
    unreadable: Count
    """Number of tasks left out because they are damaged or from a newer version."""
    problem: str | None
    """What keeps the server from managing tasks; null if nothing does."""


class Terminal(TypedDict):
    """A task as a terminal of Jupyter's terminals API."""

    name: Id
    """The task's id."""
    last_activity: Time
