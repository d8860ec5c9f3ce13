"""Searches find the same lines as a check of each line, within their limits."""

from __future__ import annotations

from itertools import repeat
from threading import Event, Timer

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.errors import BadRequest
from jupyter_ptytasks.server import search
from jupyter_ptytasks.server.search import Cancelled, Search

ALPHABET = "ab 1é"
ATOMS = [*"ab. ^$é", r"\d", r"\w", r"\s", r"\b", "[^a]", "[ab]", r"\n", r"\A", r"\Z", "(?i)A", "(?=b)", "(?!a)"]


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """Regular expressions with all that may make a match depend on what stands around it."""
    parts = []
    for atom in draw(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=4)):
        repeat = draw(st.sampled_from(["", "", "*", "+", "?", "{1,2}", "*+", "+?"])) if atom[0] not in "^$(\\" else ""
        parts.append(atom + repeat)
    joined = "".join(parts)
    return draw(st.sampled_from([joined, f"({joined})", f"({joined}|b)+", f"(?>{joined})b", f"a|{joined}"]))


@given(pattern=patterns(), texts=st.lists(st.text(ALPHABET, max_size=6), max_size=12), data=st.data())
def test_a_line_is_found_if_it_matches_by_itself(pattern: str, texts: list[str], data: st.DataObject) -> None:
    try:
        compiled = regex.compile(pattern)
    except regex.error:
        return
    lines = list(enumerate(texts))
    start = data.draw(st.integers(0, len(texts)))
    cut = data.draw(st.integers(0, len(texts)))
    found = Search(pattern, head=100, tail=None, cancel=None)
    assert not found.look(lines[:cut], start)
    assert not found.look(lines[cut:], start)
    assert found.found() == ([(n, text) for n, text in lines if n >= start and compiled.search(text)], 0)


def test_of_many_the_first_and_the_last_are_kept() -> None:
    found = Search("a", head=2, tail=3, cancel=None)
    assert not found.look([(n, "a") for n in range(100)], 0)
    assert found.found() == ([(n, "a") for n in (0, 1, 97, 98, 99)], 95)
    assert Search("a", head=2, tail=None, cancel=None).look([(n, "a") for n in range(3)], 0)


LONG = [(0, "a" * 50_000 + "b")]


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+$", r"(?=(a+)+$)"])
def test_a_slow_pattern_is_refused(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_LINE_TIME", 0.05)
    with pytest.raises(BadRequest, match="too long") as caught:
        Search(pattern, head=1, tail=None, cancel=None).look(LONG * 2, 0)
    assert caught.value.field == "grep"


def test_all_lines_together_have_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_PATTERN_TIME", 0.05)
    found = Search(r"(?=x)(a+)+$", head=1, tail=None, cancel=None)
    with pytest.raises(BadRequest, match="too long"):
        all(not found.look([(number, "a" * 1000)], 0) for number in range(1_000_000))


def test_a_search_ends_with_its_client() -> None:
    cancel = Event()
    timer = Timer(0.1, cancel.set)
    timer.start()
    found = Search(r"(?=x)y", head=1, tail=None, cancel=cancel)
    with pytest.raises(Cancelled):
        all(not found.look([line], 0) for line in repeat((0, "a" * 1000)))
    timer.join()
