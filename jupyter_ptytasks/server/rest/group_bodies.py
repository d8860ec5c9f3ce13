"""The models of request bodies about groups, and their conversion to values of the server."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ...core.queue.groups import OnFailure
from .bodies import Body
from .fields import GpuName, Label, Reason, example, example_of_changes, whole
from .queries import Strict


class NewGroup(Body):
    """`PUT /groups/{name}`; fields that are not given are not changed. A new group has one slot."""

    model_config = example_of_changes(slots=4, gpus="all", on_failure="pause")

    slots: Annotated[
        Annotated[int, Field(ge=0, le=100_000), BeforeValidator(whole)] | None,
        Field(description="How many run at a time; null for any number, 0 to start no more."),
    ] = 1
    gpus: Annotated[
        Literal["all"] | Annotated[list[GpuName], Field(min_length=1, max_length=100)] | None,
        Field(description="GPUs for its tasks, by index or UUID, preferred ones first; null: only if requested."),
    ] = None
    per_gpu: Annotated[
        int, Field(ge=1, le=100, description="How many of its tasks share a GPU."), BeforeValidator(whole)
    ] = 1
    on_failure: Annotated[
        OnFailure, Field(strict=False, description="What to do with its waiting tasks after a failure.")
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

    model_config = example(tasks=True, reason="driver update")

    tasks: Annotated[bool, Field(description="Also pause or resume the running tasks.")] = False
    reason: Reason = ""
