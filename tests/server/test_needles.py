"""Needles: text that every match contains, and finding it in plain lines."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.terminal.needles import COLORS, Needle
from jupyter_ptytasks.core.terminal.plain import plain_lines
from jupyter_ptytasks.server.needles import needle_of
from jupyter_ptytasks.server.search import _SUBTLE
from tests.server.test_search import ALPHABET, patterns


@pytest.mark.parametrize(
    ("pattern", "needle"),
    [
        ("loss", b"loss"),
        (r"loss=\d+\.\d\d of train", b" of train"),
        (r"step 12? done", b"step 1"),
        (r"a\ b\%", b"a b%"),
        (r"a\.b\[0\]", b"a.b[0]"),
        (r"(\w+) failed: (?P<why>no (space|room))", b" failed: "),
        (r"(?i)Épochs", b"pochs"),
        (r"ab+c{2}de", b"ab"),
        (r"[]x\]]yes[^]]", b"yes"),
        ("one|two", None),
        (r"\d+", None),
        ("a{e<=1}bc", None),
        ("x\nlong", b"long"),
        ("[[:alpha:]]abc", None),
    ],
)
def test_it_is_the_longest_text_in_every_match(pattern: str, needle: bytes | None) -> None:
    found = needle_of(pattern)
    assert (found and found._bytes) == needle


@given(pattern=patterns(), text=st.text(ALPHABET + "AB\u212a", max_size=8))
def test_what_matches_holds_it(pattern: str, text: str) -> None:
    if _SUBTLE.search(pattern):
        return
    try:
        match = regex.search(pattern, text)
    except regex.error:
        return
    needle = needle_of(pattern)
    if match and needle is not None:
        find = needle.finder(text.encode(), b"", b"", loose=False)
        assert find is None or find(0, len(text.encode())) >= 0


LONG_S = "\u017f"
COLORED = [b"\x1b[0m", b"\x1b[1;32m", b"\x1b[K", b"\x1b[0K", b"\x1b[1K"]
PIECES = [b"loss", b"lo", b"ss", b"1", b"23", b" ", "é".encode(), LONG_S.encode(), *COLORED]


parts = st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join)
#: Lines that differ behind their last color.
logged = st.builds(
    lambda head, tail: head + tail,
    st.sampled_from([b"\x1b[2m12:03\x1b[0m lo", b"\x1b[1ml\x1b[0mo\x1b[K"]),
    st.text("loss 1", max_size=8).map(str.encode),
)


@given(
    lines=st.one_of(
        st.lists(parts, min_size=1, max_size=20),
        st.builds(list.__add__, st.lists(logged, min_size=4, max_size=30), st.lists(parts, max_size=1)),
    ),
    repeats=st.integers(1, 3),
    text=st.sampled_from(["loss", "loss 1", "1 2", "s1", "12", "é1"]),
    any_case=st.booleans(),
)
def test_it_is_found_wherever_colors_part_it(lines: list[bytes], repeats: int, text: str, any_case: bool) -> None:
    data = b"".join(line + b"\r\n" for line in lines * repeats)
    plain = plain_lines(data, 1000)
    shown = COLORS.sub(b"", data)
    assert (plain is None) == (b"\x1b" in shown)
    if plain is None or (any_case and not text.isascii()):
        return
    assert plain.count == len(lines) * repeats
    find = Needle(text, any_case=any_case).finder(data, plain.before, plain.behind, loose=plain.loose)
    if find is None:
        assert any_case
        assert LONG_S in data.decode()
        return
    at = find(0, len(data))
    before = shown.lower().find(text.encode()) if any_case else shown.find(text.encode())
    assert (at < 0) == (before < 0)
    if at >= 0:
        assert len(COLORS.sub(b"", data[:at])) == before


def test_there_are_no_other_cases_of_ascii_letters() -> None:
    letters = regex.compile("(?i)[a-z]")
    odd = {chr(code) for code in range(128, 0x11000) if letters.fullmatch(chr(code))}
    assert odd == {"\u0130", "\u017f", "\u212a"}
