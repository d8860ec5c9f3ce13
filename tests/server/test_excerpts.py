"""Excerpts of lines: for any line and matches, a match is shown and marked at its position."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.server import excerpts
from jupyter_ptytasks.server.excerpts import around


@given(line=st.text("ab", max_size=40), pattern=st.sampled_from(["b", "b+", "ab*", ".*", "b*", "$"]))
def test_the_first_match_is_shown_and_marked(line: str, pattern: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(excerpts, "LINE_MAX", 12)
        patch.setattr(excerpts, "_BEFORE", 3)
        matches = [match.span() for match in re.finditer(pattern, line)]
        excerpt = around(line, iter(matches))
    assert len(excerpt.text) <= 12
    assert excerpt.text.strip("…") == line[excerpt.start : excerpt.end]
    assert excerpt.text.startswith("…") == (excerpt.start > 0)
    assert excerpt.text.endswith("…") == (excerpt.end < len(line))
    shift = excerpt.start - (excerpt.start > 0)
    visible = [(first, after) for first, after in matches if first < after and first < excerpt.end]
    assert excerpt.spans == [(first - shift, min(after, excerpt.end) - shift) for first, after in visible]
    assert bool(excerpt.spans) == any(first < after for first, after in matches)
    assert all(first >= 0 for first, _ in excerpt.spans)


def test_of_a_line_with_many_matches_the_first_are_marked() -> None:
    assert len(around("a" * 1000, ((at, at + 1) for at in range(1000))).spans) == 50
