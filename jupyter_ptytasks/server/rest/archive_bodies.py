"""The model of an archive's content: as strict as that of a request, since the archive is untrusted."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...core.errors import BadRequest
from ...core.states import State
from ...storage.records import changes_from_exit
from ..archiving import Archived
from .base import check
from .bodies import NewTask
from .fields import EndState, Scalar

_Finite = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e11)]
_Count = Annotated[int, Field(ge=0, lt=2**63)]
_Attempts = Annotated[int, Field(ge=1, lt=2**31)]
_Short = Annotated[str, Field(max_length=500)]
_Numbers = Annotated[dict[_Short, Annotated[float, Field(allow_inf_nan=False)] | None], Field(max_length=32)]


class _Part(BaseModel):
    """A part of an archive; fields added by later versions are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _Exit(_Part):
    code: int | None = None
    signal: Annotated[str, Field(max_length=32)] | None = None


class _Git(_Part):
    commit: Annotated[str, Field(max_length=64)] | None
    branch: _Short | None
    dirty: bool | None


class _Attempt(_Part):
    attempt: _Attempts
    state: EndState
    state_reason: _Short
    state_message: _Short
    exit: _Exit
    started: _Finite | None
    ended: _Finite | None
    git: _Git | None


class _Output(_Part):
    lost: _Count = 0


class _Record(_Exit):
    reason: _Short = "exited"
    started: _Finite | None = None
    ended: _Finite
    rows: Annotated[int, Field(ge=1, le=1000)]
    cols: Annotated[int, Field(ge=1, le=1000)]
    last_output: _Finite
    output: _Output = _Output()
    rusage: _Numbers = {}


class _Origin(_Part):
    id: _Short
    host: _Short
    place: _Short
    exported: _Short


class _Archive(_Part):
    format: Literal[1]
    task: NewTask
    params: Annotated[dict[_Short, Scalar], Field(max_length=32)] = {}
    created: _Finite
    attempt: _Attempts
    exit: _Record | None
    peak: _Numbers | None = None
    state: EndState
    state_reason: _Short = ""
    state_message: Annotated[str, Field(max_length=2000)] = ""
    ended: _Finite | None = None
    git: _Git | None = None
    earlier: Annotated[list[_Attempt], Field(max_length=50)] = []
    origin: _Origin


def archived(value: Any) -> Archived:
    """Validate the content of an archive. Raises BadRequest with the first invalid part."""
    if isinstance(value, dict) and isinstance(value.get("format"), int) and value["format"] > 1:
        raise BadRequest("archive: it was written by a newer version of jupyter_ptytasks", field="archive")
    try:
        said = check(_Archive, value)
        return _archived(said)
    except BadRequest as error:
        message = f"not a valid archive of a task: task.json: {error.message}"
        raise BadRequest(message, field="archive") from error


def _archived(said: _Archive) -> Archived:
    task = said.task
    if task.env or task.function is not None or task.hold or task.after:
        raise BadRequest("task: an archive has no environment, no function and no place in the queue")
    ladder = tuple((signal, task.stop_grace or 0.0) for signal in task.stop_signals) if task.stop_signals else None
    request = replace(task.request(ladder), params=said.params, place="", resources={})
    record = None
    if said.exit is not None:
        record = said.exit.model_dump()
        if record["reason"] == "restarting":
            record["reason"] = "cancelled"  # the restart will not happen
        if said.peak is not None:
            record["notes"] = {"peak": said.peak}
        try:
            changes_from_exit(record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadRequest(f"exit: {error}") from error
    facts = {"state": State(said.state), "state_reason": said.state_reason, "state_message": said.state_message}
    return Archived(
        request=request,
        created=said.created,
        attempt=said.attempt,
        exit=record,
        facts={**facts, "ended": said.ended},
        git=None if said.git is None else said.git.model_dump(),
        earlier=tuple(one.model_dump() for one in said.earlier),
        origin=said.origin.model_dump(),
    )
