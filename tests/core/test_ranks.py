"""Ranks: there is always one between two others, after any number of moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.model import new_id
from jupyter_ptytasks.core.queue.ranks import between, is_after


def test_between_two_ids_and_at_both_ends() -> None:
    first, second = "mwp0c3k9d2ab", "mwp0c3k9d2ac"
    middle = between(first, second)
    assert first < middle < second
    assert between("", first) < first
    last = between(second, "")
    assert second < last < new_id(1.8e9, second)


def test_there_is_nothing_between_equals() -> None:
    assert not is_after("ab0", "ab")
    with pytest.raises(ValueError, match="no rank between"):
        between("ab", "ab0")


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60))
def test_any_moves(moves: list[tuple[int, int]]) -> None:
    ranks: list[str] = []
    for _ in range(30):
        ranks.append(new_id(1.8e9, ranks[-1] if ranks else ""))
    for taken, put in moves:
        ranks.pop(taken % len(ranks))
        place = put % (len(ranks) + 1)
        low = ranks[place - 1] if place else ""
        high = ranks[place] if place < len(ranks) else ""
        ranks.insert(place, between(low, high))
        assert ranks == sorted(ranks)
        assert len(set(ranks)) == len(ranks)
    # One more digit for five halvings, at worst.
    assert max(map(len, ranks)) <= 12 + len(moves)
