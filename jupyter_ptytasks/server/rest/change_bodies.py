"""The models of request bodies about existing tasks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from ...core import resources
from ...core.errors import BadRequest
from ...core.labels import Relabeling
from ...core.names import LOCAL
from ...core.sweeps.combinations import still_said
from .bodies import Body, HowMetrics, ResourceRequest, Waiting
from .fields import (
    TEN_YEARS,
    ChangedEnvironment,
    Command,
    Directory,
    Environment,
    Grace,
    Label,
    Ladder,
    Metadata,
    Name,
    Place,
    Tags,
    example,
    example_of_changes,
)

if TYPE_CHECKING:
    from ...core.model import TaskRequest

TaskIds = Annotated[list[str], Field(max_length=10_000, description="Ids. Tasks that no longer exist are left out.")]

#: Fields of a task that can be changed at any time.
_LABELS = {"name", "tags", "group", "metadata", "pinned"}


class ChangedTags(Body):
    """Tags that are added and removed, whatever others a task has by then."""

    add_tags: Annotated[Tags, Field(description="Tags to add.")] = []
    remove_tags: Annotated[Tags, Field(description="Tags to remove.")] = []

    def changes(self) -> Relabeling:
        """Return how labels change. Raises BadRequest."""
        fields = self.model_dump(include=self.model_fields_set & _LABELS)
        if "tags" in fields:
            fields["tags"] = tuple(dict.fromkeys(fields["tags"]))
        for name in ("add_tags", "remove_tags"):
            if "tags" in fields and getattr(self, name):
                raise BadRequest(f"{name}: cannot be combined with tags, which replaces all", field=name)
        both = [tag for tag in self.remove_tags if tag in self.add_tags]
        if both:
            raise BadRequest(f"remove_tags: {both[0]!r} is to be added, too", field="remove_tags")
        return Relabeling(fields, tuple(self.add_tags), tuple(self.remove_tags))


class ChangedTask(Waiting, ChangedTags):
    """`PATCH /tasks/{ref}`; fields that are not given are not changed. What a task runs and waits for can be changed
    until it starts.
    """

    model_config = example_of_changes(name="train-2", tags=["gpu", "best"], pinned=True)
    elsewhere = {"notes": "`PUT /tasks/{ref}/notes` changes them"}

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
        """Whether there are fields that can be changed only until the task starts."""
        return not self.model_fields_set <= _LABELS | ChangedTags.model_fields.keys()

    def revise(self, request: TaskRequest) -> TaskRequest:
        """Return a request with the given fields that can be changed until a task starts."""
        given = {name: getattr(self, name) for name in self.model_fields_set & {"command", "cwd", "env"}}
        return replace(request, turn=self.turn(request.turn), **given)


class ChangedTasks(ChangedTags):
    """`PATCH /tasks`: labels of many tasks."""

    model_config = example_of_changes(tasks=["mwp0c3k9d2ab", "mwp0c3k9d2ac"], add_tags=["best"], remove_tags=["new"])

    tasks: TaskIds
    pinned: bool = False


class Move(Body):
    """`POST /tasks/{ref}/move`: exactly one of `before`, `after` and `to`; with `group`, at most one."""

    model_config = example(before="report")

    before: Annotated[str | None, Field(min_length=1, description="A pending task of the group: id or name.")] = None
    after: Annotated[str | None, Field(min_length=1, description="A pending task of the group: id or name.")] = None
    to: Annotated[Literal["first", "last"] | None, Field(description="Before or after all others of the group.")] = None
    group: Annotated[Label | None, Field(description="The group to move it to; by default its own.")] = None

    def where(self) -> tuple[str | None, bool]:
        """Return the task (None: all others), and whether to move after it. Raises BadRequest."""
        given = sum(one is not None for one in (self.before, self.after, self.to))
        if given > 1 or (not given and self.group is None):
            raise BadRequest("one of before, after, to is required", field="to")
        return self.before or self.after, self.after is not None or self.to == "last" or not given


class Stop(Body):
    """`POST /tasks/{ref}/stop` and `restart`."""

    model_config = example(grace=10, signals=["SIGINT", "SIGTERM", "SIGKILL"])

    grace: Grace | None = None
    signals: Ladder | None = None


class Again(Waiting):
    """`POST /tasks/{ref}/again`: changes for the new task; fields that are not given are copied."""

    model_config = example_of_changes(command="python train.py --epochs 20", env={"SEED": "2", "DEBUG": None})

    name: Annotated[Name | None, Field(description="Name of the new task; by default the same.")] = None
    command: Command = Field(default="")
    cwd: Directory = Field(default="")
    env: ChangedEnvironment = {}
    group: Label = Field(default="")
    tags: Tags = []
    metadata: Metadata = {}
    timeout: Annotated[float, Field(gt=0, le=TEN_YEARS, description="Time limit in seconds.")] | None = None
    metrics: Annotated[HowMetrics | None, Field(description="How metrics are read from its output.")] = None
    place: Annotated[Place, Field(description="Where it runs; see `GET /places`.")] = "local"
    resources: Annotated[ResourceRequest | None, Field(description="Resources to request there.")] = None
    hold: Annotated[bool, Field(description="Do not start the task until it is released.")] = False

    def change(self, request: TaskRequest) -> TaskRequest:
        """Return a request with the given fields; a warning that would come after the new time limit is dropped. Raises
        BadRequest.
        """
        given = {name: getattr(self, name) for name in self.model_fields_set - {"env", *Waiting.model_fields}}
        if self.name is None:
            given.pop("name", None)
        if "tags" in given:
            given["tags"] = tuple(dict.fromkeys(self.tags))
        if "metrics" in given:
            given["metrics"] = {} if self.metrics is None else self.metrics.told()
        if self.place == LOCAL and "place" in given:
            given["place"] = ""
        if "resources" in given:
            given["resources"] = {} if self.resources is None else resources.check(self.resources.model_dump())
        if "command" in given and request.command is not None:
            given["params"] = still_said(request.params, request.command, self.command)
        turn = request.turn
        if given.get("place", request.place) != request.place:
            # Resources requested at one place do not apply to another.
            given.setdefault("resources", {})
            turn = replace(turn, gpus=None)
        env = {name: value for name, value in {**request.env, **self.env}.items() if value is not None}
        changed = replace(request, **given, env=env, turn=self.turn(turn))
        warning = changed.warning
        if warning is not None and (changed.timeout is None or warning.before >= changed.timeout):
            return replace(changed, warning=None)
        return changed


class TasksToDelete(Body):
    """`POST /cleanup`: tasks returned by `GET /cleanup`."""

    model_config = example(tasks=["mwp0c3k9d2ab"])

    tasks: TaskIds


class WrittenNotes(Body):
    """`PUT /tasks/{ref}/notes`."""

    model_config = example(notes="The **best** so far.")

    notes: Annotated[str, Field(max_length=65_536, description="Markdown, at most 64 KiB; empty: none.")]
