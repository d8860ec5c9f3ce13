"""Replays of recorded programs (tests/data/record.py), at any time and after the ring has wrapped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core.terminal import replay
from jupyter_ptytasks.core.terminal.modes import TerminalModes
from tests.core.test_replay import seen, through

if TYPE_CHECKING:
    from tests.oracle.client import Xterm

ROWS, COLS = 24, 80
RECORDINGS = sorted((Path(__file__).parent.parent / "data" / "streams").iterdir())

pytestmark = pytest.mark.slow

recordings = pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)


def cuts(stream: bytes, count: int) -> list[int]:
    """Offsets all over the stream; the step is odd, so that they fall anywhere in sequences that repeat."""
    return list(range(len(stream) // count | 1, len(stream), len(stream) // count | 1))


@recordings
def test_reattached_at_any_moment(xterm: Xterm, path: Path) -> None:
    stream = path.read_bytes()
    attached = []
    for cut in cuts(stream, 40):
        built = replay.build(b"", TerminalModes(), stream[:cut], rows=ROWS, cols=COLS)
        attached.append(built.data + built.tail + stream[cut:])
    live, *late = map(seen, xterm.show(stream, *attached, rows=ROWS, cols=COLS))
    for snapshot in late:
        assert snapshot == live


@recordings
def test_shown_as_it_is_at_any_moment(xterm: Xterm, path: Path) -> None:
    stream = path.read_bytes()
    for cut in cuts(stream, 20):
        built = replay.build(b"", TerminalModes(), stream[:cut], rows=ROWS, cols=COLS)
        live, late = map(seen, xterm.show(stream[:cut], built.data + built.tail, rows=ROWS, cols=COLS))
        assert late == live
        assert xterm.answers(built.data) == []


@recordings
@pytest.mark.parametrize("size", [257, 1021])
def test_after_the_ring_has_wrapped(xterm: Xterm, path: Path, size: int) -> None:
    stream = path.read_bytes()
    segments = [stream[start : start + size] for start in range(0, len(stream), size)]
    live, late = map(seen, xterm.show(stream, through(segments, rows=ROWS, cols=COLS), rows=ROWS, cols=COLS))
    if live["alternate"]:
        # What was drawn before the last segment the program is made to draw again: see tests/server/test_programs.py.
        del live["alt"], late["alt"]
    assert late == live


@recordings
def test_a_replay_is_never_longer(path: Path) -> None:
    stream = path.read_bytes()
    assert len(replay.build(b"", TerminalModes(), stream, rows=ROWS, cols=COLS).data) <= len(stream) + 256


def test_bars_are_small() -> None:
    """A viewer loads only what a bar shows, not its history."""
    stream = next(path for path in RECORDINGS if path.name == "tqdm").read_bytes()
    assert len(replay.build(b"", TerminalModes(), stream, rows=ROWS, cols=COLS).data) < len(stream) / 5
