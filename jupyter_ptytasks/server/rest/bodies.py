"""The models of request bodies that start tasks and terminals, and their conversion to values of the server.

`scripts/openapi.py` writes the schemas of all bodies into docs/openapi.yaml, including these descriptions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ...core import resources
from ...core.errors import BadRequest
from ...core.metrics import Settings
from ...core.model import IfExists, TaskRequest, TimeWarning
from ...core.names import LOCAL
from ...core.queue.turn import Dependency, Retry, Turn, When
from ...core.states import State
from .fields import (
    TEN_YEARS,
    Command,
    Directory,
    EndState,
    Environment,
    Function,
    Gpus,
    Grace,
    Label,
    Ladder,
    Metadata,
    Moment,
    Name,
    Place,
    Priority,
    SignalName,
    Size,
    Slots,
    Tags,
    Text,
    check_pattern,
    decoded,
    example,
    seconds,
    whole,
)
from .queries import Strict


class Body(Strict):
    """A JSON body: types are strict, and unknown fields are rejected."""

    model_config = ConfigDict(strict=True)


class Empty(Body):
    """A request without fields."""

    model_config = example()


class Warn(Body):
    """A signal before the time limit; requires `timeout`."""

    signal: SignalName
    before: Annotated[
        float, Field(gt=0, le=TEN_YEARS, description="Seconds before the time limit; less than `timeout`.")
    ]


class AfterRef(Body):
    """A task that must end before another one starts."""

    ref: Annotated[str, Field(min_length=1, description="An id or a name.")]
    when: Annotated[When, Field(strict=False, description="How it must have ended.")] = When.OK


class Retries(Body):
    """How a failed task is retried: at most `max` times, after `delay` seconds times `factor` for each earlier retry,
    at most `most` seconds. `on` are states or exit codes; empty: all except success and cancellation.
    """

    max: Annotated[int, Field(ge=1, le=1000, description="Maximum number of retries."), BeforeValidator(whole)]
    delay: Annotated[float, Field(ge=0, le=TEN_YEARS, description="Seconds until the first retry.")] = 30.0
    factor: Annotated[float, Field(ge=1, le=1000, description="The factor by which each delay grows.")] = 2.0
    most: Annotated[float, Field(ge=0, le=TEN_YEARS, description="The longest delay, in seconds.")] = 3600.0
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
    """What a task waits for, in `POST /tasks`, `PATCH /tasks/{ref}` and `POST /tasks/{ref}/again`."""

    priority: Priority = 0
    slots: Slots = 1
    gpus: Gpus | None = None
    after: Annotated[list[str | AfterRef], Field(max_length=1000, description="Tasks that must end first.")] = []
    not_before: Moment | None = None
    retry: Annotated[Retries | None, Field(description="Run the task again if it fails.")] = None

    def turn(self, usual: Turn | None = None) -> Turn:
        """Return the value for the queue; fields that are not given are from `usual`. Dependencies may be names."""
        given: dict[str, Any] = {
            name: getattr(self, name) for name in ("priority", "slots", "gpus") if name in self.model_fields_set
        }
        if "after" in self.model_fields_set:
            refs = [AfterRef(ref=one) if isinstance(one, str) else one for one in self.after]
            given["after"] = tuple(Dependency(one.ref, one.when) for one in refs)
        if "not_before" in self.model_fields_set:
            given["not_before"] = None if self.not_before is None else seconds(self.not_before)
        if "retry" in self.model_fields_set:
            given["retry"] = None if self.retry is None else self.retry.retry()
        return replace(usual or Turn(), **given)


class HowMetrics(Body):
    """How the metrics of a task are read from its output (docs/metrics.md)."""

    pattern: Annotated[
        str,
        Field(max_length=1000, description="A regular expression: each named group is a metric, or the `step`."),
        AfterValidator(check_pattern),
    ] = ""
    include: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=128)]],
        Field(max_length=64, description="The names that count; empty: all."),
    ] = []
    off: Annotated[bool, Field(description="Read only what the program logs.")] = False

    def told(self) -> dict[str, Any]:
        """Return the settings as in a spec."""
        return Settings(self.pattern, tuple(self.include), self.off).to_json()


class ResourceRequest(Body):
    """Resources that a task requests from a batch system (`GET /places/{name}/options`)."""

    model_config = example(cpus=4, memory="16G", gpus="a100:2", time="2h", partition="gpu")

    cpus: Annotated[int | None, Field(ge=1, description="CPUs on each node."), BeforeValidator(whole)] = None
    memory: Annotated[str | None, Field(description="Memory on each node, such as `16G` or `512M`.")] = None
    gpus: Annotated[int | str | None, Field(description="GPUs: a number, or a type and a number such as `a100:2`.")] = (
        None
    )
    time: Annotated[
        float | str | None, Field(description="Time limit: seconds, `2h`, `1h30m`, `2:00:00` or `1-12:00:00`.")
    ] = None
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    nodes: Annotated[
        int | None, Field(ge=1, description="Nodes; the command runs on the first."), BeforeValidator(whole)
    ] = None
    reservation: str | None = None
    begin: Annotated[str | None, Field(description="When to start at the earliest, such as `now+1hour`.")] = None
    requeue: Annotated[bool | None, Field(description="Whether the batch system may requeue the job.")] = None
    extra: Annotated[
        list[str] | None, Field(description="More options of the batch system, such as `--exclusive`.")
    ] = None


class TaskOptions(Waiting):
    """What `POST /tasks` and `POST /sweeps` have in common."""

    name: Name | None = None
    cwd: Directory | None = None
    env: Environment = {}
    rows: Size | None = None
    cols: Size | None = None
    group: Label = "default"
    tags: Tags = []
    timeout: Annotated[float, Field(gt=0, le=TEN_YEARS, description="Time limit in seconds.")] | None = None
    timeout_warning: Warn | None = None
    stop_grace: Grace | None = None
    stop_signals: Ladder | None = None
    metadata: Metadata = {}
    metrics: Annotated[HowMetrics | None, Field(description="How metrics are read from its output.")] = None
    function: Function | None = None
    place: Annotated[Place, Field(description="Where it runs; see `GET /places`.")] = "local"
    resources: Annotated[ResourceRequest | None, Field(description="Resources to request there.")] = None
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
            metrics={} if self.metrics is None else self.metrics.told(),
            function=None if self.function is None else decoded(self.function),
            place="" if self.place == LOCAL else self.place,
            resources={} if self.resources is None else resources.check(self.resources.model_dump()),
        )


class NewTask(TaskOptions):
    """`POST /tasks`."""

    model_config = example(
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


class NewTerminal(BaseModel):
    """`POST /terminals`, the stock model; other fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"cwd": "runs"}]})

    name: Name | None = None
    cwd: Text | None = None
