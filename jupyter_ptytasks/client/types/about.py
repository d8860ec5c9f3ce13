"""Details of a task that lists leave out: attempts, notes, why it failed, and differences from another task."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ..literals import Count, Id, Name, Number, Says, StateName, Time
from .tasks import Exit, Git
from .typed import TypedDict


class WhyLine(TypedDict):
    """A line of output."""

    line: int
    """Its number, as in `GET /tasks/{ref}/output`."""
    text: str


#: The kinds of reasons (docs/why.md).
WhyKind = Literal[
    "exception", "panic", "error", "build", "tests", "gpu_memory", "memory", "disk_full", "crash", "signal",
    "time_limit", "not_found", "not_executable", "exit", "queue",
]  # fmt: skip


class Why(TypedDict):
    """Why a task failed, or why it is not running."""

    id: str
    state: StateName
    attempt: int
    kind: WhyKind | None
    """The kind of the reason; `queue` for a pending task, null for a running one or one that has not failed."""
    message: str
    """One sentence. The `state_message` of a failed task is the same."""
    lines: Annotated[list[WhyLine], Says(maxItems=6)]
    """The lines of the output that show it; may be empty."""


class Attempt(TypedDict):
    """One attempt of a task: its state, and how it ended."""

    attempt: Number
    state: StateName
    state_reason: str
    state_message: str
    exit: Exit
    started: Time | None
    ended: Time | None
    git: Git | None


class Signaled(TypedDict):
    """One signal of the stop sequence."""

    signal: str
    grace: Annotated[float, Says(minimum=0)]
    """Seconds until the next one."""


class WarnedOf(TypedDict):
    """A signal before the time limit."""

    signal: str
    before: Annotated[float, Says(exclusiveMinimum=0)]
    """Seconds before the time limit."""


class RunBefore(TypedDict):
    """An earlier task."""

    id: Id
    name: Name


class Imported(TypedDict):
    """Where an imported task comes from."""

    id: str
    """Its id there."""
    host: str
    """Name of the machine on which it ran."""
    place: str
    exported: Time


class Details(TypedDict):
    """Details of a task that lists leave out."""

    id: Id
    attempts: Annotated[list[Attempt], Says(minItems=1)]
    """The current attempt and the last 50 before it."""
    environment: list[str]
    """Names of the variables that were given; their values may be secrets."""
    host: str | None
    """Name of the machine on which the current attempt runs or ran; null if unknown."""
    imported: Imported | None
    """Where it comes from; null if it was started here."""
    disk: Count
    """Bytes that its files use."""
    stop: list[Signaled]
    """The stop sequence."""
    timeout_warning: WarnedOf | None
    before: RunBefore | None
    """The previous run: the task that it repeats, else the last earlier one with its name, or with its command."""


class Change(TypedDict):
    """A field that differs between two tasks."""

    field: str
    """Such as `command`, `params.lr` or `git.commit`."""
    before: Any
    """Null if it is missing."""
    after: Any


class ChangedNames(TypedDict):
    """Names of variables of the environments that were given to two tasks."""

    added: list[str]
    removed: list[str]
    changed: list[str]


#: What differs between two tasks. (`with` is a word of Python.)
Difference = TypedDict(
    "Difference",
    {"id": Id, "with": RunBefore | None, "changes": list[Change], "environment": ChangedNames},
)


class NotesText(TypedDict):
    """The notes of a task."""

    notes: str
    """Markdown; empty if there are none."""
