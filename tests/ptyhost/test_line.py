"""Only lines that a terminal would cut are refused, compared with the kernel itself."""

from __future__ import annotations

import json
import os
import select
import sys
import termios
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.ptyhost.line_posix import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ptyhost.hosting import Hosted, Peer

LIMIT = Line().limit
FLAGS = [(0, termios.ICRNL), (0, termios.IGNCR), (0, termios.INLCR), (0, termios.IXON), (0, 0x4000)]
FLAGS += [(3, termios.ISIG), (3, termios.NOFLSH), (3, termios.IEXTEN), (3, termios.ECHO)]

#: Plain text, text around the limit, and all keys that edit: ^C ^H ^U ^W ^Q ^S ^R ^V ^Z ^\ DEL, CR and é.
PIECES = st.one_of(
    st.text("ab _.-é\u20ac", max_size=8).map(str.encode),
    st.sampled_from(
        [b"\x03", b"\x08", b"\x15", b"\x17", b"\x11", b"\x12", b"\x1a", b"\x1c", b"\x7f", b"\x0f", b"\xe9", b"\xbf"]
    ),
    st.sampled_from([b"\x16a", b"\x16\x15"]),
    st.integers(1, 3).map(lambda few: b"\x7f" * few),
    st.integers(LIMIT - 3, LIMIT + 3).map(lambda size: b"x" * size),
    st.just("é".encode() * 2048),
)


class Terminal:
    """A terminal in line mode that echoes nowhere, and what can be read from it."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        self.usual = termios.tcgetattr(self.slave)

    def set(self, on: set[int]) -> list[Any]:
        mode: list[Any] = list(self.usual)
        for number, (field, flag) in enumerate(FLAGS):
            mode[field] = mode[field] | flag if number in on else mode[field] & ~flag
        termios.tcsetattr(self.slave, termios.TCSANOW, mode)
        termios.tcflush(self.slave, termios.TCIOFLUSH)
        return termios.tcgetattr(self.master)

    def read(self) -> bytes:
        """Return the one line that has been typed."""
        assert select.select([self.slave], [], [], 10)[0]
        return os.read(self.slave, 10_000)

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    one = Terminal()
    yield one
    one.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel is asked")
@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(PIECES, max_size=6), on=st.sets(st.integers(0, len(FLAGS) - 1)))
@example([b"x" * LIMIT], set())
@example([b"x" * (LIMIT + 1)], set())
@example([b"x" * LIMIT, b"\x15", b"x" * LIMIT], {5, 7})
@example([b"a" * 10, "é".encode() * 2040, b"\x7f" * 3, b"xxxxxxx"], {4, 7})
def test_what_is_taken_is_what_the_kernel_keeps(terminal: Terminal, pieces: list[bytes], on: set[int]) -> None:
    # With INLCR a line feed is not the end of a line.
    mode = terminal.set(on - {2})
    line, whole = Line(), Line(1 << 20)
    taken = True
    for piece in pieces:
        taken = line.type(piece, mode)
        assert whole.type(piece, mode)
        os.write(terminal.master, piece)
        if not taken:
            break  # a terminal that is given still more takes nothing any more
    os.write(terminal.master, b"\n")
    kept = terminal.read()
    if taken:
        assert bytes(line._typed) + b"\n" == kept
    elif len(whole._typed) > LIMIT:
        assert bytes(whole._typed) + b"\n" != kept


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\x04"])
def test_every_end_of_a_line_begins_another(end: bytes) -> None:
    terminal = Terminal()
    mode = terminal.set({0, 7})
    terminal.close()
    line = Line()
    assert line.type((b"x" * LIMIT + end) * 100 + b"x" * LIMIT, mode)
    assert not line.type(b"x", mode)
    assert line.type(end, mode)
    assert not line
    assert not line.type(b"x" * LIMIT + b"x" + end, mode)
    assert not line


def test_without_line_mode_there_is_no_limit() -> None:
    terminal = Terminal()
    mode = terminal.set(set())
    terminal.close()
    line = Line()
    assert line.type(b"x" * 100, mode)
    mode[3] = 0
    assert line.type(b"x" * 100_000, mode)
    assert not line


# -- what a ptyhost makes of it ---------------------------------------------------------------------------------------

#: Without echo: the kernel may put what it echoes of the next line between a count and the end of its line.
COUNT = (
    "import sys, termios\n"
    "mode = termios.tcgetattr(0)\nmode[3] &= ~termios.ECHO\ntermios.tcsetattr(0, termios.TCSANOW, mode)\n"
    "print('ready')\nfor line in sys.stdin: print(len(line))"
)


def refusal(peer: Peer) -> dict[str, object]:
    about: dict[str, object] = json.loads(peer.next(wire.REFUSED))
    return about


def test_a_line_that_is_too_long_is_refused_whole(hosted: Hosted) -> None:
    hosted.python(COUNT)
    hosted.wait_output(b"ready")
    viewer, link = hosted.viewer("one"), hosted.connect(role="link")
    assert viewer.decoder.hello is not None
    assert "refuse" in viewer.decoder.hello["capabilities"]
    viewer.send(wire.INPUT, b"first\n" + b"x" * (LIMIT + 1) + b"\nlast\n")
    assert refusal(viewer) == {"reason": "line_too_long", "bytes": LIMIT + 13, "limit": LIMIT}
    viewer.send(wire.INPUT, b"x" * LIMIT + b"\n" + b"y" * 100 + b"\n")
    hosted.wait_output(f"{LIMIT + 1}\r\n".encode())
    # Piece by piece: the second would make the line too long, and the line goes on without it.
    viewer.send(wire.INPUT, b"z" * 3000)
    viewer.send(wire.INPUT, b"z" * 3000)
    assert refusal(viewer)["bytes"] == 3000
    viewer.send(wire.INPUT, b"\n")
    hosted.wait_output(b"3001\r\n")
    assert b"first" not in hosted.output()
    assert not any(kind == wire.REFUSED for kind, _ in link.frames)


def test_the_continuation_of_a_refused_line_is_refused(hosted: Hosted) -> None:
    hosted.python(COUNT)
    hosted.wait_output(b"ready")
    typist = hosted.connect(role="input")
    for size in (wire.MAX_PAYLOAD, wire.MAX_PAYLOAD, 10):
        typist.send(wire.INPUT, b"x" * size)
        assert refusal(typist)["bytes"] == size
    typist.send(wire.INPUT, b"hello\n")
    hosted.wait_output(b"\r\n6\r\n")


def test_a_program_that_takes_keys_takes_any_number(hosted: Hosted) -> None:
    """When it returns to line mode, what it has read of the line no longer counts."""
    hosted.python(
        "import os, sys, tty, termios\n"
        "usual = termios.tcgetattr(0)\n"
        "print('ready')\nsys.stdin.readline()\n"
        "tty.setraw(0, termios.TCSANOW)\nprint('raw')\ncount = 0\n"
        "while count < 103000: count += len(os.read(0, 65536))\n"
        "termios.tcsetattr(0, termios.TCSADRAIN, usual)\n"
        "print('lines')\nprint(len(sys.stdin.readline()))"
    )
    hosted.wait_output(b"ready")
    viewer = hosted.viewer("one")
    viewer.send(wire.INPUT, b"go\n" + b"x" * 3000)
    hosted.wait_output(b"raw")
    viewer.send(wire.INPUT, b"x" * 100_000)
    hosted.wait_output(b"lines")
    viewer.send(wire.INPUT, b"x" * 3000 + b"\n")
    assert hosted.ended()["code"] == 0
    assert hosted.output().endswith(b"3001\r\n")
