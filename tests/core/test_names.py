"""Names must be visible, and must not look like paths."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jupyter_ptytasks.core import names

INVISIBLE = [
    *("", " ", "\u3000\u2003", "\u200b", "\u200d\u200c", "\u00ad", "\u2060", "\u180e", "\U000e0041"),
    *("\u0301", "\ufe0f", "\u034f", "\u3164", "\uffa0", "\u115f\u1160", "\u2800", "\U0001d159"),
]


@pytest.mark.parametrize("name", INVISIBLE)
def test_invisible_text_is_not_a_name(name: str) -> None:
    assert not names.is_visible(name)
    assert names.fault(name, of_task=False)


@pytest.mark.parametrize("name", ["x", "é", "e\u0301", "👩‍💻", "日本語", "שלום", "\ue0b0", "-", "\u200bx", "...", ".a"])
def test_what_can_be_seen_is_one(name: str) -> None:
    assert names.fault(name, of_task=True) is None


@pytest.mark.parametrize("name", [".", ".."])
def test_a_way_up_names_no_task(name: str) -> None:
    assert names.fault(name, of_task=True)
    assert names.fault(name, of_task=False) is None


@given(st.text(st.characters(exclude_categories=[]), max_size=200))
@example("\u202e")
@example(".")
@example(" .. ")
def test_every_command_gets_a_name_that_is_one(line: str) -> None:
    name = names.from_line(line)
    assert names.fault(name, of_task=True) is None
    assert len(name) <= 40
    assert not any(unicodedata.category(char) == "Cs" for char in name)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("naem", "name"), ("nme", "name"), ("nname", "name"), ("Name", "name"), ("metadatas", "metadata"),
     ("slot", "slots"), ("notes", None), ("note_before", "not_before"), ("", None), ("e", None), ("x" * 200, None)],
)  # fmt: skip
def test_suggestions_are_similar(wrong: str, meant: str | None) -> None:
    known = ["name", "tags", "slots", "metadata", "not_before", "priority", "env"]
    assert names.did_you_mean(wrong, known) == ("" if meant is None else f"; did you mean {meant!r}?")
