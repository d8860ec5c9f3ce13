"""A task as the server knows it: a value that is never changed in place, only replaced."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from .queue.turn import Turn
from .states import Stateful

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .states import State
    from .sweeps.combinations import Sweep, Value


#: The size of a terminal to which no client has been attached yet, unless the server is configured otherwise.
ROWS, COLS = 40, 120


class Kind(str, Enum):
    """The kind of command that a task runs."""

    COMMAND = "command"
    SHELL = "shell"


class IfExists(str, Enum):
    """What a request to create a task does if a live task already has the name."""

    NEW = "new"
    RETURN = "return"
    RESTART = "restart"
    FAIL = "fail"


@dataclass(frozen=True)
class Exit:
    """How a command ended: it exited with `code`, or by `signal` (its name); the other is None."""

    code: int | None = None
    signal: str | None = None


@dataclass(frozen=True)
class Output:
    """The bounds of a ring: absolute offsets `start` and `end`, line feeds before `end`, bytes that were lost."""

    start: int = 0
    end: int = 0
    lines: int = 0
    lost: int = 0

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Output:
        """Read the bounds that a ptyhost sends; missing ones are 0."""
        return cls(*(int(value.get(name, 0)) for name in ("start", "end", "lines", "lost")))


@dataclass(frozen=True)
class Task(Stateful):
    """One task. Times are Unix seconds (UTC), None until they are known.

    `command` is what the user has entered: a shell line or the arguments; `host_pid` is the ptyhost of the current
    attempt; `usage` is from the exit record, `progress` the last one (core.progress, as JSON);
    `metrics` the last ones (core.metrics, the same), None until they have been read; a `pinned` task is kept
    until it is deleted by hand; `why` is the kind of reason for which it failed (core.why), empty until that was looked
    for; `leftover` counts the processes that its command left running; `gpus` are the UUIDs of
    the GPUs that the current attempt was given, `gpu_share` how much of each; `params` are those of its `sweep`;
    `resources` are what it asks a batch system for (core.resources), and `job` what that says of it (client.types.Job);
    `git` is what git said of its directory when the current attempt was started (provision.git), None where it said
    nothing; `earlier` are the last attempts before, as JSON (storage.records.attempt_of); `again_of` is the id of the
    task that it was made like, if there is one; `notes` the tag of its notes (storage.notes), empty without notes;
    `revision` counts the changes of the whole store: higher ones are newer.
    """

    id: str
    name: str
    command: str | list[str]
    kind: Kind
    cwd: str
    state: State
    created: float
    provisioner: str
    state_reason: str = ""
    state_message: str = ""
    why: str = ""
    exit: Exit = field(default_factory=Exit)
    attempt: int = 1
    pid: int | None = None
    host_pid: int | None = None
    rows: int = ROWS
    cols: int = COLS
    started: float | None = None
    ended: float | None = None
    last_output: float | None = None
    output: Output = field(default_factory=Output)
    group: str = "default"
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    timeout: float | None = None
    pinned: bool = False
    leftover: int = 0
    turn: Turn = field(default_factory=Turn)
    gpus: tuple[str, ...] = ()
    gpu_share: float = 1.0
    sweep: Sweep | None = None
    params: Mapping[str, Value] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    job: Mapping[str, Any] = field(default_factory=dict)
    git: Mapping[str, Any] | None = None
    earlier: tuple[Mapping[str, Any], ...] = ()
    again_of: str = ""
    notes: str = ""
    revision: int = 0

    @property
    def is_submitted(self) -> bool:
        """Whether its attempt is a job of a batch system, where it may wait for its turn."""
        return bool(self.job)

    def with_(self, **changes: Any) -> Task:
        """Return the task with some fields changed."""
        return replace(self, **changes)


def job(job_id: str, state: str | None = None) -> dict[str, Any]:
    """Return what is known of a job (Task.job) that has just been submitted, or of which only the id is known."""
    return {"id": job_id, "state": state, "reason": None, "node": None, "starts": None, "ends": None}


#: Digits of ids; they sort by value.
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TIME_DIGITS = 8
_RANDOM_DIGITS = 4


def new_id(now: float, newest: str = "") -> str:
    """Return an id for a task created at `now` (Unix seconds) that sorts after `newest`, even if the clock was set
    back.

    Eight digits of base 36 hold the milliseconds until the year 2059; four random ones make two servers differ.
    """
    import random  # noqa: PLC0415  the scheduler makes none

    moment = int(now * 1000)
    if newest:
        moment = max(moment, int(newest[:_TIME_DIGITS], 36) + 1)
    return _base36(moment, _TIME_DIGITS) + "".join(random.SystemRandom().choices(_DIGITS, k=_RANDOM_DIGITS))


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


@dataclass(frozen=True)
class TimeWarning:
    """A signal that is sent to the tree some seconds before its time limit."""

    signal: str
    before: float


@dataclass(frozen=True)
class TaskRequest:
    """A request to run a task; validated, without defaults.

    `command` is a shell line or the arguments, None for an interactive shell; `cwd` None is the server's root
    directory; `ladder` the stop sequence, pairs of a signal and a grace period in seconds, None for the default;
    `timeout` is in seconds; `params` are told to the task in its environment; `function` is the call that the command
    runs (functions.calls); `place` is where it runs, empty for this machine; `resources` is what it asks for there;
    `metrics` says how they are read (core.metrics.Settings, as JSON); `again_of` is the id of the task that it is like.
    """

    command: str | list[str] | None = None
    name: str | None = None
    cwd: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
    cols: int | None = None
    group: str = "default"
    tags: tuple[str, ...] = ()
    timeout: float | None = None
    warning: TimeWarning | None = None
    ladder: tuple[tuple[str, float], ...] | None = None
    if_exists: IfExists = IfExists.NEW
    metadata: Mapping[str, Any] = field(default_factory=dict)
    hold: bool = False
    turn: Turn = field(default_factory=Turn)
    sweep: Sweep | None = None
    params: Mapping[str, Value] = field(default_factory=dict)
    function: bytes | None = field(default=None, repr=False)
    place: str = ""
    resources: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    again_of: str = ""
