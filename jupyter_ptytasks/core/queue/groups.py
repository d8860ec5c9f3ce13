"""Groups of tasks: how many of each run at a time, and what they share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .turn import Queueable

#: A group that is not configured has no limit: its name is a label.
DEFAULT_GROUP = "default"


class OnFailure(str, Enum):
    """What the failure of a task means for pending tasks of its group."""

    CONTINUE = "continue"
    PAUSE = "pause"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Group:
    """A group of tasks that may use this many `slots` at a time: None for no limit, 0 to start no more tasks.

    While it is `paused`, none of its tasks starts; `reason` says why, in words. `gpus` are the GPUs of its tasks, by
    index or the beginning of the UUID, in order of preference; empty for all; None if its tasks get none unless they
    request them. `per_gpu` tasks share one, unless they request otherwise. Failures before `since` (Unix seconds) are
    ignored.
    """

    name: str
    slots: int | None = 1
    paused: bool = False
    reason: str = ""
    gpus: tuple[str, ...] | None = None
    per_gpu: int = 1
    on_failure: OnFailure = OnFailure.CONTINUE
    since: float = 0.0

    @property
    def is_free(self) -> bool:
        """Whether its tasks start immediately: it has no limits."""
        return self.slots is None and not self.paused and self.gpus is None

    def gpus_of(self, task: Queueable) -> float:
        """Return how many GPUs a task of this group gets."""
        if task.turn.gpus is not None:
            return task.turn.gpus
        return 0.0 if self.gpus is None else 1 / self.per_gpu

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object for users."""
        gpus: list[str] | str | None = None if self.gpus is None else list(self.gpus) or "all"
        return {
            "name": self.name, "slots": self.slots, "gpus": gpus, "per_gpu": self.per_gpu, "paused": self.paused,
            "reason": self.reason, "on_failure": self.on_failure.value,
        }  # fmt: skip

    def to_record(self) -> dict[str, Any]:
        """Return a JSON object with all fields, for storage."""
        return {**self.to_json(), "since": self.since}

    @classmethod
    def from_record(cls, value: Mapping[str, Any]) -> Group:
        """Read the result of `to_record`. Raises KeyError, TypeError or ValueError for garbage."""
        slots, gpus = value["slots"], value.get("gpus")
        return cls(
            name=str(value["name"]),
            slots=None if slots is None else int(slots),
            paused=value["paused"] is True,
            reason=str(value["reason"]),
            gpus=None if gpus is None else () if gpus == "all" else tuple(str(one) for one in gpus),
            per_gpu=int(value.get("per_gpu", 1)),
            on_failure=OnFailure(value.get("on_failure", "continue")),
            since=float(value.get("since", 0.0)),
        )


def group_of(groups: Mapping[str, Group], name: str) -> Group:
    """Return a group, which has no limit if it is not configured."""
    return groups.get(name) or Group(name, None)
