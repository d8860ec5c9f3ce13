"""The models of request bodies and queries, and their conversion to the manager's values.

`scripts/openapi.py` writes the schemas of the bodies into docs/openapi.yaml: descriptions are for those who read it.
"""

from __future__ import annotations

import base64
import re
import signal
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from ...core import names, strict_json
from ...core.errors import BadRequest, TooLarge
from ...core.groups import OnFailure
from ...core.model import IfExists, TaskRequest, TimeWarning
from ...core.paths import CALL_MAX
from ...core.states import State
from ...core.sweeps import Mode
from ...core.turn import Dependency, Retry, Turn, When
from .. import output_lines
from ..sweeping import SweepRequest

_TEN_YEARS = 10 * 366 * 86400
_METADATA_MAX = 16 << 10
#: A control character, as Unicode has it (category Cc).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
#: Characters of base64 that are decoded at once.
_PIECE = 256 << 10


def _check_label(value: str) -> str:
    return _named(value, of_task=False)


def _check_name(value: str) -> str:
    return _named(value, of_task=True)


def _named(value: str, *, of_task: bool) -> str:
    fault = names.fault(value, of_task=of_task)
    if fault is not None:
        raise ValueError(fault)
    return value


def _check_no_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain NUL characters")
    return value


def _check_not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _check_env(value: dict[str, str]) -> dict[str, str]:
    for name, content in value.items():
        if not name or "=" in name or "\0" in name or "\0" in content:
            raise ValueError(f"{name!r} is not a valid variable")
    return value


def _check_signal(value: str) -> str:
    name = value.upper() if value.upper().startswith("SIG") else f"SIG{value.upper()}"
    if name not in signal.Signals.__members__:
        raise ValueError(f"{value} is not a valid signal")
    return name


def _check_metadata(value: dict[str, Any]) -> dict[str, Any]:
    if len(strict_json.encode(value)) > _METADATA_MAX:
        raise ValueError(f"must not be larger than {_METADATA_MAX} bytes")
    return value


def _check_gpus(value: float) -> float:
    if value >= 1 and not float(value).is_integer():
        raise ValueError("must be a whole number, or a share below 1")
    if 0 < value < 0.01:
        raise ValueError("must be at least 0.01")
    return value


def _check_moment(value: str) -> str:
    _seconds(value)
    return value


def _seconds(value: str) -> float:
    """Return the Unix time of a moment in ISO 8601, which must say its offset from UTC. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
    except ValueError as error:
        raise ValueError("must be a time such as 2026-07-01T22:00:00Z") from error
    if moment.tzinfo is None:
        raise ValueError("must end with Z or an offset such as +02:00")
    return moment.timestamp()


def _decoded(text: str) -> bytes:
    """Return the bytes of a function, in pieces: other threads take their turns. Raises BadRequest, TooLarge."""
    try:
        pieces = (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))
        data = b"".join(base64.b64decode(piece, validate=True) for piece in pieces)
    except ValueError as error:
        raise BadRequest(f"function: must be base64: {error}", field="function") from error
    if len(data) > CALL_MAX:
        raise TooLarge(f"function: has {len(data)} bytes; the limit is {CALL_MAX}", field="function")
    return data


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


def _whole(value: Any) -> Any:
    """Accept 40.0 as an integer, as JSON does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_ended(state: State) -> State:
    if state.live:
        raise ValueError("must be a state in which tasks have ended")
    return state


EndState = Literal["succeeded", "failed", "cancelled", "timed_out", "lost"]
_Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=names.LENGTH_MAX)]
_VISIBLE = "Printable characters, at least one of them visible"
Name = Annotated[_Short, AfterValidator(_check_name), Field(description=f"{_VISIBLE}; not `.` or `..`.")]
Label = Annotated[_Short, AfterValidator(_check_label), Field(description=f"{_VISIBLE}.")]
Text = Annotated[str, AfterValidator(_check_no_nul)]
Line = Annotated[Text, Field(min_length=1), AfterValidator(_check_not_blank)]
Arguments = Annotated[list[Text], Field(min_length=1)]
Command = Annotated[Line | Arguments, Field(description="A shell command line, or a list of arguments.")]
Directory = Annotated[Text, Field(description="Working directory, relative to the server's root directory.")]
Environment = Annotated[dict[str, str], AfterValidator(_check_env)]
Size = Annotated[int, Field(ge=1, le=1000), BeforeValidator(_whole)]
Grace = Annotated[float, Field(ge=0, le=3600, description="Grace period in seconds after each signal.")]
SignalName = Annotated[
    str, AfterValidator(_check_signal), Field(description="The name of a signal, with or without `SIG`.")
]
Ladder = Annotated[list[SignalName], Field(min_length=1, max_length=8, description="The signals of the stop sequence.")]
Tags = Annotated[list[Label], Field(max_length=32)]
Metadata = Annotated[
    dict[str, Any], AfterValidator(_check_metadata), Field(description="Free JSON, at most 16 KiB and 32 levels deep.")
]
Function = Annotated[
    str,
    Field(
        description=f"Call of a Python function, which `command` runs: base64 of at most {CALL_MAX} bytes.",
        json_schema_extra={"contentEncoding": "base64"},
    ),
]
Priority = Annotated[int, Field(ge=-1000, le=1000, description="Higher ones start first."), BeforeValidator(_whole)]
Slots = Annotated[
    int, Field(ge=1, le=1000, description="Slots of its group that the task takes."), BeforeValidator(_whole)
]
Gpus = Annotated[
    float,
    Field(ge=0, le=1000, description="Whole GPUs, or a share of one; if missing, what the group gives its tasks."),
    AfterValidator(_check_gpus),
]
GpuName = Annotated[str, StringConstraints(pattern=r"^(\d{1,3}|(GPU|MIG)-[0-9A-Za-z-/]{1,100})$")]
Moment = Annotated[
    str, AfterValidator(_check_moment), Field(description="Time (ISO 8601) before which the task does not start.")
]
Reason = Annotated[str, Field(max_length=1000, description="Why it is paused, in words.")]
Scalar = str | int | float | bool
Count = Annotated[int, Field(ge=0, le=100_000)]


def _example(**values: Any) -> ConfigDict:
    """Return the settings of a model of which this is an example."""
    return ConfigDict(json_schema_extra={"examples": [values]})


def _example_of_changes(**values: Any) -> ConfigDict:
    """Return the same for a model whose fields are not changed where they are not given: they have no defaults."""

    def describe(schema: dict[str, Any]) -> None:
        schema["examples"] = [values]
        for about in schema["properties"].values():
            about.pop("default", None)

    return ConfigDict(json_schema_extra=describe)


class Strict(BaseModel):
    """A query: values are text; unknown parameters are rejected."""

    model_config = ConfigDict(extra="forbid")


class Body(Strict):
    """A JSON body: types are strict, and unknown fields are rejected."""

    model_config = ConfigDict(strict=True)


class Empty(Body):
    """A request without fields."""

    model_config = _example()


class Warn(Body):
    """A signal before the time limit; requires `timeout`."""

    signal: SignalName
    before: Annotated[
        float, Field(gt=0, le=_TEN_YEARS, description="Seconds before the time limit; less than `timeout`.")
    ]


class After(Body):
    """A task that must have ended before another one starts."""

    ref: Annotated[str, Field(min_length=1, description="An id or a name.")]
    when: Annotated[When, Field(strict=False, description="How it must have ended.")] = When.OK


class Retries(Body):
    """How a task that failed is run again: `max` times at most, after `delay` seconds times `factor` for each earlier
    retry, `most` seconds at most. `on` are states or exit codes; empty: every end but success and cancellation.
    """

    max: Annotated[int, Field(ge=1, le=1000, description="Retries at most."), BeforeValidator(_whole)]
    delay: Annotated[float, Field(ge=0, le=_TEN_YEARS, description="Seconds until the first retry.")] = 0.0
    factor: Annotated[float, Field(ge=1, le=1000, description="How much longer each delay is.")] = 2.0
    most: Annotated[float, Field(ge=0, le=_TEN_YEARS, description="The longest delay, in seconds.")] = 3600.0
    on: Annotated[list[Annotated[int, Field(ge=0, le=255)] | EndState], Field(max_length=32)] = []

    def retry(self) -> Retry:
        """Return the value for the queue."""
        return Retry(
            limit=self.max,
            delay=self.delay,
            factor=self.factor,
            longest=self.most,
            states=frozenset(State(one) for one in self.on if isinstance(one, str)),
            codes=frozenset(one for one in self.on if isinstance(one, int)),
        )


class Waiting(Body):
    """What a task waits for, in `POST /tasks` and `PATCH /tasks/{ref}`."""

    priority: Priority = 0
    slots: Slots = 1
    gpus: Gpus | None = None
    after: Annotated[list[str | After], Field(max_length=1000, description="Tasks that must have ended before.")] = []
    not_before: Moment | None = None
    retry: Annotated[Retries | None, Field(description="Run the task again if it fails.")] = None

    def turn(self, usual: Turn | None = None) -> Turn:
        """Return the value for the queue; what is not given is as `usual`. Its dependencies may be names."""
        given: dict[str, Any] = {
            name: getattr(self, name) for name in ("priority", "slots", "gpus") if name in self.model_fields_set
        }
        if "after" in self.model_fields_set:
            refs = [After(ref=one) if isinstance(one, str) else one for one in self.after]
            given["after"] = tuple(Dependency(one.ref, one.when) for one in refs)
        if "not_before" in self.model_fields_set:
            given["not_before"] = None if self.not_before is None else _seconds(self.not_before)
        if "retry" in self.model_fields_set:
            given["retry"] = None if self.retry is None else self.retry.retry()
        return replace(usual or Turn(), **given)


class TaskOptions(Waiting):
    """What `POST /tasks` and `POST /sweeps` have in common."""

    name: Name | None = None
    cwd: Directory | None = None
    env: Environment = {}
    rows: Size | None = None
    cols: Size | None = None
    group: Label = "default"
    tags: Tags = []
    timeout: Annotated[float, Field(gt=0, le=_TEN_YEARS, description="Time limit in seconds.")] | None = None
    timeout_warning: Warn | None = None
    stop_grace: Grace | None = None
    stop_signals: Ladder | None = None
    metadata: Metadata = {}
    function: Function | None = None
    hold: Annotated[bool, Field(description="Do not start the task until it is released.")] = False

    def task(self, command: str | list[str] | None, ladder: tuple[tuple[str, float], ...] | None) -> TaskRequest:
        """Return the manager's value; `ladder` is the stop sequence. Raises BadRequest."""
        warning = self.timeout_warning
        if warning is not None and self.timeout is None:
            raise BadRequest("timeout_warning: requires a timeout", field="timeout_warning")
        if warning is not None and self.timeout is not None and warning.before >= self.timeout:
            raise BadRequest("timeout_warning.before: must be less than timeout", field="timeout_warning.before")
        if self.function is not None and command is None:
            raise BadRequest("function: requires a command that runs it", field="function")
        return TaskRequest(
            command=command,
            name=self.name,
            cwd=self.cwd,
            env=self.env,
            rows=self.rows,
            cols=self.cols,
            group=self.group,
            tags=tuple(dict.fromkeys(self.tags)),
            timeout=self.timeout,
            warning=TimeWarning(warning.signal, warning.before) if warning is not None else None,
            ladder=ladder,
            metadata=self.metadata,
            hold=self.hold,
            turn=self.turn(),
            function=None if self.function is None else _decoded(self.function),
        )


#: What can be changed of a task at any time.
_LABELS = {"name", "tags", "group", "metadata", "pinned"}


class NewTask(TaskOptions):
    """`POST /tasks`."""

    model_config = _example(
        command="python train.py --lr 1e-3", name="train", cwd="runs", env={"SEED": "1"}, tags=["gpu"], timeout=86400,
        timeout_warning={"signal": "SIGUSR1", "before": 300}, stop_grace=10, if_exists="return",
    )  # fmt: skip

    command: Annotated[Command | None, Field(description="If missing or null, an interactive shell.")] = None
    if_exists: Annotated[IfExists, Field(strict=False, description="What to do if a live task has the same name.")] = (
        IfExists.NEW
    )

    def request(self, ladder: tuple[tuple[str, float], ...] | None) -> TaskRequest:
        """Return the manager's value; `ladder` is the stop sequence. Raises BadRequest, TooLarge."""
        return replace(self.task(self.command, ladder), if_exists=self.if_exists)


class NewSweep(TaskOptions):
    """`POST /sweeps`: a task for each combination of parameters, at most 1000. Its name is the first part of theirs."""

    model_config = _example(
        command="python train.py --lr {lr} --seed {seed}", params={"lr": [0.001, 0.0001], "seed": "0:5"}, name="train",
        group="gpu", max_failures=3,
    )  # fmt: skip

    command: Annotated[
        Line | Arguments,
        Field(description="A shell command line, or a list of arguments, with placeholders such as `{lr}`."),
    ]
    params: Annotated[
        dict[str, list[Scalar] | str],
        Field(min_length=1, max_length=32, description="The values of each parameter: a list, or `1e-3,1e-4`, `0:5`."),
    ]
    mode: Annotated[
        Mode, Field(strict=False, description="How values are combined; `random` draws `count` of all.")
    ] = Mode.GRID
    count: Annotated[
        Annotated[int, Field(ge=1), BeforeValidator(_whole)] | None, Field(description="Tasks of a random sweep.")
    ] = None
    random_seed: Annotated[
        Annotated[int, Field(ge=0, le=2**53 - 1), BeforeValidator(_whole)] | None,
        Field(description="Draws the same tasks again; by default a new one is used."),
    ] = None
    max_failures: Annotated[
        Annotated[int, Field(ge=1), BeforeValidator(_whole)] | None,
        Field(description="After so many failed tasks, those that have not started are canceled."),
    ] = None

    def sweep(self, ladder: tuple[tuple[str, float], ...] | None) -> SweepRequest:
        """Return the manager's value; `ladder` is the stop sequence. Raises BadRequest."""
        return SweepRequest(
            task=self.task(self.command, ladder),
            params=self.params,
            mode=self.mode,
            count=self.count,
            random_seed=self.random_seed,
            max_failures=self.max_failures,
        )


class SweepRetry(Body):
    """`POST /sweeps/{ref}/retry`."""

    model_config = _example(states=["failed", "lost"])

    states: Annotated[
        list[Annotated[State, Field(strict=False), AfterValidator(_check_ended)]],
        Field(min_length=1, max_length=len(State), description="Tasks in these states run again."),
    ] = [State.FAILED, State.TIMED_OUT, State.LOST]


class ChangedTask(Waiting):
    """`PATCH /tasks/{ref}`; fields that are not given are not changed. What a task runs and what it waits for can be
    changed until it starts.
    """

    model_config = _example_of_changes(name="train-2", tags=["gpu", "best"], pinned=True)

    name: Name = Field(default="")
    tags: Tags = []
    group: Label = Field(default="")
    metadata: Metadata = {}
    pinned: bool = False
    command: Command = Field(default="")
    cwd: Directory = Field(default="")
    env: Environment = {}

    @property
    def revises(self) -> bool:
        """Whether something is given that can be changed until the task starts."""
        return not self.model_fields_set <= _LABELS

    def revise(self, request: TaskRequest) -> TaskRequest:
        """Return a request with the fields that are given and can be changed until a task starts."""
        given = {name: getattr(self, name) for name in self.model_fields_set & {"command", "cwd", "env"}}
        return replace(request, turn=self.turn(request.turn), **given)

    def changes(self) -> dict[str, Any]:
        """Return the fields that are given and can be changed at any time, as fields of a task."""
        said = self.model_dump(include=self.model_fields_set & _LABELS)
        if "tags" in said:
            said["tags"] = tuple(dict.fromkeys(said["tags"]))
        return said


class Move(Body):
    """`POST /tasks/{ref}/move`: exactly one field."""

    model_config = _example(before="report")

    before: Annotated[str | None, Field(min_length=1, description="A pending task of the same group: id or name.")] = (
        None
    )
    after: Annotated[str | None, Field(min_length=1, description="A pending task of the same group: id or name.")] = (
        None
    )
    to: Annotated[Literal["first", "last"] | None, Field(description="Before or after all others of the group.")] = None

    def where(self) -> tuple[str | None, bool]:
        """Return the task (None: all others), and whether the place is after it. Raises BadRequest."""
        if sum(one is not None for one in (self.before, self.after, self.to)) != 1:
            raise BadRequest("one of before, after, to is required", field="to")
        return self.before or self.after, self.after is not None or self.to == "last"


class NewGroup(Body):
    """`PUT /groups/{name}`; fields that are not given are not changed. A new group has one slot."""

    model_config = _example_of_changes(slots=4, gpus="all", on_failure="pause")

    slots: Annotated[
        Annotated[int, Field(ge=0, le=100_000), BeforeValidator(_whole)] | None,
        Field(description="How many run at a time; null for any number, 0 to start no more."),
    ] = 1
    gpus: Annotated[
        Literal["all"] | Annotated[list[GpuName], Field(min_length=1, max_length=100)] | None,
        Field(description="GPUs for its tasks, by index or UUID, the best ones first; null: only those that ask."),
    ] = None
    per_gpu: Annotated[
        int, Field(ge=1, le=100, description="How many of its tasks share a GPU."), BeforeValidator(_whole)
    ] = 1
    on_failure: Annotated[
        OnFailure, Field(strict=False, description="What the failure of a task does to those that wait.")
    ] = OnFailure.CONTINUE
    paused: bool = False
    reason: Reason = ""

    def changes(self) -> dict[str, Any]:
        """Return the given fields, as fields of a group."""
        said = self.model_dump(include=self.model_fields_set)
        if said.get("gpus") is not None:
            said["gpus"] = () if said["gpus"] == "all" else tuple(said["gpus"])
        return said


class GroupName(Strict):
    """The name of a group, in a path."""

    name: Label


class GroupPause(Body):
    """`POST /groups/{name}/pause` and `resume`."""

    model_config = _example(tasks=True, reason="driver update")

    tasks: Annotated[bool, Field(description="Pause, or continue, the tasks that run as well.")] = False
    reason: Reason = ""


class Stop(Body):
    """`POST /tasks/{ref}/stop` and `restart`."""

    model_config = _example(grace=10, signals=["SIGINT", "SIGTERM", "SIGKILL"])

    grace: Grace | None = None
    signals: Ladder | None = None


class Signal(Body):
    """`POST /tasks/{ref}/signal`."""

    model_config = _example(signal="SIGUSR1", target="tree")

    signal: SignalName
    target: Literal["foreground", "tree", "leader"] = "tree"


class Again(Body):
    """`POST /tasks/{ref}/again`."""

    model_config = _example(name="train-2")

    name: Annotated[Name | None, Field(description="Name of the new task; by default the same.")] = None


class Input(Body):
    """`POST /tasks/{ref}/input`. By default, Enter follows text without control characters: `y` is an answer, while
    Ctrl-C, or a line with its line end, is complete.
    """

    model_config = _example(data="y", newline=True)

    data: str = ""
    newline: Annotated[bool | None, Field(description="Whether to press Enter after it.")] = None

    @property
    def typed(self) -> bytes:
        """The bytes to type."""
        enter = self.newline if self.newline is not None else _CONTROL.search(self.data) is None
        return (self.data + "\r" * enter).encode()


class Resize(Body):
    """`POST /tasks/{ref}/resize`."""

    model_config = _example(rows=40, cols=120)

    rows: Size
    cols: Size


class NewTerminal(BaseModel):
    """`POST /terminals`, the stock model; other fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"cwd": "runs"}]})

    name: Name | None = None
    cwd: Text | None = None


class TaskFilter(Strict):
    """The query of `GET /tasks`."""

    state: Annotated[list[State], BeforeValidator(_split)] = []
    name: str | None = None
    group: str | None = None
    tag: str | None = None
    sweep: str | None = None
    q: str | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000
    cursor: str | None = None


class Wait(Strict):
    """The query of `GET /tasks/{ref}/wait`; the default is below the timeouts of proxies."""

    timeout: Annotated[float, Field(ge=0)] = 55.0


class Removal(Strict):
    """The query of `DELETE /tasks/{ref}`."""

    stop: bool = False
    force: bool = False


class OutputQuery(Strict):
    """The query of `GET /tasks/{ref}/output`."""

    since: Annotated[int, Field(ge=0)] = 0
    mode: output_lines.Mode = output_lines.Mode.FULL
    head_lines: Count = 50
    tail_lines: Count = 50
    max_lines: Annotated[int, Field(ge=1, le=100_000)] = 1000
    grep: Annotated[str, Field(max_length=1000)] | None = None
    ansi: Literal["strip", "keep"] = "strip"
    final: bool = False

    def query(self) -> output_lines.Query:
        """Return the value for `output_lines`."""
        said = self.model_dump(exclude={"ansi"})
        return output_lines.Query(**said, keep_ansi=self.ansi == "keep")


class RawQuery(Strict):
    """The query of `GET /tasks/{ref}/output/raw`."""

    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=0)] | None = None
    download: bool = False
