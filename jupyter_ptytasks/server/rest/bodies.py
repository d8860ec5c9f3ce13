"""The models of request bodies and queries, and their conversion to the manager's values.

`scripts/openapi.py` writes the schemas of the bodies into docs/openapi.yaml: descriptions are for those who read it.
"""

from __future__ import annotations

import re
import signal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from ...core import names, strict_json
from ...core.errors import BadRequest
from ...core.model import IfExists, TaskRequest, TimeWarning
from ...core.states import State
from ..output_lines import Mode, Query

_TEN_YEARS = 10 * 366 * 86400
_METADATA_MAX = 16 << 10
#: A control character, as Unicode has it (category Cc).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


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


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


def _whole(value: Any) -> Any:
    """Accept 40.0 as an integer, as JSON does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=names.LENGTH_MAX)]
_VISIBLE = "Printable characters, at least one of them visible"
Name = Annotated[_Short, AfterValidator(_check_name), Field(description=f"{_VISIBLE}; not `.` or `..`.")]
Label = Annotated[_Short, AfterValidator(_check_label), Field(description=f"{_VISIBLE}.")]
Text = Annotated[str, AfterValidator(_check_no_nul)]
Line = Annotated[Text, Field(min_length=1), AfterValidator(_check_not_blank)]
Arguments = Annotated[list[Text], Field(min_length=1)]
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
Count = Annotated[int, Field(ge=0, le=100_000)]


def _example(**values: Any) -> ConfigDict:
    """Return the settings of a model of which this is an example."""
    return ConfigDict(json_schema_extra={"examples": [values]})


def _example_of_changes(**values: Any) -> ConfigDict:
    """Return the same for a model whose fields are not changed where they are not given: they have no defaults."""

    def describe(schema: dict[str, Any]) -> None:
        schema["examples"] = [values]
        for about in schema["properties"].values():
            del about["default"]

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


class NewTask(Body):
    """`POST /tasks`."""

    model_config = _example(
        command="python train.py --lr 1e-3", name="train", cwd="runs", env={"SEED": "1"}, tags=["gpu"], timeout=86400,
        timeout_warning={"signal": "SIGUSR1", "before": 300}, stop_grace=10, if_exists="return",
    )  # fmt: skip

    command: Annotated[
        Line | Arguments | None,
        Field(description="A shell command line, or a list of arguments; if missing or null, an interactive shell."),
    ] = None
    name: Name | None = None
    cwd: Annotated[Text | None, Field(description="Working directory, relative to the server's root directory.")] = None
    env: Annotated[dict[str, str], AfterValidator(_check_env)] = {}
    rows: Size | None = None
    cols: Size | None = None
    group: Label = "default"
    tags: Tags = []
    timeout: Annotated[float, Field(gt=0, le=_TEN_YEARS, description="Time limit in seconds.")] | None = None
    timeout_warning: Warn | None = None
    stop_grace: Grace | None = None
    stop_signals: Ladder | None = None
    if_exists: Annotated[IfExists, Field(strict=False, description="What to do if a live task has the same name.")] = (
        IfExists.NEW
    )
    metadata: Metadata = {}

    def request(self, ladder: tuple[tuple[str, float], ...] | None) -> TaskRequest:
        """Return the manager's value; `ladder` is the stop sequence. Raises BadRequest."""
        warning = self.timeout_warning
        if warning is not None and self.timeout is None:
            raise BadRequest("timeout_warning: requires a timeout", field="timeout_warning")
        if warning is not None and self.timeout is not None and warning.before >= self.timeout:
            raise BadRequest("timeout_warning.before: must be less than timeout", field="timeout_warning.before")
        return TaskRequest(
            command=self.command,
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
            if_exists=self.if_exists,
            metadata=self.metadata,
        )


class ChangedTask(Body):
    """`PATCH /tasks/{ref}`; fields that are not given are not changed."""

    model_config = _example_of_changes(name="train-2", tags=["gpu", "best"], pinned=True)

    name: Name = Field(default="")
    tags: Tags = []
    group: Label = Field(default="")
    metadata: Metadata = {}
    pinned: bool = False

    def changes(self) -> dict[str, Any]:
        """Return the given fields, as fields of a task."""
        said = self.model_dump(include=self.model_fields_set)
        if "tags" in said:
            said["tags"] = tuple(dict.fromkeys(said["tags"]))
        return said


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
    mode: Mode = Mode.FULL
    head_lines: Count = 50
    tail_lines: Count = 50
    max_lines: Annotated[int, Field(ge=1, le=100_000)] = 1000
    grep: Annotated[str, Field(max_length=1000)] | None = None
    ansi: Literal["strip", "keep"] = "strip"
    final: bool = False

    def query(self) -> Query:
        """Return the value for `output_lines`."""
        said = self.model_dump(exclude={"ansi"})
        return Query(**said, keep_ansi=self.ansi == "keep")


class RawQuery(Strict):
    """The query of `GET /tasks/{ref}/output/raw`."""

    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=0)] | None = None
    download: bool = False
