"""A task as the server knows it: an immutable value."""

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


#: The default size of a terminal until a client attaches.
ROWS, COLS = 40, 120


class Kind(str, Enum):
    """The kind of command that a task runs."""

    COMMAND = "command"
    SHELL = "shell"


class IfExists(str, Enum):
    """What to do if a live task already has the name of a new one."""

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
    """The bounds of a ring: absolute offsets `start` and `end`, line feeds before `end`, and lost bytes."""

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

    `command` is what the user has entered: a shell command line or the arguments; `host_pid` is the ptyhost of the
    current attempt; `usage` is from the exit record, `progress` the last progress (core.progress, as JSON),
    `metrics` the last metrics (core.metrics, as JSON), None until they have been read; a `pinned` task is kept
    until it is deleted by hand; `why` is the kind of reason why it failed (core.why), empty until it has been
    determined; `leftover` counts the processes that its command left running; `gpus` are the UUIDs of
    the GPUs assigned to the current attempt, `gpu_share` the share of each; `params` are the parameters of its `sweep`;
    `resources` are requested from a batch system (core.resources), and `job` is its state there (client.types.Job);
    `git` is the git state of its directory when the current attempt was started (provision.git), None if unknown;
    `earlier` are the previous attempts, as JSON (storage.records.attempt_of); `again_of` is the id of the task
    that it repeats, if there is one; `notes` is the ETag of its notes (storage.notes), empty without notes;
    `revision` counts the changes of the whole store: higher is newer.
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
        """Whether its attempt is a job of a batch system, which may still be pending there."""
        return bool(self.job)

    def with_(self, **changes: Any) -> Task:
        """Return the task with some fields changed."""
        return replace(self, **changes)


def job(job_id: str, state: str | None = None) -> dict[str, Any]:
    """Return Task.job for a job that has just been submitted, or of which only the id is known."""
    return {"id": job_id, "state": state, "reason": None, "node": None, "starts": None, "ends": None}


#: Digits of ids, in sort order.
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TIME_DIGITS = 8
_RANDOM_DIGITS = 4


def new_id(now: float, newest: str = "") -> str:
    """Return an id for a task created at `now` (Unix seconds) that sorts after `newest`, even if the clock was set
    back.

    Eight digits in base 36 hold the milliseconds until the year 2059; four random digits keep two servers apart.
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
    """A signal that is sent to the process tree some seconds before the time limit."""

    signal: str
    before: float


@dataclass(frozen=True)
class TaskRequest:
    """A request to run a task; validated, without defaults.

    `command` is a shell command line or the arguments, None for an interactive shell; `cwd` None is the server's root
    directory; `ladder` the stop sequence, pairs of a signal and a grace period in seconds, None for the default;
    `timeout` is in seconds; `params` are passed to the task in its environment; `function` is the call that the command
    runs (functions.calls); `place` is where it runs, empty for this machine; `resources` are requested there;
    `metrics` says how to read them (core.metrics.Settings, as JSON); `again_of` is the id of the task that it repeats.
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
