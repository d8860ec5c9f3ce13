"""What the server's answers hold (docs/rest.md), as types: plain dictionaries, exactly as they came."""

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


class Exit(TypedDict):
    """How a command ended: by itself with `code`, or by `signal` (its name); the other is None."""

    code: int | None
    signal: str | None


class Bounds(TypedDict):
    """The output that is kept, as absolute offsets; `lost` are bytes that found no room.

    `directory` is where the server keeps it, in files that are named by the offset of their first byte.
    """

    start: int
    end: int
    lines: int
    lost: int
    directory: str


class Track(TypedDict):
    """One thing that a task counts, such as epochs, or the steps of one."""

    name: str
    done: float
    total: float | None


class Progress(TypedDict):
    """How far a task is: `fraction` of the whole, None where nobody knows how far it has to go; `eta` in seconds from
    `updated`; `tracks` the outermost first, whose numbers `done` and `total` are.
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
    """What the processes of a task use: percent of one processor, bytes, a number, bytes, percent of one GPU."""

    cpu: float | None
    rss: int | None
    pss: int | None
    processes: int | None
    gpu_memory: int | None
    gpu_load: float | None


class Usage(Measures):
    """What a live task uses; of a finished one `peak`, and what the kernel says: seconds, and bytes."""

    gpu_scope: Literal["process", "device"] | None
    cpu_time: float | None
    sampled: str | None
    peak: Measures
    user: float | None
    system: float | None
    max_rss: int | None


class Sample(TypedDict):
    """What a task used at one time."""

    time: str
    cpu: float | None
    rss: int
    gpu_memory: int | None
    gpu_load: float | None


class Stats(TypedDict):
    """What a task used in the last minutes, oldest first; `interval` seconds pass between two samples from now on."""

    usage: Usage | None
    interval: float
    samples: list[Sample]


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
    progress: Progress | None
    usage: Usage | None


class Page(TypedDict):
    """Some tasks, newest first; `next_cursor` leads to those before them, `omitted` could not be read or described."""

    tasks: list[Task]
    next_cursor: str | None
    omitted: int


class Storage(TypedDict):
    """Bytes on disk that the finished tasks take, and may take (None: any number)."""

    used: int
    limit: int | None


class Status(TypedDict):
    """The service as a whole; `tasks` counts them by state.

    `stale`: seconds for which the server's database has not answered; `unreadable`: tasks that are left out because
    they are damaged or of a newer version; `problem`: what keeps the server from looking after the tasks.
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
    """Some lines of the output. `more`: there are others from `next_line` on; what may still change is told again from
    there, too.
    """

    line_numbers: list[int]


class Warn(TypedDict):
    """A signal that comes `before` seconds before the time is up."""

    signal: str
    before: float


@dataclass(frozen=True)
class Piece:
    """Bytes of the output from the absolute `offset` on; `start` and `end` bound all that was kept then.

    `lost` bytes are gone between where one asked for and `offset`.
    """

    offset: int
    data: bytes
    start: int
    end: int
    lost: int = 0

    @property
    def next(self) -> int:
        """The offset of what comes behind it."""
        return self.offset + len(self.data)
