"""The states of a task and the transitions between them, as data; every transition is checked here and nowhere else."""

from __future__ import annotations

from enum import Enum

from .errors import InvalidState


class State(str, Enum):
    """The state of a task. Whether it is reachable is not a state: see `connected` in the REST model."""

    HELD = "held"
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    LOST = "lost"

    @property
    def pending(self) -> bool:
        """Whether the current attempt has not started: it is held, or waits for its turn."""
        return self in PENDING

    @property
    def active(self) -> bool:
        """Whether the task has a ptyhost, or one is being started."""
        return self in ACTIVE

    @property
    def live(self) -> bool:
        """Whether the task has not ended: it is pending or active."""
        return self not in ENDED


class Stateful:
    """Anything with a `state`: a task, or a stand-in for one."""

    __slots__ = ()
    state: State

    @property
    def pending(self) -> bool:
        """See State.pending."""
        return self.state.pending

    @property
    def active(self) -> bool:
        """See State.active."""
        return self.state.active

    @property
    def live(self) -> bool:
        """See State.live."""
        return self.state.live


PENDING = frozenset({State.HELD, State.QUEUED})
ACTIVE = frozenset({State.STARTING, State.RUNNING, State.PAUSED, State.STOPPING})
ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.TIMED_OUT, State.LOST})
#: States in which the command is assumed to run.
STARTED = frozenset({State.RUNNING, State.PAUSED, State.STOPPING})

TRANSITIONS: dict[State, frozenset[State]] = {
    State.HELD: frozenset({State.QUEUED, State.STARTING, State.CANCELLED}),
    State.QUEUED: frozenset({State.HELD, State.STARTING, State.CANCELLED}),
    # Paused or stopping before the command was seen running: a server died while it created the task, and another took
    # over.
    State.STARTING: frozenset({State.HELD, State.QUEUED, State.RUNNING, State.PAUSED, State.STOPPING}) | ENDED,
    State.RUNNING: frozenset({State.PAUSED, State.STOPPING}) | ENDED,
    State.PAUSED: frozenset({State.RUNNING, State.STOPPING}) | ENDED,
    State.STOPPING: ENDED,
    # Only a restart leaves a final state, with one exception: the exit record of a task that was considered lost turns
    # up later.
    State.SUCCEEDED: frozenset({State.STARTING, State.QUEUED}),
    State.FAILED: frozenset({State.STARTING, State.QUEUED}),
    State.CANCELLED: frozenset({State.STARTING, State.QUEUED}),
    State.TIMED_OUT: frozenset({State.STARTING, State.QUEUED}),
    State.LOST: frozenset({State.STARTING, State.QUEUED}) | (ENDED - {State.LOST}),
}


#: The order of states within one attempt.
_STAGES = {
    State.HELD: 0,
    State.QUEUED: 0,
    State.STARTING: 1,
    State.RUNNING: 2,
    State.PAUSED: 2,
    State.STOPPING: 3,
    **dict.fromkeys(ENDED, 4),
}


def check(old: State, new: State) -> None:
    """Raise `InvalidState` unless a task may go from `old` to `new`."""
    if new not in TRANSITIONS[old]:
        raise InvalidState(f"a task that is {old.value} cannot become {new.value}", field="state")


def is_news(old: State, new: State) -> bool:
    """Return whether a report that an attempt is in the state `new` is news if its known state is `old`.

    Several servers watch the same attempt and report what they see. False means that another server has already
    reported this or a later state, which is not an error. Raises InvalidState for a report that skips a required
    state, such as a task that runs without having been started.
    """
    if new in TRANSITIONS[old]:
        # An attempt that has ended does not begin again: a restart is another one.
        return old not in ENDED or new in ENDED
    if _STAGES[new] > _STAGES[old]:
        check(old, new)
    return False
