"""What requests may say: bodies and queries, checked by pydantic, and turned into the manager's values."""

from __future__ import annotations

import json
import signal
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ...core.model import IfExists, Request, TimeWarning
from ...core.states import State
from ..output_lines import Mode, Query

_TEN_YEARS = 10 * 366 * 86400
_METADATA_MAX = 16 << 10


def _check_name(value: str) -> str:
    value = value.strip()
    if not 1 <= len(value) <= 128:
        raise ValueError("must have 1 to 128 characters")
    # Letters of any script and emoji with their joiners; no control characters, and none that turn the writing of
    # others around.
    if any(
        unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(char) in _TURNING
        for char in value
    ):
        raise ValueError("must consist of printable characters")
    return value


_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def _check_no_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not hold NUL characters")
    return value


def _check_not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _check_env(value: dict[str, str]) -> dict[str, str]:
    for name, content in value.items():
        if not name or "=" in name or "\0" in name or "\0" in content:
            raise ValueError(f"{name!r} cannot be set")
    return value


def _check_signal(value: str) -> str:
    name = value.upper() if value.upper().startswith("SIG") else f"SIG{value.upper()}"
    if name not in signal.Signals.__members__:
        raise ValueError(f"there is no signal {value}")
    return name


def _check_metadata(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value)) > _METADATA_MAX:
        raise ValueError(f"must not take more than {_METADATA_MAX} bytes")
    return value


def _split(value: Any) -> Any:
    return [part for part in value.split(",") if part] if isinstance(value, str) else value


Name = Annotated[str, AfterValidator(_check_name)]
Text = Annotated[str, AfterValidator(_check_no_nul)]
Line = Annotated[Text, AfterValidator(_check_not_blank)]
Arguments = Annotated[list[Text], Field(min_length=1)]
Size = Annotated[int, Field(ge=1, le=1000)]
Grace = Annotated[float, Field(ge=0, le=3600)]
SignalName = Annotated[str, AfterValidator(_check_signal)]
Ladder = Annotated[list[SignalName], Field(min_length=1, max_length=8)]
Tags = Annotated[list[Name], Field(max_length=32)]
Metadata = Annotated[dict[str, Any], AfterValidator(_check_metadata)]
Count = Annotated[int, Field(ge=0, le=100_000)]


class Strict(BaseModel):
    """A body that says what nobody knows says something wrong."""

    model_config = ConfigDict(extra="forbid")


class Warn(Strict):
    """A signal that comes `before` seconds before the time is up."""

    signal: SignalName
    before: Annotated[float, Field(gt=0, le=_TEN_YEARS)]


class NewTask(Strict):
    """`POST /tasks`."""

    command: Line | Arguments | None = None
    name: Name | None = None
    cwd: Text | None = None
    env: Annotated[dict[str, str], AfterValidator(_check_env)] = {}
    rows: Size | None = None
    cols: Size | None = None
    group: Name = "default"
    tags: Tags = []
    timeout: Annotated[float, Field(gt=0, le=_TEN_YEARS)] | None = None
    timeout_warning: Warn | None = None
    stop_grace: Grace | None = None
    stop_signals: Ladder | None = None
    if_exists: IfExists = IfExists.NEW
    metadata: Metadata = {}

    def request(self, ladder: tuple[tuple[str, float], ...] | None) -> Request:
        """Give the manager's value; `ladder` is what `stop_grace` and `stop_signals` come to."""
        warning = self.timeout_warning
        return Request(
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


class ChangedTask(Strict):
    """`PATCH /tasks/{ref}`; what is not there stays as it is."""

    name: Name = Field(default="")
    tags: Tags = []
    group: Name = Field(default="")
    metadata: Metadata = {}

    def changes(self) -> dict[str, Any]:
        """Give what was said, as the fields of a task."""
        said = self.model_dump(include=self.model_fields_set)
        if "tags" in said:
            said["tags"] = tuple(dict.fromkeys(said["tags"]))
        return said


class Stop(Strict):
    """`POST /tasks/{ref}/stop` and `restart`."""

    grace: Grace | None = None
    signals: Ladder | None = None


class Signal(Strict):
    """`POST /tasks/{ref}/signal`."""

    signal: SignalName
    target: Literal["foreground", "tree", "leader"] = "tree"


class Input(Strict):
    """`POST /tasks/{ref}/input`."""

    data: str = ""
    newline: bool = False


class Resize(Strict):
    """`POST /tasks/{ref}/resize`."""

    rows: Size
    cols: Size


class NewTerminal(BaseModel):
    """`POST /terminals`, in its stock form; what else a client says is not for us."""

    name: Name | None = None
    cwd: Text | None = None


class TaskFilter(Strict):
    """The query of `GET /tasks`."""

    state: Annotated[list[State], BeforeValidator(_split)] = []
    name: str | None = None
    group: str | None = None
    tag: str | None = None
    q: str | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000
    cursor: str | None = None


class Wait(Strict):
    """The query of `GET /tasks/{ref}/wait`; no connection is held for longer than proxies let it."""

    timeout: Annotated[float, Field(ge=0)] = 55.0


class Removal(Strict):
    """The query of `DELETE /tasks/{ref}`."""

    stop: bool = False


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
        """Give the transcript's value."""
        said = self.model_dump(exclude={"ansi"})
        return Query(**said, keep_ansi=self.ansi == "keep")


class RawQuery(Strict):
    """The query of `GET /tasks/{ref}/output/raw`."""

    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=0)] | None = None
    download: bool = False
