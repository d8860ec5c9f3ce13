"""The types of fields in requests, and their validation."""

from __future__ import annotations

import base64
import signal
from datetime import datetime
from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from ...core import names, strict_json
from ...core.errors import BadRequest, TooLarge
from ...core.labels import TAGS_MAX
from ...core.paths import CALL_MAX
from ...core.terminal import keys

TEN_YEARS = 10 * 366 * 86400
_METADATA_MAX = 16 << 10
#: Characters of base64 that are decoded at a time.
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


def _check_changed_env(value: dict[str, str | None]) -> dict[str, str | None]:
    _check_env({name: text or "" for name, text in value.items()})
    return value


def _check_keys(value: list[str]) -> list[str]:
    keys.encode(value)
    return value


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
    seconds(value)
    return value


def seconds(value: str) -> float:
    """Return the Unix time of an ISO 8601 time, which must have a UTC offset. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
    except ValueError as error:
        raise ValueError("must be a time such as 2026-07-01T22:00:00Z") from error
    if moment.tzinfo is None:
        raise ValueError("must end with Z or an offset such as +02:00")
    return moment.timestamp()


def decoded(text: str) -> bytes:
    """Return the bytes of a function, decoded in pieces so that other threads can run. Raises BadRequest, TooLarge."""
    try:
        pieces = (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))
        data = b"".join(base64.b64decode(piece, validate=True) for piece in pieces)
    except ValueError as error:
        raise BadRequest(f"function: must be base64: {error}", field="function") from error
    if len(data) > CALL_MAX:
        raise TooLarge(f"function: has {len(data)} bytes; the limit is {CALL_MAX}", field="function")
    return data


def check_pattern(pattern: str) -> str:
    """Return a regular expression that names groups, or is empty."""
    try:
        groups = regex.compile(pattern).groupindex
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if pattern and not groups:
        raise ValueError("must have named groups, such as (?P<loss>\\S+)")
    return pattern


def whole(value: Any) -> Any:
    """Accept 40.0 as an integer, as JSON does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


EndState = Literal["succeeded", "failed", "cancelled", "timed_out", "lost"]
_Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=names.LENGTH_MAX)]
_VISIBLE = "Printable characters, at least one of them visible"
Name = Annotated[_Short, AfterValidator(_check_name), Field(description=f"{_VISIBLE}; not `.` or `..`.")]
Label = Annotated[_Short, AfterValidator(_check_label), Field(description=f"{_VISIBLE}.")]
Place = Annotated[_Short, AfterValidator(_check_label)]
Text = Annotated[str, AfterValidator(_check_no_nul)]
Line = Annotated[Text, Field(min_length=1), AfterValidator(_check_not_blank)]
Arguments = Annotated[list[Text], Field(min_length=1)]
Command = Annotated[Line | Arguments, Field(description="A shell command line, or a list of arguments.")]
Directory = Annotated[Text, Field(description="Working directory, relative to the server's root directory.")]
Environment = Annotated[dict[str, str], AfterValidator(_check_env)]
ChangedEnvironment = Annotated[
    dict[str, str | None],
    AfterValidator(_check_changed_env),
    Field(description="Variables to add or replace; null removes one."),
]
Size = Annotated[int, Field(ge=1, le=1000), BeforeValidator(whole)]
Grace = Annotated[float, Field(ge=0, le=3600, description="Grace period in seconds after each signal.")]
SignalName = Annotated[
    str, AfterValidator(_check_signal), Field(description="The name of a signal, with or without `SIG`.")
]
Keys = Annotated[
    list[Annotated[str, Field(max_length=1000)]], Field(min_length=1, max_length=1000), AfterValidator(_check_keys)
]
Ladder = Annotated[list[SignalName], Field(min_length=1, max_length=8, description="The signals of the stop sequence.")]
Tags = Annotated[list[Label], Field(max_length=TAGS_MAX)]
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
Priority = Annotated[int, Field(ge=-1000, le=1000, description="Higher ones start first."), BeforeValidator(whole)]
Slots = Annotated[
    int, Field(ge=1, le=1000, description="Slots of its group that the task uses."), BeforeValidator(whole)
]
Gpus = Annotated[
    float,
    Field(ge=0, le=1000, description="Whole GPUs, or a share of one; by default as configured in the group."),
    AfterValidator(_check_gpus),
]
GpuName = Annotated[str, StringConstraints(pattern=r"^(\d{1,3}|(GPU|MIG)-[0-9A-Za-z-/]{1,100})$")]
Moment = Annotated[
    str, AfterValidator(_check_moment), Field(description="Time (ISO 8601) before which the task does not start.")
]
Reason = Annotated[str, Field(max_length=1000, description="Why it is paused, in words.")]
Scalar = str | int | float | bool


def example(**values: Any) -> ConfigDict:
    """Return the configuration of a model with this example."""
    return ConfigDict(json_schema_extra={"examples": [values]})


def example_of_changes(**values: Any) -> ConfigDict:
    """Return the same for a model of changes, whose fields have no defaults."""

    def describe(schema: dict[str, Any]) -> None:
        schema["examples"] = [values]
        for about in schema["properties"].values():
            about.pop("default", None)

    return ConfigDict(json_schema_extra=describe)
