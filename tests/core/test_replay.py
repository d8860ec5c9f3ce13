"""Replay compared with xterm.js: a late viewer sees the same as one that never left."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core.terminal import replay
from jupyter_ptytasks.core.terminal.modes import TerminalModes
from jupyter_ptytasks.core.terminal.wcwidth import WIDE
from tests.oracle import streams

if TYPE_CHECKING:
    from tests.oracle.client import Snapshot, Xterm


def build(stream: bytes, *, rows: int, cols: int, **about: Any) -> bytes:
    """The replay of a stream that is whole, with the live output that follows upon it."""
    built = replay.build(b"", TerminalModes(), stream, rows=rows, cols=cols, **about)
    return built.data + built.tail


def through(segments: list[bytes], *, rows: int, cols: int) -> bytes:
    """The same through the keyframes of a ring that has dropped all but the last of `segments`."""
    scrollback, modes = b"", TerminalModes()
    for segment in segments[:-1]:
        after = modes.copy()
        after.feed(segment)
        if modes.alternate_since is None or after.alternate_since != modes.alternate_since:
            scrollback = replay.keyframe(scrollback, modes, segment, cols, rows)
        modes = after
    built = replay.build(scrollback, modes, segments[-1], rows=rows, cols=cols)
    return built.data + built.tail


LINK = re.compile(r"http\S*")


def seen(snapshot: Snapshot) -> Snapshot:
    """A snapshot without what no one sees: the place that a screen which is not shown saved."""
    del snapshot["alt"]["saved"]
    del snapshot["normal"]["saved"]
    # xterm.js forgets hyperlinks with the row in which they began.
    pen = LINK.sub("", snapshot["pen"]).strip()
    snapshot["pen"] = "" if pen == "- - 0.0" else pen
    for line in [*snapshot["normal"]["lines"], *snapshot["alt"]["lines"]]:
        runs: list[list[Any]] = []
        for length, look in line[1]:
            look = LINK.sub("", look)  # noqa: PLW2901
            look = "" if look == "- - 0.0  " else look.rstrip()  # noqa: PLW2901
            if runs and runs[-1][1] == look:
                runs[-1][0] += length
            else:
                runs.append([length, look])
        line[1] = [] if len(runs) == 1 and not runs[0][1] else runs
    # What the first row goes on is gone.
    snapshot["normal"]["lines"][0][2:] = []
    # What the alternate screen held is gone once it is left.
    if not snapshot["alternate"]:
        del snapshot["alt"]
    # It ends by itself, after a second or at the next frame.
    del snapshot["modes"]["synchronizedOutputMode"]
    return snapshot


@given(stream=streams.anything, size=streams.sizes)
@example(b"\x1b]8;;http://a/b\x1b\\\x1b[2J", (5, 10))
def test_a_whole_stream_looks_as_it_did(xterm: Xterm, stream: bytes, size: tuple[int, int]) -> None:
    rows, cols = size
    live, late = xterm.show(stream, build(stream, rows=rows, cols=cols), rows=rows, cols=cols)
    assert seen(late) == seen(live)
    assert xterm.answers(build(stream, rows=rows, cols=cols)) == []


@given(stream=streams.programs, size=streams.sizes)
def test_it_replaces_whatever_was_shown(xterm: Xterm, stream: bytes, size: tuple[int, int]) -> None:
    """A viewer that fell behind gets a replay in any state."""
    rows, cols = size
    before = b"\x1b[?1049h\x1b[31m\x1b(0\x1b[2;3r\x1b[?6h\x1b[4hjunk\x1b]0;cut"
    again = before + build(stream, rows=rows, cols=cols)
    live, late = xterm.show(b"\x1b]2;\x07" + stream, again, rows=rows, cols=cols, scrollback=0)
    for snapshot in (live, late):
        # Titles are no part of a reset, and tab stops of the alternate screen are kept by it.
        del snapshot["title"], snapshot["alt"]["tabs"]
    assert seen(late) == seen(live)


@given(data=st.data(), parts=st.lists(streams.programs, min_size=2, max_size=5), size=streams.sizes)
def test_keyframes_hand_the_normal_screen_on(
    xterm: Xterm, data: st.DataObject, parts: list[bytes], size: tuple[int, int]
) -> None:
    """Segments end anywhere: within a line, a sequence, a character; with a full-screen program open or not."""
    rows, cols = size
    # Leaving by 47 or 1047, which nothing uses any more, would take the cursor along.
    stream = b"".join(parts).replace(b"?1047", b"?1049").replace(b"?47", b"?1049")
    # Without wraparound, xterm.js keeps a wide character whose second half is overwritten in the last column.
    assume(b"?7l" not in stream or not WIDE.search(stream.decode("utf-8", "replace")))
    segments = data.draw(streams.chunks(stream))
    live, late = xterm.show(stream, through(segments, rows=rows, cols=cols), rows=rows, cols=cols)
    live, late = seen(live), seen(late)
    if live["alternate"]:
        # What a full-screen program drew before the last segment it is made to draw again.
        del live["alt"], late["alt"]
    assert late == live


@pytest.mark.parametrize("erase", [b"\x1b[2K", b"\x1b[1K", b"\x1b[2J", b"\x1b[1J"])
@pytest.mark.parametrize("pen", [b"", b"\x1b[44m", b"\x1b[1;31;44m"])
def test_a_full_row_that_was_erased_still_wraps(xterm: Xterm, pen: bytes, erase: bytes) -> None:
    """The cursor is still behind the last column; the next character goes to the next row."""
    for stream in (b"x" * 20 + pen + erase, b"x" * 20 + pen + erase + b"y"):
        live, late = xterm.show(stream, build(stream, rows=5, cols=20), rows=5, cols=20)
        assert seen(late) == seen(live)


@pytest.mark.parametrize(
    "segments",
    [
        [b"\x1b(0\x1b[?1049l\x1b[?1049h\x0f"],
        [b"\x1b(0\x1b[?1049l\x1b[?1049h", b"\x0f"],
        [b"\x1b[?1049h\x1b(0\x1b7\x1b[?1049l", b"\x1b[?1049h", b"\x0f"],
        [b"left\x1b(0\x1b7\x1b(Bright\x1b8", b"q\x0fq", b"q\r\n"],
        [b"\x1b(0q\x1b8" + b"x" * 20, b"\x0fqq"],
    ],
)
def test_keyframes_hand_designated_charsets_on(xterm: Xterm, segments: list[bytes]) -> None:
    """DECRC restores which charset is active, but not which are designated: SI and SO tell."""
    live, late = xterm.show(b"".join(segments), through(segments, rows=5, cols=20), rows=5, cols=20)
    assert seen(late) == seen(live)


LINES = b"".join(b"line %d of many \x1b[3%dm+\x1b[0m\r\n" % (number, number % 8) for number in range(30_000))


@pytest.mark.parametrize("lines", [10, 100, 1000])
def test_the_last_lines_of_many(xterm: Xterm, lines: int) -> None:
    data = build(LINES + b"$ ", rows=24, cols=80, lines=lines)
    live, late = xterm.show(LINES + b"$ ", data, rows=24, cols=80, scrollback=5000)
    assert late["normal"]["lines"] == live["normal"]["lines"][-max(lines, 24) - 1 :]
    assert late["normal"]["x"] == 2
    assert len(data) < 50 * max(lines, 24) + 100


def test_the_colors_of_a_line_that_was_cut_off(xterm: Xterm) -> None:
    stream = b"\x1b[1;31m\x1b]8;;http://a/\x1b\\" + b"x\r\n" * 5000
    live, late = xterm.show(stream, build(stream, rows=10, cols=20), rows=10, cols=20, scrollback=900)
    assert late["normal"]["lines"] == live["normal"]["lines"]
    assert late["pen"] == live["pen"] != ""


def test_bytes_are_bounded(xterm: Xterm) -> None:
    stream = b"".join(b"\x1b[3%d;4%dm%d \r\n" % (n % 8, n % 7, n) * 3 for n in range(20_000))
    data = build(stream, rows=24, cols=80, lines=100_000, limit=100_000)
    assert 90_000 < len(data) < 110_000
    live, late = xterm.show(stream, data, rows=24, cols=80, scrollback=50_000)
    assert late["normal"]["lines"][24:] == live["normal"]["lines"][-len(late["normal"]["lines"]) + 24 :]


def test_a_long_line_is_cut_at_a_character(xterm: Xterm) -> None:
    stream = "żółw🐢".encode() * 20_000
    data = build(stream, rows=5, cols=20, limit=10_001)
    (late,) = xterm.show(data, rows=5, cols=20)
    assert "\ufffd" not in str(late)


def test_a_bar_is_its_last_frame(xterm: Xterm) -> None:
    stream = b"".join(b"\r%3d%%|%-50s| %d/5000" % (n // 50, b"#" * (n // 100), n) for n in range(5001))
    data = build(stream, rows=24, cols=80)
    live, late = xterm.show(stream, data)
    assert seen(late) == seen(live)
    assert len(data) < 200


@pytest.mark.parametrize("size", [1000, 200_000, 1_000_000])
def test_an_open_full_screen_program(xterm: Xterm, size: int) -> None:
    """Everything drawn since it last cleared the screen is there, as are modes and the normal screen below."""
    frame = b"\x1b[H\x1b[2J" + b"".join(b"\x1b[%d;1Hcpu %d\x1b[K" % (row, row) for row in range(1, 25))
    stream = b"$ htop\r\n\x1b[?1049h\x1b[?1h\x1b[?25l\x1b[?1000h" + frame * (size // len(frame) + 1)
    built = replay.build(b"", TerminalModes(), stream, rows=24, cols=80)
    assert built.alternate
    assert len(built.data) < 20_000
    live, late = xterm.show(stream, built.data)
    assert seen(late) == seen(live)


def test_a_full_screen_program_that_never_clears_is_bounded(xterm: Xterm) -> None:
    stream = b"$ edit\r\n\x1b[?1049h" + b"".join(b"\x1b[%d;3H%d\x1b[K" % (n % 24 + 1, n) for n in range(100_000))
    built = replay.build(b"", TerminalModes(), stream, rows=24, cols=80)
    assert built.alternate
    assert len(built.data) < (1 << 20) + 100
    live, late = xterm.show(stream, built.data)
    assert seen(late) == seen(live)


@pytest.mark.parametrize(
    ("stream", "tail"),
    [
        (b"text", b""),
        (b"text\x1b[3", b"\x1b[3"),
        (b"caf\xc3", b"\xc3"),
        (b"a\x1b]0;tit", b"\x1b]0;tit"),
    ],
)
def test_the_live_output_continues_the_cut_token(stream: bytes, tail: bytes) -> None:
    assert replay.build(b"", TerminalModes(), stream, rows=24, cols=80).tail == tail


def test_a_token_that_spans_a_whole_segment(xterm: Xterm) -> None:
    begun = TerminalModes()
    begun.feed(b"\x1b]0;tit")
    built = replay.build(b"", begun, b"le", rows=24, cols=80)
    assert built.tail == b"le"
    (late,) = xterm.show(built.data + built.tail + b"\x07shown")
    assert (late["title"], late["normal"]["lines"][0][0]) == ("title", "shown")


def test_a_string_without_end_is_not_sent_whole(xterm: Xterm) -> None:
    stream = b"seen\x1b]1337;File=:" + b"A" * 500_000
    built = replay.build(b"", TerminalModes(), stream, rows=24, cols=80)
    assert (built.tail, len(built.data) < 8192) == (b"", True)
    (late,) = xterm.show(built.data + b"AAAA\x07 shown")
    assert late["normal"]["lines"][0][0] == "seen shown"


@given(data=st.binary(max_size=400), scrollback=st.binary(max_size=50))
@example(b"", b"")
def test_garbage_never_fails(data: bytes, scrollback: bytes) -> None:
    modes = TerminalModes()
    modes.feed(scrollback)
    assert replay.build(scrollback, modes, data, rows=1, cols=1, lines=0).data.startswith(replay.RIS)
    assert isinstance(replay.keyframe(scrollback, modes, data, 1, 1), bytes)


LOG_LINES = st.lists(
    st.sampled_from(
        [b"plain", b"\x1b[31mred", b"\x1b[0m", b"\x1b[1;4mbold", b"w\xc3\xb6rd", b"\xe6\xbc\xa2\xe5\xad\x97", b" "]
    ),
    max_size=5,
).map(b"".join)


@given(
    st.lists(LOG_LINES, min_size=60, max_size=90).map(b"\r\n".join),
    st.sampled_from(
        [b"", b"\x1b[7m", b"\x1b[2;5r\x1b[9;1H", b"\x1b[4h", b"\x1b[?7l", b"\x1b(0", b"\x1b[?25l\x1b]2;title\x07"]
    ),
    st.sampled_from([b"", b"\r\n", b"$ "]),
)
@settings(max_examples=60)
def test_a_log_is_replayed_as_it_was_written(xterm: Xterm, log: bytes, before: bytes, behind: bytes) -> None:
    """In any modes: if they make a difference, it is drawn."""
    stream = before + log + behind
    live, late = xterm.show(stream, build(stream, rows=10, cols=40, lines=30), rows=10, cols=40, scrollback=900)
    shown = late["normal"]["lines"]
    assert shown == live["normal"]["lines"][len(live["normal"]["lines"]) - len(shown) :]
    assert len(shown) >= 10
    assert {name: late[name] for name in late if name != "normal"} == {
        name: live[name] for name in live if name != "normal"
    }
    assert (late["normal"]["x"], late["normal"]["y"]) == (live["normal"]["x"], live["normal"]["y"])


def test_a_log_with_anything_else_in_it_is_drawn(xterm: Xterm) -> None:
    """Only text and colors are replayed as they were written: not what may be something else without the colors."""
    for odd in (
        b"a\r\x1b[mb",
        b"a\r\x1b[m\nb",
        b"\x1b\x1b[m[31mred",
        b"a\nb",
        b"a\x07b",
        b"a\tb",
        b"a\x7fb",
        b"a\n\r\nb",
    ):
        stream = b"".join(b"line %d\r\n" % number for number in range(60)) + odd + b"\r\nlast"
        live, late = xterm.show(stream, build(stream, rows=10, cols=40, lines=30), rows=10, cols=40, scrollback=900)
        shown = late["normal"]["lines"]
        assert len(shown) >= 30
        assert shown == live["normal"]["lines"][-len(shown) :]
        assert b"\x07" not in build(stream, rows=10, cols=40, lines=30)


@given(
    st.lists(st.integers(0, 42), min_size=10, max_size=40),
    st.sampled_from([b"", b"abc", b"\x1b[4h", b"\x1b[?7l", b"one\r\n"]),
    st.sampled_from(["x", "█", "⠋", "漢"]),
)
@settings(max_examples=60)
def test_a_bar_of_any_frames_is_what_shows(xterm: Xterm, lengths: list[int], before: bytes, cell: str) -> None:
    """Frames that a later one draws over are not drawn; what of a longer one stands behind a shorter one is."""
    frames = [f"{number % 10}{cell * length}" for number, length in enumerate(lengths)]
    stream = before + "\r".join(frames).encode()
    live, late = xterm.show(stream, build(stream, rows=10, cols=40), rows=10, cols=40)
    assert seen(late) == seen(live)


@pytest.mark.parametrize("left", [b"", b"\x1b[31m", b"\x1b(0", b"\x1b)0\x0e", b"\x1b[1;31;44m\x1b[4h"])
def test_lines_that_are_left_out_below_others_are_counted(xterm: Xterm, left: bytes) -> None:
    """Too many frames to be drawn in time: those of the last lines are, behind what the keyframe has."""
    scrollback = b"".join(b"old %d\r\n" % number for number in range(5)) + left
    modes = TerminalModes()
    modes.feed(scrollback)
    lines = [b"".join(b"%4d%%\r" % step for step in range(1000)) + b"new %d\r\n" % number for number in range(100)]
    for data in (lines, [*lines[:1], *[b"\x1b[7m" + line + b"\x1b[m" for line in lines[1:]]]):
        built = replay.build(scrollback, modes, b"".join(data), rows=24, cols=80)
        (late,) = xterm.show(built.data, scrollback=900)
        texts = [text for text, _ in late["normal"]["lines"] if text.strip()]
        assert [text.strip() for text in texts[:5]] == [f"old {number}" for number in range(5)]
        assert texts[5].startswith("[")
        missing = int(texts[5][1:].split()[0])
        assert texts[5].strip() == f"[{missing} lines left out]"
        assert 10 < missing < 90
        # In whatever charset.
        assert [int(text.split()[1]) for text in texts[7:]] == list(range(missing + 1, 100))
