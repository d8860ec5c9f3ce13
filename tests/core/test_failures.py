"""Consequences of a failure for the group of the task: once, for pending tasks only, as configured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core.queue.failures import consequences
from jupyter_ptytasks.core.queue.groups import Group, OnFailure
from jupyter_ptytasks.core.queue.turn import Retry
from jupyter_ptytasks.core.states import ENDED, State
from tests.core.made_tasks import NOW, make

if TYPE_CHECKING:
    from jupyter_ptytasks.core.model import Task


def ended(number: int, state: State = State.FAILED, when: float = NOW, **about: object) -> Task:
    return replace(make(number, state), ended=when, **about)  # type: ignore[arg-type]


def waiting(number: int, created: float = NOW - 10) -> Task:
    return replace(make(number), created=created)


def decide(*tasks: Task, **about: object) -> tuple[str | None, list[str]]:
    """Return why the group is paused, and which tasks are cancelled."""
    found = consequences(tasks, {"g": Group("g", 1, **about)})  # type: ignore[arg-type]
    return found.pause.get("g"), sorted(task.name for task in tasks if task.id in found.cancel)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_what_is_a_failure(state: State) -> None:
    fails = state in (State.FAILED, State.TIMED_OUT, State.LOST)
    reason = f"task-1 has ended: {state.value.replace('_', ' ')}" if fails else None
    assert decide(ended(1, state), waiting(2), on_failure=OnFailure.PAUSE) == (reason, [])
    assert decide(ended(1, state), waiting(2), on_failure=OnFailure.CANCEL) == (None, ["task-2"] if fails else [])
    assert decide(ended(1, state), waiting(2)) == (None, [])


def test_one_that_is_run_again_has_not_failed_yet() -> None:
    failed = replace(ended(1), turn=replace(make(1).turn, retry=Retry(1)))
    assert decide(failed, waiting(2), on_failure=OnFailure.PAUSE) == (None, [])
    assert decide(replace(failed, attempt=2), waiting(2), on_failure=OnFailure.PAUSE)[0]


def test_those_that_came_later_are_not_concerned() -> None:
    tasks = ended(1), waiting(2), waiting(3, NOW + 1)
    assert decide(*tasks, on_failure=OnFailure.CANCEL) == (None, ["task-2"])
    assert decide(tasks[0], tasks[2], on_failure=OnFailure.PAUSE) == (None, [])


def test_what_waits_at_another_place_is_not_concerned() -> None:
    # Its job would run although the task says that it never will.
    there = replace(waiting(2), provisioner="slurm", job={"id": "7"})
    assert decide(ended(1), there, on_failure=OnFailure.CANCEL) == (None, [])
    assert decide(ended(1), there, on_failure=OnFailure.PAUSE) == (None, [])
    # Failures count wherever they happen.
    failed = replace(ended(1), provisioner="slurm")
    assert decide(failed, there, waiting(3), on_failure=OnFailure.CANCEL) == (None, ["task-3"])
    # One that was not submitted yet waits here.
    later = replace(waiting(4), provisioner="slurm")
    assert decide(ended(1), there, later, on_failure=OnFailure.CANCEL) == (None, ["task-4"])


def test_a_group_that_was_resumed_is_not_paused_again() -> None:
    tasks = ended(1), waiting(2)
    assert decide(*tasks, on_failure=OnFailure.PAUSE, since=NOW) == (None, [])
    assert decide(*tasks, on_failure=OnFailure.PAUSE, paused=True) == (None, [])
    assert decide(*tasks, ended(3, when=NOW + 1), on_failure=OnFailure.PAUSE, since=NOW)[0]


def test_a_restart_of_the_machine_pauses_groups_whatever_is_configured() -> None:
    lost = ended(1, State.LOST, state_reason="reboot"), ended(2, State.LOST, state_reason="reboot")
    assert decide(*lost, waiting(3)) == ("the machine was restarted while 2 tasks ran", [])
    assert decide(lost[0], waiting(3)) == ("the machine was restarted while a task ran", [])
    assert decide(lost[0]) == (None, [])
    again = replace(lost[0], turn=replace(lost[0].turn, retry=Retry(3)))
    assert decide(again, waiting(3)) == (None, [])
    # Where nothing is limited, nothing is paused: that would stop whatever is started.
    assert consequences([*lost, waiting(3)], {"g": Group("g", None)}).pause == {}
    assert consequences([*lost, waiting(3)], {}).pause == {}
