"""Types of the REST API's responses (docs/rest.md): plain dictionaries, passed on unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypedDict

Command = str | list[str]
IfExists = Literal["new", "return", "restart", "fail"]
Target = Literal["foreground", "tree", "leader"]
Mode = Literal["full", "head", "tail", "head-tail"]
Ansi = Literal["strip", "keep"]
StateName = Literal[
    "held",
    "queued",
    "starting",
    "running",
    "paused",
    "stopping",
    "succeeded",
    "failed",
    "cancelled",
    "timed_out",
    "lost",
]
When = Literal["ok", "any", "failed"]
SweepMode = Literal["grid", "zip", "random"]
#: A value of a parameter.
Scalar = str | int | float | bool


class After(TypedDict):
    """A task that must have ended before another one starts; `ref` is its id, or its name in requests."""

    ref: str
    when: When


class Retry(TypedDict, total=False):
    """How a failed task is run again: `max` times at most, after `delay` seconds times `factor` for each earlier retry,
    `most` seconds at most. `on` are states or exit codes; empty: all but success and cancellation.
    """

    max: int
    delay: float
    factor: float
    most: float
    on: list[str | int]


class Waiting(TypedDict):
    """Why a pending task does not run: `position` in its group (1: the next; 0: it waits for something else), `reason`
    for programs, the same as `text`, and when it `starts` if that can be guessed (ISO 8601).
    """

    position: int
    reason: Literal["held", "dependency", "not_before", "paused", "slots", "gpus", "limit", "starting"]
    text: str
    starts: str | None


class Group(TypedDict):
    """A group: how many `slots` it has (None: no limit), and are `used`; how many tasks are `active` and `pending`, and
    when the last of them `ends` if that can be guessed (ISO 8601). See docs/queue.md.
    """

    name: str
    slots: int | None
    gpus: list[str] | Literal["all"] | None
    per_gpu: int
    on_failure: Literal["continue", "pause", "cancel"]
    paused: bool
    reason: str
    used: int
    active: int
    pending: int
    ends: str | None


class Exit(TypedDict):
    """How a command ended: with an exit `code`, or by a `signal` (its name). The other one is None."""

    code: int | None
    signal: str | None


class Bounds(TypedDict):
    """The output on disk, from offset `start` to `end`; `lost` counts bytes that could not be written.

    `directory` holds it, in files named after the offset of their first byte.
    """

    start: int
    end: int
    lines: int
    lost: int
    directory: str


class Track(TypedDict):
    """One counter of a task, such as epochs, or the steps of an epoch."""

    name: str
    done: float
    total: float | None


class Progress(TypedDict):
    """Progress of a task.

    `fraction` is None if the total is unknown. `eta` is in seconds from `updated`. `tracks` are the counters, outermost
    first; `done` and `total` are those of the first.
    """

    fraction: float | None
    done: float | None
    total: float | None
    unit: str
    text: str
    state: Literal["normal", "error", "paused", "indeterminate"]
    source: str
    eta: float | None
    tracks: list[Track]
    updated: str


class Measures(TypedDict):
    """Resources of all processes of a task: percent of one CPU, bytes, count, bytes, percent of one GPU."""

    cpu: float | None
    rss: int | None
    pss: int | None
    processes: int | None
    gpu_memory: int | None
    gpu_load: float | None


class Usage(Measures):
    """Current usage of a live task; of a finished one `peak`, and the kernel's `user`, `system` (s) and `max_rss`."""

    gpu_scope: Literal["process", "device"] | None
    cpu_time: float | None
    sampled: str | None
    peak: Measures
    user: float | None
    system: float | None
    max_rss: int | None


class Sample(TypedDict):
    """Usage of a task at one time."""

    time: str
    cpu: float | None
    rss: int
    gpu_memory: int | None
    gpu_load: float | None


class Stats(TypedDict):
    """Recent samples of a task's usage, oldest first; `interval` is the current sampling interval in seconds."""

    usage: Usage | None
    interval: float
    samples: list[Sample]


class SweepOf(TypedDict):
    """The sweep that a task belongs to."""

    id: str
    name: str


class Sweep(TypedDict):
    """A sweep: `states` counts its tasks by state, `size` is how many were created. `command`, `params`, `mode` and
    `random_seed` are as they were given; None if that is not known any more.
    """

    id: str
    name: str
    command: Command | None
    params: dict[str, str | list[Scalar]] | None
    mode: SweepMode | None
    random_seed: int | None
    max_failures: int | None
    group: str
    created: str
    size: int
    states: dict[StateName, int]


class SweepChange(TypedDict):
    """What `retry` and `cancel` have done: the sweep, and the ids of the tasks that were changed."""

    sweep: Sweep
    changed: list[str]


class Task(TypedDict):
    """A task; times are ISO 8601 in UTC."""

    id: str
    name: str
    command: Command
    kind: Literal["command", "shell"]
    cwd: str
    state: StateName
    state_reason: str
    state_message: str
    exit: Exit | None
    attempt: int
    pid: int | None
    rows: int
    cols: int
    viewers: int
    leader: str | None
    running_in_background: bool
    alive: bool
    connected: bool
    created: str
    started: str | None
    ended: str | None
    last_activity: str
    timeout: float | None
    output: Bounds
    group: str
    tags: list[str]
    metadata: dict[str, Any]
    pinned: bool
    leftover: int
    queue: Waiting | None
    priority: int
    rank: str
    slots: int
    gpus: float | None
    assigned_gpus: list[str]
    after: list[After]
    not_before: str | None
    retry: Retry | None
    runs_again: bool
    sweep: SweepOf | None
    params: dict[str, Scalar]
    progress: Progress | None
    usage: Usage | None


class Page(TypedDict):
    """One page of tasks, newest first; `next_cursor` continues it, `omitted` counts tasks that could not be read."""

    tasks: list[Task]
    next_cursor: str | None
    omitted: int


class Storage(TypedDict):
    """Bytes on disk used by finished tasks, and the limit (None: no limit)."""

    used: int
    limit: int | None


class Status(TypedDict):
    """State of the service; `tasks` counts them by state.

    `stale`: seconds since the database last responded, None if it does. `unreadable`: number of tasks that are damaged
    or of a newer version. `problem`: what keeps the server from managing tasks, None if nothing does.
    """

    version: str
    tasks: dict[StateName, int]
    limits: dict[str, int]
    provisioners: list[str]
    storage: Storage
    stale: float | None
    unreadable: int
    problem: str | None


class _Text(TypedDict):
    output: str
    first_line: int
    next_line: int
    total_lines: int
    lines_omitted: int
    more: bool
    truncated: bool
    bytes: int
    estimated_tokens: int
    ended: bool


class Text(_Text, total=False):
    """Some lines of the output. `more`: there are others from `next_line` on. A line that may still change is repeated
    by a request for `since` = `next_line`.
    """

    line_numbers: list[int]


class Warn(TypedDict):
    """A signal sent `before` seconds before the time limit."""

    signal: str
    before: float


@dataclass(frozen=True)
class Piece:
    """Output bytes from the absolute `offset`; `start` and `end` bound what was kept at that time.

    `lost` counts the discarded bytes between the requested offset and `offset`.
    """

    offset: int
    data: bytes
    start: int
    end: int
    lost: int = 0

    @property
    def next(self) -> int:
        """The offset of the next byte."""
        return self.offset + len(self.data)
