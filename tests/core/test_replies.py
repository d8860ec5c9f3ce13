"""Automatic replies of terminals are distinguished from typing, and generated if there is no viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jupyter_ptytasks.core.terminal.answers import answer
from jupyter_ptytasks.core.terminal.modes import TerminalModes
from jupyter_ptytasks.core.terminal.replies import split
from tests.oracle import streams

if TYPE_CHECKING:
    from tests.oracle.client import Xterm

TYPED = [
    "ls\r",
    "\x1b[A",
    "\x1b[1;5C",
    "\x1bOR",
    "\x1b[15~",
    "\x1b[200~paste\x1b[201~",
    "\x1b[<0;10;5M",
    "\x1b[I",
    "\x1b",
    "\x1bb",
    "żó",
]
ANSWERS = [
    *(
        "\x1b[?1;2c",
        "\x1b[>0;276;0c",
        "\x1b[0n",
        "\x1b[12;40R",
        "\x1b[?12;40R",
        "\x1b[?25;1$y",
        "\x1b[4;2$y",
        "\x1b[8;24;80t",
    ),
    *("\x1bP1$r0m\x1b\\", "\x1bP0+r\x1b\\", "\x1b]10;rgb:ffff/ffff/ffff\x1b\\", "\x1b]4;1;rgb:0/0/0\x07", "\x1b[?0u"),
    *("\x1bP>|xterm.js(6.0.0)\x1b\\", "\x1b_Gi=31;OK\x1b\\"),
]
QUERIES = [b"\x1b[c", b"\x1b[0c", b"\x1b[>c", b"\x1b[>0c", b"\x1b[5n", b"\x1b[6n", b"\x1b[?6n"]


def answered(*chunks: bytes) -> bytes:
    """What is typed in place of a terminal without viewers."""
    modes = TerminalModes()
    answers: list[bytes] = []
    for chunk in chunks:
        modes.feed(chunk)
        answers += map(answer, modes.take_asked())
    return b"".join(answers)


@given(
    parts=st.lists(
        st.one_of(st.tuples(st.just(0), st.sampled_from(TYPED)), st.tuples(st.just(1), st.sampled_from(ANSWERS)))
    )
)
def test_split(parts: list[tuple[int, str]]) -> None:
    typed = "".join(text for answered, text in parts if not answered)
    # An ESC typed right before an answer is the Alt of it, whoever may have meant it.
    text = "".join(text for _, text in parts)
    assume("\x1b\x1b" not in text)
    assert split(text) == (typed, "".join(text for answered, text in parts if answered))


@given(stream=streams.anything)
def test_whatever_xterm_answers_is_a_reply(xterm: Xterm, stream: bytes) -> None:
    for told in xterm.answers(stream):
        assert split(told) == ("", told)


@pytest.mark.parametrize("query", QUERIES)
def test_answers_are_xterms(xterm: Xterm, query: bytes) -> None:
    assert [answered(query).decode()] == xterm.answers(query)


@pytest.mark.parametrize("color", [b"10", b"11"])
@pytest.mark.parametrize("end", [b"\x07", b"\x1b\\"])
def test_colors_are_reported(color: bytes, end: bytes) -> None:
    told = answered(b"\x1b]" + color + b";?" + end)
    assert told.startswith(b"\x1b]" + color + b";rgb:")
    assert told.endswith(end)
    assert split(told.decode()) == ("", told.decode())


@given(
    data=st.data(),
    queries=st.lists(st.sampled_from([*QUERIES, b"\x1b]10;?\x1b\\", b"\x1b]11;?\x07", b"text", b"\x1b[31m"])),
)
def test_cuts_make_no_difference(data: st.DataObject, queries: list[bytes]) -> None:
    stream = b"".join(queries)
    assert answered(*data.draw(streams.chunks(stream))) == answered(stream)


def test_nothing_else_is_answered() -> None:
    assert answered(b"plain \x1b[1m \x1b[2n \x1b[1c \x1b]10;red\x07 \x1b]12;?\x07 \x1b[?1;2c") == b""
