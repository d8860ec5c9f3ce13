"""Sanitize compared with xterm.js: nothing that remains gets a reply, and the screen is unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given

from jupyter_ptytasks.core.terminal.sanitise import sanitise
from tests.oracle import streams

if TYPE_CHECKING:
    from tests.oracle.client import Xterm

ST = b"\x1b\\"

ASKS = [
    *(b"\x1b[c", b"\x1b[0c", b"\x1b[>c", b"\x1b[>0c", b"\x1b[=c", b"\x1bZ", b"\x05"),  # DA1-3, DECID, ENQ
    *(b"\x1b[5n", b"\x1b[6n", b"\x1b[?6n", b"\x1b[?996n"),  # DSR
    *(
        b"\x1b[?25$p",
        b"\x1b[4$p",
        b"\x1bP$qm\x1b\\",
        b"\x1bP$q q\x1b\\",
        b"\x1bP+q544e\x1b\\",
    ),  # DECRQM, DECRQSS, XTGETTCAP
    *(
        b"\x1b[>q",
        b"\x1b[>0q",
        b"\x1b[18t",
        b"\x1b[14;2t",
        b"\x1b[21t",
        b"\x1b[?u",
    ),  # XTVERSION, windows, kitty's keyboard
    *(
        b"\x1b[x",
        b"\x1b[1;1;1;1;24;80*y",
        b"\x1b[?1;1;0S",
        b"\x1b[1$w",
        b"\x1b[?4m",
    ),  # DECREQTPARM, DECRQCRA and others
    *(b"\x1b]4;1;?\x07", b"\x1b]10;?\x1b\\", b"\x1b]11;?\x07", b"\x1b]19;?\x07", b"\x1b]4;1;#fff;2;?\x07"),  # colors
    b"\x1b]21;foreground=?\x1b\\",
    b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\",
    b"\xc2\x9bc",  # CSI as a C1 control
    b"\x1b[\x00c",
]
ACTS = [
    b"\x07",
    b"\x1b]52;c;aGVsbG8=\x07",
    b"\x1b]9;done\x07",
    b"\x1b]777;notify;title;text\x1b\\",
    b"\x1b]99;i=1;hello\x1b\\",
    b"\x1b]1337;File=name=eA==;inline=1:AAAA\x07",
    b"\x1b[5i",
]
STAYS = [
    *(
        b"\x1b]0;title\x07",
        b"\x1b]2;caf\xc3\xa9?\x1b\\",
        b"\x1b]7;file://host/tmp?\x1b\\",
        b"\x1b]8;;http://a/?b=?\x1b\\",
    ),
    *(b"\x1b]133;A\x07", b"\x1b]633;C\x07", b"\x1b]9;4;1;50\x07", b"\x1b]4;1;#ffffff\x07", b"\x1b]104\x07"),
    *(
        b"\x1b[31m",
        b"\x1b[?1049h",
        b"\x1b[2 q",
        b'\x1b[1"q',
        b"\x1b[u",
        b"\x1b[s",
        b"\x1b[>4;2m",
        b"\x1b[!p",
        b"\x1b[1;2;3;4$x",
    ),
    *(b"\x1bPq#0;2;0;0;0~~\x1b\\", b"\x1b_Ga=T,f=24;AAAA\x1b\\", b"\x1b7", b"\x1b(0"),
    *("żółw 日本".encode(), b"\xff\xfe\x80", b"\x00", b"\r\n\t\b"),
]


@pytest.mark.parametrize("token", ASKS + ACTS)
def test_queries_and_side_effects_are_dropped(token: bytes) -> None:
    assert sanitise(b"a" + token + b"b").replace(b"\x00", b"") == b"a" + ST + b"b"


@pytest.mark.parametrize("token", STAYS)
def test_drawing_and_state_sequences_are_kept(token: bytes) -> None:
    assert sanitise(b"a" + token + b"b") == b"a" + token + b"b"


@pytest.mark.parametrize("token", ASKS)
def test_sanitized_output_gets_no_replies(xterm: Xterm, token: bytes) -> None:
    assert xterm.answers(sanitise(b"a" + token + b"b")) == []


@pytest.mark.parametrize(
    ("stream", "clean"),
    [
        (b"\x1b[3\x1b[cm", b"\x1b[3" + ST + b"m"),  # the CSI that the query cut does not go on behind it
        (b"\xe2\x07\x94\x80", b"\xe2" + ST + b"\x94\x80"),  # nor does the character
        (b"\x1b]0;title\x1b[cx", b"\x1b]0;title" + ST + b"x"),  # the string that the query ended is ended
        (b"\x1b[3\x071m", b"\x1b[31m"),
        (b"\x1b[6\r\nn", ST + b"\r\n"),
        (b"\x1b]2;a\x05b\x07", b"\x1b]2;a\x05b\x07"),  # no answer inside of a string
        (b"\x1b]0;cut", b"\x1b]0;cut"),
        (b"\x1b[6", b"\x1b[6"),
        (b"", b""),
    ],
)
def test_removing_sequences_creates_no_new_ones(stream: bytes, clean: bytes) -> None:
    assert sanitise(stream) == clean


@given(stream=streams.anything, size=streams.sizes)
@example(b"\x1b[3\x1b[c1mX", (5, 10))
@example(b"x\x1b[b\x07\x1b[b", (5, 10))
def test_no_answers_and_the_same_screen(xterm: Xterm, stream: bytes, size: tuple[int, int]) -> None:
    rows, cols = size
    clean = sanitise(stream)
    assert xterm.answers(clean, rows=rows, cols=cols) == []
    expected, found = xterm.show(stream, clean, rows=rows, cols=cols)
    assert found == expected


@given(stream=streams.anything)
def test_sanitizing_twice_changes_nothing(stream: bytes) -> None:
    clean = sanitise(stream)
    assert sanitise(clean) == clean
