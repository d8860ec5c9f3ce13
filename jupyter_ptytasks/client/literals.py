"""Types of single values in requests and responses, and additional keywords of their JSON schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable


class Says:
    """Additional keywords in the JSON schema of a value."""

    def __init__(self, **said: Any) -> None:
        self._said = said

    def __get_pydantic_json_schema__(self, schema: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {**handler(schema), **self._said}


Command = (
    Annotated[str, Says(minLength=1, description="A shell command line.")]
    | Annotated[list[str], Says(minItems=1, description="A list of arguments.")]
)
IfExists = Literal["new", "return", "restart", "fail"]
Target = Literal["foreground", "tree", "leader"]
Until = Literal["exit", "waiting", "match", "quiet", "progress", "output"]
Mode = Literal["full", "head", "tail", "head-tail"]
Ansi = Literal["strip", "keep"]
WarningKind = Literal["stalled", "not_a_number"]
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
Place = Literal["first", "last"]
Better = Literal["lower", "higher"]
SweepMode = Literal["grid", "zip", "random"]
#: The values of `code` in our errors; others are `http_` and a status.
ErrorCode = Literal[
    "bad_request",
    "spawn_failed",
    "too_large",
    "task_not_found",
    "group_not_found",
    "sweep_not_found",
    "place_not_found",
    "no_result",
    "conflict",
    "name_in_use",
    "invalid_state",
    "input_refused",
    "not_waiting",
    "password_wanted",
    "no_marks",
    "not_at_prompt",
    "notes_changed",
    "too_many_tasks",
    "extra_missing",
    "internal_error",
    "host_unreachable",
    "place_unreachable",
    "out_of_resources",
    "disabled",
    "store_unavailable",
    "storage_full",
]
#: A parameter value.
Scalar = str | int | float | bool
Id = Annotated[str, Says(pattern="^[a-z0-9]{8,16}$")]
Name = Annotated[str, Says(minLength=1, maxLength=128)]
Time = Annotated[str, Says(format="date-time")]
#: From 0, and from 1.
Count = Annotated[int, Says(minimum=0)]
Number = Annotated[int, Says(minimum=1)]
Size = Annotated[int, Says(minimum=1, maximum=1000)]


class Warn(TypedDict):
    """In requests: a signal that is sent `before` seconds before the time limit."""

    signal: str
    before: float


class HowMetricsAreRead(TypedDict, total=False):
    """How the metrics of a task are read, in requests (docs/metrics.md)."""

    pattern: str
    """A regular expression: each named group is a metric, or the `step`."""
    include: list[str]
    """The names that count; empty: all."""
    off: bool
    """Read only what the program logs."""
