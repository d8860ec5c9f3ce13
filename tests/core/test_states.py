"""Transitions between states."""

from __future__ import annotations

import pytest

from jupyter_ptytasks.core.errors import InvalidState
from jupyter_ptytasks.core.states import ACTIVE, ENDED, PENDING, TRANSITIONS, State, check


def test_every_state_has_its_moves() -> None:
    assert set(TRANSITIONS) == set(State)


def test_a_state_is_pending_active_or_an_end() -> None:
    for state in State:
        assert [state in PENDING, state in ACTIVE, state in ENDED].count(True) == 1
        assert (state.pending, state.active) == (state in PENDING, state in ACTIVE)
        assert state.live == (state.pending or state.active)


def test_every_state_can_be_reached_and_every_live_one_left() -> None:
    reached = {State.HELD, State.QUEUED, State.STARTING}
    while more := {new for old in reached for new in TRANSITIONS[old]} - reached:
        reached |= more
    assert reached == set(State)
    for state in PENDING | ACTIVE:
        assert TRANSITIONS[state], state


def test_an_end_leads_to_a_new_attempt_alone() -> None:
    for state in ENDED - {State.LOST}:
        assert TRANSITIONS[state] == {State.STARTING, State.QUEUED}
    # A task that was given up may turn out to have ended well.
    assert State.SUCCEEDED in TRANSITIONS[State.LOST]


def test_check_names_both_states() -> None:
    check(State.RUNNING, State.PAUSED)
    with pytest.raises(InvalidState, match=r"succeeded cannot become paused"):
        check(State.SUCCEEDED, State.PAUSED)
