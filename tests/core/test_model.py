"""Ids sort in the order in which they were created."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.model import new_id

TIMES = st.floats(1.7e9, 2.8e9)


@given(first=TIMES, second=TIMES)
def test_ids_sort_by_creation_also_when_the_clock_is_set_back(first: float, second: float) -> None:
    one = new_id(first)
    assert re.fullmatch(r"[a-z0-9]{8,16}", one)
    assert new_id(second, newest=one) > one


@given(moment=TIMES)
def test_later_means_greater(moment: float) -> None:
    assert new_id(moment + 0.002) > new_id(moment)
