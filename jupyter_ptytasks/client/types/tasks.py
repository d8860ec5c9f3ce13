"""Tasks, and lists of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ..literals import Command, Count, Id, Name, Number, Says, Scalar, Size, StateName, Time
from .measured import Metric, Progress, TaskWarning, Usage
from .places import Job, Resources
from .queue import After, Retry, Waiting
from .sweeps import SweepOf
from .typed import TypedDict


class WaitsFor(TypedDict):
    """What a program waits for."""

    kind: Literal["line", "password", "keys", "shell"]
    """A line, a line that is not echoed, single keys, or the next command of a shell."""
    prompt: Annotated[str, Says(maxLength=200)]
    """The text before the cursor, without the input typed there."""
    since: Time
    sure: bool
    """Whether the kernel says so. If not, the last line looks like a prompt."""


class Exit(TypedDict):
    """How a command ended: with an exit `code`, or by a `signal` (its name). The other one is null."""

    code: int | None
    signal: str | None


class Bounds(TypedDict):
    """The output on disk, from offset `start` to `end`."""

    start: Count
    end: Count
    lines: Count
    lost: Count
    """Bytes that could not be written."""
    directory: str
    """Directory of the raw output, in files named after the offset of their first byte."""


class Git(TypedDict):
    """The git state of a directory."""

    commit: str
    """The commit that was checked out."""
    branch: str | None
    """Null if no branch was checked out."""
    dirty: bool | None
    """Whether files differed from the commit; null if it took too long to find out."""


class Task(TypedDict):
    """A task."""

    id: Id
    name: Name
    command: Command
    kind: Literal["command", "shell"]
    place: str
    """Where it runs; `local` is the server's machine."""
    cwd: str
    """Working directory, absolute; on another machine as it was given, relative to the home directory."""
    state: StateName
    state_reason: str
    """The reason for this state, for programs; may be empty."""
    state_message: str
    """A message for people; may be empty."""
    exit: Exit | None
    """Null while the task is live."""
    attempt: Number
    """1 for the first run, then 2, 3, …"""
    pid: Number | None
    """Process id of the command."""
    rows: Size
    cols: Size
    viewers: Count
    """Number of terminals that show it."""
    leader: str | None
    """Id of the viewer whose size the terminal has."""
    waiting: WaitsFor | None
    """What the program is waiting for; null if it is not waiting for input, or unknown."""
    running_in_background: bool
    """Whether it runs without a viewer."""
    alive: bool
    """Whether its command runs."""
    connected: bool
    """Whether the ptyhost responds at the moment."""
    created: Time
    started: Time | None
    ended: Time | None
    last_activity: Time
    """The time of its last output; before that, when it started."""
    timeout: Annotated[float, Says(exclusiveMinimum=0)] | None
    """Time limit in seconds."""
    output: Bounds
    group: str
    tags: list[str]
    metadata: dict[str, Any]
    pinned: bool
    """Whether the task is kept until it is deleted explicitly."""
    leftover: Count
    """Number of processes that the command left running."""
    queue: Waiting | None
    """Why a pending task is not running; null for others."""
    priority: int
    """Higher ones of a group start first."""
    rank: str
    """Order of the pending tasks of one priority, as text; the id unless the task was moved."""
    slots: Number
    """Slots of its group that the task uses."""
    gpus: Annotated[float, Says(minimum=0)] | None
    """GPUs that the task requests, or a share of one; null for the default of its group."""
    assigned_gpus: list[str]
    """UUIDs of the GPUs assigned to the current attempt."""
    after: list[After]
    """Tasks that must end first."""
    not_before: Time | None
    """The earliest time to start."""
    retry: Retry | None
    runs_again: bool
    """Whether the task has ended and will be retried automatically."""
    sweep: SweepOf | None
    params: dict[str, Scalar]
    """Its parameters, also in the task's environment as PTYTASK_PARAM_*."""
    resources: Resources
    job: Job | None
    """Its job in the batch system of its place; null elsewhere."""
    git: Git | None
    """Its directory when the current attempt was started; null outside of a repository, and on other machines."""
    again_of: Id | None
    """The task that it repeats (`again`); it may have been deleted since."""
    notes: str | None
    """The ETag of its notes, which changes with them; null without notes."""
    progress: Progress | None
    metrics: Annotated[dict[str, Metric], Says(maxProperties=8)]
    """Metrics from its output, the most important first."""
    warnings: list[TaskWarning]
    """Problems although it has not failed."""
    usage: Usage | None


class Page(TypedDict):
    """One page of tasks, newest first or in the requested order."""

    tasks: list[Task]
    next_cursor: str | None
    """The `cursor` of the next page; null for the last one."""
    omitted: Count
    """Number of tasks left out because they could not be read; see the server's log."""
    revision: str
    """The `since` of `GET /changes`, for what has changed after this list."""


class PartialPage(TypedDict):
    """One page of tasks with only the requested `fields`, and `id`."""

    tasks: list[dict[str, Any]]
    next_cursor: str | None
    """The `cursor` of the next page; null for the last one."""
    omitted: Count
    """Number of tasks left out because they could not be read; see the server's log."""
    revision: str
    """The `since` of `GET /changes`, for what has changed after this list."""


class TasksChange(TypedDict):
    """What `PATCH /tasks` has done."""

    changed: list[str]
    """Ids of the tasks that have changed."""


class Changes(TypedDict):
    """What has changed in the list of tasks since a revision."""

    complete: bool
    """Whether the revision is known. If not, request the list again."""
    tasks: list[Task]
    """New and changed tasks, in no particular order."""
    deleted: list[str]
    """Ids of deleted tasks, which may never have been in your list."""
    waits: dict[str, Waiting]
    """Why other pending tasks are not running, by id: their `queue`."""
    revision: str
    """The next `since`."""
