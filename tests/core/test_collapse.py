"""The law of collapse, judged by xterm.js: the same screen, scrollback, cursor and modes, from fewer bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from jupyter_ptytasks.core.terminal.collapse import collapse
from tests.oracle import streams

if TYPE_CHECKING:
    from tests.oracle.client import Xterm


def assert_same(xterm: Xterm, stream: bytes, other: bytes, rows: int, cols: int) -> None:
    expected, found = xterm.show(stream, other, rows=rows, cols=cols)
    # Where the alternate screen saved its cursor is no one's concern once it is gone.
    for snapshot in (expected, found):
        del snapshot["alt"]["saved"]
    assert found == expected


@given(stream=streams.programs, size=streams.sizes)
def test_programs_look_the_same(xterm: Xterm, stream: bytes, size: tuple[int, int]) -> None:
    rows, cols = size
    assert_same(xterm, stream, collapse(stream, cols, rows), rows, cols)


@given(stream=streams.everything, size=streams.sizes)
def test_rare_sequences_look_the_same(xterm: Xterm, stream: bytes, size: tuple[int, int]) -> None:
    rows, cols = size
    assert_same(xterm, stream, collapse(stream, cols, rows), rows, cols)


@given(stream=streams.anything, size=streams.sizes)
def test_garbage_looks_the_same(xterm: Xterm, stream: bytes, size: tuple[int, int]) -> None:
    rows, cols = size
    assert_same(xterm, stream, collapse(stream, cols, rows), rows, cols)
