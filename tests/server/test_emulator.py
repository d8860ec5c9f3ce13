"""Screens drawn by the emulator from a replay, compared with xterm.js and the output itself: rows, cursor, title."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings

from jupyter_ptytasks.core.terminal import replay
from jupyter_ptytasks.core.terminal.modes import TerminalModes
from jupyter_ptytasks.core.terminal.vt import complete
from jupyter_ptytasks.server.terminals import emulator
from tests.oracle import streams
from tests.oracle.client import xterm

if TYPE_CHECKING:
    from tests.oracle.client import Xterm

pyghostty = pytest.importorskip("pyghostty")

__all__ = ["xterm"]

RECORDINGS = sorted((Path(__file__).parents[1] / "data" / "streams").iterdir())
#: The places in a recording at which somebody looks.
LOOKS = 8


def emulated(stream: bytes, rows: int, cols: int) -> dict[str, Any]:
    """What the emulator shows."""
    built = replay.build(b"", TerminalModes(), stream, rows=rows, cols=cols, lines=rows)
    shown = emulator.show(pyghostty, built.data, rows, cols)
    del shown["ansi"]
    return shown


def seen(oracle: Xterm, stream: bytes, rows: int, cols: int) -> dict[str, Any]:
    """What xterm.js shows."""
    (snapshot,) = oracle.show(stream, rows=rows, cols=cols)
    screen = snapshot["alt" if snapshot["alternate"] else "normal"]
    lines = [text.replace("\0", " ").rstrip() for text, *_ in screen["lines"]]
    return {
        "rows": rows,
        "cols": cols,
        "cursor": {
            "row": screen["y"],
            "col": min(screen["x"], cols - 1),
            "visible": not snapshot["modes"]["cursorHidden"],
        },
        "lines": lines[screen["base"] : screen["base"] + rows],
        "title": snapshot["title"],
        "alternate": snapshot["alternate"],
    }


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.name)
def test_recordings_of_real_programs(xterm: Xterm, recording: Path) -> None:
    """At the end and during the run, with and without a full-screen program; incomplete tokens are not shown yet."""
    whole = recording.read_bytes()
    for part in range(1, LOOKS + 1):
        stream = whole[: len(whole) * part // LOOKS]
        stream = stream[: complete(stream)]
        assert emulated(stream, 24, 80) == seen(xterm, stream, 24, 80), part


def narrow_emoji(stream: bytes) -> bytes:
    """A stream without emoji: xterm.js, as JupyterLab sets it up, takes those of Unicode 9 and later for narrow."""
    return stream.decode("utf-8", "ignore").replace("🚀", "漢").encode()


@given(stream=streams.programs, size=streams.sizes)
@settings(max_examples=60, derandomize=True, deadline=None)
@example(stream=b"\x1b[2;4rone\r\ntwo\r\nthree\r\nfour\r\nfive", size=(6, 20))
@example(stream="e\u0301 漢字 \u26a0\ufe0f x".encode() * 9, size=(5, 13))
@example(stream=b"below\x1b[?1049h\x1b[2;3Hfull\x1b[?25l\x1b]2;vim\x07", size=(5, 20))
@example(stream=b"below\x1b[?1049h\x1b[2;3Hfull\x1b[?1049l above", size=(5, 20))
def test_programs(xterm: Xterm, stream: bytes, size: tuple[int, int]) -> None:
    stream = narrow_emoji(stream)
    assert emulated(stream, *size) == seen(xterm, stream, *size)


def test_colors_are_those_of_the_screen(xterm: Xterm) -> None:
    """A terminal that is fed the screen with colors shows it as one that was fed the output."""
    for recording in RECORDINGS:
        stream = recording.read_bytes()
        built = replay.build(b"", TerminalModes(), stream, rows=24, cols=80, lines=24)
        ansi = emulator.show(pyghostty, built.data, 24, 80)["ansi"].rstrip("\n").replace("\n", "\r\n")
        live, again = xterm.show(stream, ansi.encode())
        screen = live["alt" if live["alternate"] else "normal"]
        wanted = screen["lines"][screen["base"] : screen["base"] + 24]
        for row, (shown, line) in enumerate(zip(again["normal"]["lines"], wanted, strict=True)):
            assert looks(shown) == looks(line), (recording.name, row)


def looks(line: list[Any]) -> list[tuple[str, ...]]:
    """Each character of a line with how it looks, as far as that is seen."""
    text, runs = line[0].replace("\0", " "), line[1]
    each = [look for length, look in runs for _ in range(length)] or [""] * len(text)
    cells = [(char, *look_of(char, look)) for char, look in zip(text.ljust(len(each)), each, strict=False)]
    while cells and cells[-1] == (" ", *look_of(" ", "")):
        cells.pop()
    return cells


def look_of(char: str, look: str) -> tuple[str, ...]:
    """Colors and attributes of a character; of a blank that is not inverse, only the background."""
    # The first 16 colors have two ways to be asked for.
    foreground, background, attributes, *others = (re.sub(r"\b1:", "2:", look) or "- - 0.0").split(" ")
    if char == " " and not int(attributes.split(".")[0], 16) & 1:
        foreground, attributes = "-", "0.0"
    return foreground, background, attributes, *others
