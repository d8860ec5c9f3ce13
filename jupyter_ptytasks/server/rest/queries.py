"""The models of query parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ...core.errors import BadRequest
from ...core.metrics.series import KEPT
from ...core.states import State
from .. import cleaning, conditions, output_lines, searching
from ..monitor.metrics import Wanted
from ..serialize import FIELDS
from ..terminals.replay import LINES
from .fields import EndState, Moment, seconds
from .order import checked

Until = Literal["exit", "waiting", "match", "quiet", "progress", "output"]
Warned = Literal["stalled", "not_a_number"]
Count = Annotated[int, Field(ge=0, le=100_000)]


class Strict(BaseModel):
    """A query: values are text; unknown parameters are rejected."""

    model_config = ConfigDict(extra="forbid")

    #: Fields that may be looked for here, and where they are.
    elsewhere: ClassVar[Mapping[str, str]] = {}


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


def _known(fields: list[str]) -> list[str]:
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        raise ValueError(f"tasks have no field {unknown[0][:100]!r}")
    return fields


class TaskFilter(Strict):
    """The query of `GET /tasks`."""

    state: Annotated[list[State], BeforeValidator(_split)] = []
    name: str | None = None
    group: str | None = None
    tag: str | None = None
    sweep: str | None = None
    q: str | None = None
    since: Moment | None = None
    warning: Annotated[list[Warned], BeforeValidator(_split)] = []
    sort: Annotated[str, AfterValidator(checked)] | None = None
    fields: Annotated[list[str], BeforeValidator(_split), AfterValidator(_known)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000
    cursor: str | None = None


class Changes(Strict):
    """The query of `GET /changes`."""

    since: str
    active: bool = False


class SearchQuery(Strict):
    """The query of `GET /search`."""

    q: Annotated[str, Field(min_length=1, max_length=1000)]
    regex: bool = False
    ignore_case: bool = False
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000
    tasks: Annotated[list[str], BeforeValidator(_split), Field(max_length=100)] | None = None
    state: Annotated[list[State], BeforeValidator(_split)] = []
    group: str | None = None
    tag: str | None = None
    task_q: str | None = None
    since: Moment | None = None
    warning: Annotated[list[Warned], BeforeValidator(_split)] = []

    def wanted(self) -> searching.Wanted:
        """Return the value for `searching`."""
        return searching.Wanted(self.q, self.regex, self.ignore_case, self.limit)

    def filter(self) -> TaskFilter:
        """Return which tasks to search."""
        return TaskFilter(
            state=self.state, group=self.group, tag=self.tag, q=self.task_q, since=self.since, warning=self.warning
        )


class CleanUpQuery(Strict):
    """The query of `GET /cleanup`."""

    older_than: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    state: Annotated[list[EndState], BeforeValidator(_split)] = []
    keep: Annotated[int, Field(ge=0)] = 0
    keep_best: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    better: Literal["lower", "higher"] | None = None
    group: str | None = None
    tag: str | None = None
    sweep: str | None = None
    q: str | None = None

    def rules(self) -> cleaning.Rules:
        """Return the value for `cleaning`. Raises BadRequest."""
        if self.better is not None and self.keep_best is None:
            raise BadRequest("better: needs keep_best, the name of a metric", field="better")
        return cleaning.Rules(
            older_than=self.older_than,
            states=frozenset(map(State, self.state)),
            keep=self.keep,
            best=self.keep_best,
            lower=None if self.better is None else self.better == "lower",
        )

    def filter(self) -> TaskFilter:
        """Return which tasks the rules apply to."""
        return TaskFilter(group=self.group, tag=self.tag, sweep=self.sweep, q=self.q)


class Difference(Strict):
    """The query of `GET /tasks/{ref}/diff`."""

    other: Annotated[str | None, Field(alias="with", min_length=1)] = None


class Wait(Strict):
    """The query of `GET /tasks/{ref}/wait`; the default is below the timeouts of proxies."""

    until: Annotated[list[Until], BeforeValidator(_split)] = []
    match: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    since: Annotated[int, Field(ge=0)] | None = None
    quiet: Annotated[float, Field(ge=0.1, le=86400)] = 3.0
    offset: Annotated[int, Field(ge=0)] | None = None
    timeout: Annotated[float, Field(ge=0)] = 55.0

    def condition(self, most: float) -> conditions.Condition:
        """Return the value for `conditions`, with a timeout of at most `most` seconds. Raises BadRequest."""
        if self.match is None and "match" in self.until:
            raise BadRequest("match: is needed to wait until a line matches", field="match")
        until = {conditions.Reason(name) for name in self.until}
        if self.match is not None:
            until.add(conditions.Reason.MATCH)
        return conditions.Condition(
            until=frozenset(until),
            timeout=min(self.timeout, most),
            match=self.match,
            since=self.since,
            quiet=self.quiet,
            offset=self.offset,
        )


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
    times: bool = False

    def query(self) -> output_lines.Query:
        """Return the value for `output_lines`."""
        said = self.model_dump(exclude={"ansi"})
        return output_lines.Query(**said, keep_ansi=self.ansi == "keep")


class ScreenQuery(Strict):
    """The query of `GET /tasks/{ref}/screen`."""

    format: Literal["json", "ansi", "text"] = "json"


class Commands(Strict):
    """The query of `GET /tasks/{ref}/commands`."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class Metrics(Strict):
    """The query of `GET /tasks/{ref}/metrics`."""

    names: Annotated[list[str], BeforeValidator(_split)] | None = None
    since: Annotated[float, Field(allow_inf_nan=False)] | None = None
    points: Annotated[int, Field(ge=4, le=KEPT)] = 500
    x: Literal["step", "time"] = "step"
    attempt: Annotated[int, Field(ge=1)] | None = None

    def wanted(self) -> Wanted:
        """Return the value for `monitor.metrics`."""
        return Wanted(self.names, self.since, self.points, self.x == "time", self.attempt)


class RecordQuery(Strict):
    """The query of `GET /tasks/{ref}/record`."""

    version: Annotated[int, Field(ge=2, le=3)] = 3
    idle: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 2.0
    download: bool = False


class ReplayQuery(Strict):
    """The query of `GET /tasks/{ref}/replay`: an offset or a time, by default the end."""

    offset: Annotated[int, Field(ge=0)] | None = None
    time: Moment | None = None
    lines: Annotated[int, Field(ge=0, le=LINES)] = 0

    @property
    def moment(self) -> float | None:
        """The time in Unix seconds. Raises BadRequest if there is an offset, too."""
        if self.time is not None and self.offset is not None:
            raise BadRequest("time: cannot be combined with `offset`", field="time")
        return None if self.time is None else seconds(self.time)


class ExportQuery(Strict):
    """The query of `GET /tasks/{ref}/export`."""

    download: bool = False


class RawQuery(Strict):
    """The query of `GET /tasks/{ref}/output/raw`."""

    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=0)] | None = None
    download: bool = False
