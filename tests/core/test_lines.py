"""Lines compared with xterm.js: the text equals its final screen, row by row."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jupyter_ptytasks.core.terminal import lines as terminal_lines
from jupyter_ptytasks.core.terminal.cells import UNKNOWN
from jupyter_ptytasks.core.terminal.lines import Lines
from jupyter_ptytasks.core.terminal.wcwidth import wcwidth
from tests.oracle import streams
from tests.oracle.lines import FILE, make, stream_of

if TYPE_CHECKING:
    from tests.oracle.client import Xterm

SGR = re.compile(r"\x1b\[[0-9;]*m")
Line = tuple[int, str]


def told(stream: bytes, rows: int, cols: int, *, paint: bool = False, size: int = 0) -> list[str]:
    """The lines of a stream, fed whole or in pieces of `size` bytes, as the oracle gives them."""
    lines = Lines(rows, cols, paint=paint)
    found = []
    for start in range(0, len(stream), size or len(stream) or 1):
        lines.feed(stream[start : start + (size or len(stream))])
        found += [text for _, text in lines.take()]
    found = [text.rstrip() for text in found + [text for _, text, _ in lines.rest()]]
    while found and not SGR.sub("", found[-1]).strip():
        found.pop()
    return found


def assert_shown(xterm: Xterm, stream: bytes, rows: int, cols: int, size: int = 0) -> None:
    (shown,) = xterm.lines(stream, rows=rows, cols=cols)
    for paint in (False, True):
        found = told(stream, rows, cols, paint=paint, size=size)
        expected = [pair[paint] for pair in shown]
        if b"\x1bc" in stream or b"\x1b[3J" in stream:
            # What is cleared from the scrollback stays in a log, and may be half of a line.
            found = found[len(found) - len(expected) :]
            assert paint or not expected or found[0].endswith(expected[0])
            found[:1] = expected[:1]
        assert found == expected


@given(stream=streams.programs, size=streams.sizes)
def test_programs(xterm: Xterm, stream: bytes, size: tuple[int, int]) -> None:
    assert_shown(xterm, stream, *size)


@given(stream=streams.everything, size=streams.sizes)
def test_rare_sequences(xterm: Xterm, stream: bytes, size: tuple[int, int]) -> None:
    assert_shown(xterm, stream, *size)


@given(stream=streams.anything, size=streams.sizes)
def test_garbage(xterm: Xterm, stream: bytes, size: tuple[int, int]) -> None:
    assert_shown(xterm, stream, *size)


@given(stream=streams.rows_of_text, size=streams.sizes)
def test_all_that_moves_and_writes_within_a_row(xterm: Xterm, stream: bytes, size: tuple[int, int]) -> None:
    assert_shown(xterm, stream, *size)


CASES = json.loads(FILE.read_text())


def test_the_contract_is_what_xterm_shows(xterm: Xterm) -> None:
    """If not: `python -m tests.oracle.lines`."""
    assert make(xterm) == CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_contract(case: dict[str, Any]) -> None:
    stream, rows, cols = stream_of(case), case["rows"], case["cols"]
    for size in (0, 7):
        assert told(stream, rows, cols, size=size) == case["lines"]
        assert told(stream, rows, cols, paint=True, size=size) == case["ansi"]


def numbered(stream: bytes, rows: int, cols: int, cuts: list[int]) -> list[tuple[int, str, bool]]:
    lines = Lines(rows, cols)
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        lines.feed(stream[start:end])
        found += [(*line, True) for line in lines.take()]
    return found + lines.rest()


@given(data=st.data(), stream=streams.anything, size=streams.sizes)
def test_it_does_not_matter_how_it_is_cut(data: st.DataObject, stream: bytes, size: tuple[int, int]) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    assert numbered(stream, *size, cuts) == numbered(stream, *size, [])


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_string_that_an_escape_ends_is_none_wherever_it_is_cut(cut: int) -> None:
    assert numbered(b"a\x1b]\x1b\x1b[2mb", 5, 20, [cut]) == [(0, "ab", False)]


@given(stream=streams.everything, size=streams.sizes)
def test_numbers_never_fall(stream: bytes, size: tuple[int, int]) -> None:
    found = numbered(stream, *size, [])
    numbers = [number for number, _, _ in found]
    assert numbers == sorted(numbers)
    assert all(0 <= number <= stream.count(b"\n") for number in numbers)
    settled = [is_settled for _, _, is_settled in found]
    assert settled == sorted(settled, reverse=True)


CUTS = {
    "EL": b"\x1b[K",
    "EL 2": b"\x1b[2K",
    "ED": b"\x1b[J",
    "IL": b"\x1b[L",
    "DL": b"\x1b[M",
}
CUTS_ON_SCREEN = {
    "BS to the row above": b"\x1b[?45h\b",
    "LF from the row above": b"\x1bM\n",
    "SU": b"\x1b[2r\x1b[S",
    "SD": b"\x1b[2r\x1b[T",
    "LF at the lower margin": b"\x1b[2r\x1b[5H\n",
    "text at the lower margin": b"\x1b[2r\x1b[5H" + b"y" * 11,
    "LF at the margin within the line": b"\x1b[1;2r\n",
}
CUTS_AT_THE_TOP = {"ED 1": b"\x1b[1J", "ED 2": b"\x1b[2J", "RI": b"\x1bM", "DECIC": b"\x1b['}", "SU": b"\x1b[S"}


@pytest.mark.parametrize(
    ("stream", "cut"),
    [
        *((b"x" * 11 + b"\r\n\x1b[A", cut) for cut in [*CUTS.values(), *CUTS_ON_SCREEN.values()]),
        *((b"x" * 11 + b"\r\n" * 4 + b"\x1b[4A", cut) for cut in [*CUTS.values(), *CUTS_AT_THE_TOP.values()]),
    ],
    ids=[*CUTS, *CUTS_ON_SCREEN, *(f"{name}, its row at the top" for name in [*CUTS, *CUTS_AT_THE_TOP])],
)
def test_a_line_that_is_cut_has_changed(stream: bytes, cut: bytes) -> None:
    """The rest of a line that continued in the next row gets a higher number, since followers already have the line."""
    lines = Lines(5, 10)
    lines.feed(stream)
    assert lines.rest()[0][:2] == (0, "x" * 11)
    lines.feed(cut)
    left = [*lines.take(), *((number, text) for number, text, _ in lines.rest())]
    number, text = next(line for line in left if line[1].startswith("x"))
    assert text.rstrip() == "x" * 10
    assert number > 0


def test_a_line_that_a_smaller_screen_cuts_has_changed() -> None:
    lines = Lines(5, 10)
    lines.feed(b"\r\n" * 2 + b"x" * 11 + b"\r\n\x1b[H")
    lines.resize(3, 10)
    assert lines.rest()[-1][:2] == (3, "x" * 10)


@given(lines=st.lists(st.text("abc \t日é", max_size=50), max_size=200), size=streams.sizes)
def test_numbers_are_those_of_the_ring_where_nothing_is_drawn_over(lines: list[str], size: tuple[int, int]) -> None:
    stream = "".join(f"{line}\r\n" for line in lines).encode()
    found = numbered(stream, *size, [])
    assert [number for number, _, _ in found] == [*range(len(lines) + 1)]
    assert [is_settled for _, _, is_settled in found] == [True] * len(lines) + [False]


plain = st.lists(
    st.sampled_from([b"step 1\r\n", b"\x1b[2m12:01\x1b[0m loss\x1b[1m 3\x1b[K\r\n", b"\r\n", "é 1\r\n".encode()]),
    min_size=1,
    max_size=14,
).map(b"".join)


@given(stream=st.lists(st.one_of(plain, plain, streams.everything), max_size=6).map(b"".join), size=streams.sizes)
@example(b"\a" * 95 + b"\r\n\x1b[A" + b"\r\n" * 12, (5, 20))
def test_plain_lines_are_the_same_where_they_are_passed_on_as_a_whole(stream: bytes, size: tuple[int, int]) -> None:
    lines = Lines(*size)
    found: list[tuple[int, str]] = []
    at = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal_lines, "_WORTH", 1)
        while at < len(stream):
            data = stream[at : at + 100]
            whole = lines.pass_whole(at, data)
            if whole is None:
                lines.feed(data)
            found += lines.take()
            found += whole.lines() if whole is not None else []
            at += whole.end if whole is not None else len(data)
    found += [line[:2] for line in lines.rest()]
    assert found == [line[:2] for line in numbered(stream, *size, [])]


@pytest.mark.parametrize(
    ("stream", "seen"),
    [
        (b"\x1b[3Aa\n\x1b[Bc\x1b[5;1H", [(7, "a"), (8, " c"), (8, "")]),
        (b"\x1b[3A\x1b[Ma\x1b[5;1H", [(7, "a"), (7, ""), (7, "")]),
        (b"\x1b[3A\x1b[L\x1b[5;1H", [(7, "")]),
        (b"\x1b[2r\x1b[2Hb\x1b[5H\n", [(7, ""), (8, "")]),
    ],
)
def test_unknown_lines_below_others_are_left_out(stream: bytes, seen: list[Line]) -> None:
    """They are not blank, wherever they are moved."""
    lines = Lines(5, 10, number=7, fresh=False)
    lines.feed(stream)
    assert [line[:2] for line in lines.rest()] == seen


def cells(text: str) -> list[str]:
    found: list[str] = []
    for char in text.rstrip():
        width = wcwidth(char)
        if width == 0 and found:
            found[-1] += char
        else:
            found += [char, *[""] * (width - 1)]
    return found


def is_seen(line: Line, whole: Line) -> bool:
    """Whether a line is the whole one, with blanks where its cells are unknown."""
    pairs = zip_longest(cells(line[1]), cells(whole[1]), fillvalue=" ")
    return line[0] == whole[0] and all(cell in (seen, " ") for cell, seen in pairs)


@given(first=streams.logs, then=st.one_of(streams.rows_of_text, streams.everything), size=streams.sizes)
@example(b"x" * 15 + b"\r\n\r\n\r\n", b"\x1b8a\r\n", (5, 10))
@example(b"", b"\x1b[4Aa\nb", (5, 10))
@example(b"", b"\x1b[2A\x1b[MK", (5, 10))
@example(b"", b"\n\n\n\n\x1bc", (5, 10))
def test_unknown_lines_are_left_out(first: bytes, then: bytes, size: tuple[int, int]) -> None:
    """A reader that starts in the middle gets the same lines, except those from before."""
    whole = Lines(*size)
    whole.feed(b"x\r\n" * 50 + first)
    if any(row.wraps for row in whole.grid.rows):
        # A change of one row of a wrapped line changes the whole line. The reader cannot know that these rows are one.
        whole.feed(b"\r\n" * size[0])
    number = whole.number
    whole.take()
    old = [text.rstrip() for _, text, _ in whole.rest()]
    changed = whole.copy()
    changed.forget(number)
    for row in changed.grid.rows:
        if row.number != number:
            row.number = UNKNOWN
    part = Lines(*size, number=number, fresh=False)
    for lines in (whole, changed, part):
        lines.feed(then)
    expected, wanted, found = (
        [*lines.take(), *((n, text) for n, text, _ in lines.rest())] for lines in (whole, changed, part)
    )
    assert {text.rstrip() for _, text in (Counter(expected) - Counter(wanted))} <= {"", *old}
    assert not Counter(wanted) - Counter(expected)
    assert len(found) <= len(wanted)
    assert all(map(is_seen, found, wanted))
    # Where it has seen only blanks below the cursor, the reader cannot know that some of the old text is left.
    assert {char for _, text in wanted[len(found) :] for char in text} <= {" ", *"".join(old)}
