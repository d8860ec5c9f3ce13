"""The turn of a task: what it waits for besides its group, and whether it is retried after a failure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..states import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from ..model import Exit
    from ..sweeps.combinations import Sweep

    class Queueable(Protocol):
        """The part of a task that decisions need; see Task."""

        @property
        def id(self) -> str: ...
        @property
        def name(self) -> str: ...
        @property
        def state(self) -> State: ...
        @property
        def state_reason(self) -> str: ...
        @property
        def group(self) -> str: ...
        @property
        def provisioner(self) -> str: ...
        @property
        def is_submitted(self) -> bool: ...
        @property
        def turn(self) -> Turn: ...
        @property
        def attempt(self) -> int: ...
        @property
        def created(self) -> float: ...
        @property
        def ended(self) -> float | None: ...
        @property
        def exit(self) -> Exit: ...
        @property
        def gpus(self) -> tuple[str, ...]: ...
        @property
        def gpu_share(self) -> float: ...
        @property
        def sweep(self) -> Sweep | None: ...
        @property
        def pending(self) -> bool: ...
        @property
        def active(self) -> bool: ...
        @property
        def live(self) -> bool: ...


#: Final states that are neither a success nor requested by a user.
FAILURES = frozenset({State.FAILED, State.TIMED_OUT, State.LOST})


class When(str, Enum):
    """How a dependency must have ended."""

    OK = "ok"
    ANY = "any"
    FAILED = "failed"


@dataclass(frozen=True)
class Dependency:
    """A task, by id, that must end first."""

    id: str
    when: When = When.OK


@dataclass(frozen=True)
class Retry:
    """How a failed task is retried: at most `limit` times, after `delay` seconds times `factor` for every earlier
    retry, at most `longest` seconds. `states` are the final states, `codes` the exit codes after which it is retried;
    empty: all except success and cancellation.
    """

    limit: int
    delay: float = 30.0
    factor: float = 2.0
    longest: float = 3600.0
    states: frozenset[State] = frozenset()
    codes: frozenset[int] = frozenset()

    def wants(self, task: Queueable) -> bool:
        """Return whether an ended task will be retried."""
        if task.attempt > self.limit:
            return False
        if self.codes and task.exit.code in self.codes:
            return True
        usual = frozenset() if self.codes else FAILURES
        return task.state in (self.states or usual)

    def delay_after(self, attempt: int) -> float:
        """Return the seconds between the end of an attempt and the next one."""
        return min(self.delay * self.factor ** min(attempt - 1, 1000), self.longest)


@dataclass(frozen=True)
class Turn:
    """What a task waits for besides its group's slots: other tasks, a time (Unix seconds).

    In a group, tasks with a higher `priority` start first, then those with a lower `rank` (empty: the task's id, so
    older tasks start first). Each uses `slots` and `gpus`: whole GPUs, or a share of one below 1; None for the default
    of its group.
    """

    priority: int = 0
    rank: str = ""
    slots: int = 1
    gpus: float | None = None
    after: tuple[Dependency, ...] = ()
    not_before: float | None = None
    retry: Retry | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object without default values."""
        value: dict[str, Any] = {}
        if self.priority:
            value["priority"] = self.priority
        if self.rank:
            value["rank"] = self.rank
        if self.slots != 1:
            value["slots"] = self.slots
        if self.gpus is not None:
            value["gpus"] = self.gpus
        if self.after:
            value["after"] = [{"id": one.id, "when": one.when.value} for one in self.after]
        if self.not_before is not None:
            value["not_before"] = self.not_before
        if self.retry is not None:
            retry = self.retry
            value["retry"] = {
                "max": retry.limit,
                "delay": retry.delay,
                "factor": retry.factor,
                "most": retry.longest,
                "on": [*sorted(state.value for state in retry.states), *sorted(retry.codes)],
            }
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Turn:
        """Read the result of `to_json`. Raises KeyError, TypeError, ValueError or AttributeError for garbage."""
        retry = value.get("retry")
        moment = value.get("not_before")
        gpus = value.get("gpus")
        return cls(
            priority=int(value.get("priority", 0)),
            rank=str(value.get("rank", "")),
            slots=int(value.get("slots", 1)),
            gpus=None if gpus is None else float(gpus),
            after=tuple(Dependency(str(one["id"]), When(one["when"])) for one in value.get("after", ())),
            not_before=None if moment is None else float(moment),
            retry=None if retry is None else _retry(retry),
        )


def _retry(value: Mapping[str, Any]) -> Retry:
    on = value["on"]
    return Retry(
        limit=int(value["max"]),
        delay=float(value["delay"]),
        factor=float(value["factor"]),
        longest=float(value["most"]),
        states=frozenset(State(one) for one in on if isinstance(one, str)),
        codes=frozenset(one for one in on if isinstance(one, int)),
    )


def runs_again(task: Queueable) -> bool:
    """Return whether the scheduler will retry an ended task."""
    return not task.live and task.turn.retry is not None and task.turn.retry.wants(task)
