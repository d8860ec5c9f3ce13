"""Terminal modes compared with xterm.js: the tracked state, and that the prelude restores it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jupyter_ptytasks.core.terminal.modes import TerminalModes
from tests.oracle import streams

if TYPE_CHECKING:
    from tests.oracle.client import Snapshot, Xterm


LINK = re.compile(r"http\S*")


def feed(*chunks: bytes) -> TerminalModes:
    modes = TerminalModes()
    for chunk in chunks:
        modes.feed(chunk)
    return modes


def state(modes: TerminalModes) -> dict[str, Any]:
    return modes.to_json()


def remembered(snapshot: Snapshot) -> dict[str, Any]:
    """What of a snapshot is the ledger's: all but cells, places and tab stops."""
    kept = {key: snapshot[key] for key in ("alternate", "modes", "pen", "title")}
    kept["modes"] = kept["modes"] | {"synchronizedOutputMode": False}
    kept["margins"] = [snapshot["normal"]["margins"], snapshot["alternate"] and snapshot["alt"]["margins"]]
    return kept


@given(stream=streams.anything)
@example(b"\x1b[31m\x1b7\x1b[0;1m\x1b8")
@example(b"\x1b[31m\x1b[?1049h\x1b[0;7m\x1b[?1049l")
@example(b"\x1b[?1049h\x1b7\x1b[2;4r\x1b[?1049l\x1b[?1047h")
@example(b"\x1b(0\x1b7\x0e\x1b8")
@example(b"\x1b[38;5m\x1b[48;2;1m\x1b[38;9;1;31m\x1b[1;38;5;200;4m")
@example(b"\x1b]8;;http://a/b\x1b\\\x1b[2J")
@example(b"\x1b7\x1b]8;;http://a/b\x1b\\\x1b8")
def test_prelude_brings_a_fresh_terminal_into_the_same_state(xterm: Xterm, stream: bytes) -> None:
    """Except for hyperlinks that xterm.js forgets with the row where they began, or hides after DECRC until SGR 0."""
    modes = feed(stream)
    live, restored = xterm.show(stream, b"\x1bc" + modes.prelude() + modes.pending, rows=6, cols=20)
    if LINK.search(restored["pen"]) and not LINK.search(live["pen"]):
        pen = LINK.sub("", restored["pen"]).strip()
        restored["pen"] = "" if pen == "- - 0.0" else pen
    assert remembered(restored) == remembered(live)


@given(stream=streams.anything, shift=st.sampled_from([b"\x0e", b"\x0f"]))
@example(b"\x1b(0\x1b8", b"\x0f")
@example(b"\x1b(0\x1b7\x1b(B\x1b8\x1b[?1049h", b"\x0f")
@example(b"\x1b[?1049h\x1b(0\x1b7\x1b[?1049l\x1b[?1049h", b"\x0f")
@example(b"\x1b[?1049h\x1b)0\x0e\x1b7\x0f\x1b8", b"\x0f")
def test_prelude_designates_the_charsets_that_shifts_activate(xterm: Xterm, stream: bytes, shift: bytes) -> None:
    """DECRC activates the charset that was saved, whatever is designated."""
    # Leaving by 47 or 1047, which nothing uses anymore, would keep the charset of the alternate screen.
    stream = stream.replace(b"?1047", b"?1049").replace(b"?47", b"?1049")
    modes = feed(stream)
    late = b"\x1bc" + modes.prelude() + modes.pending + shift
    live, restored = xterm.show(stream + shift, late, rows=6, cols=20)
    assert remembered(restored)["modes"] == remembered(live)["modes"]


@given(first=streams.anything, second=streams.anything)
def test_prelude_since_a_known_state(xterm: Xterm, first: bytes, second: bytes) -> None:
    before, after = feed(first), feed(second)
    change = b"\x1bc" + before.prelude() + after.prelude(before)
    live, restored = xterm.show(b"\x1bc" + after.prelude(), change, rows=6, cols=20)
    assert remembered(restored) == remembered(live)


@given(data=st.data(), stream=streams.anything)
def test_chunks_make_no_difference(data: st.DataObject, stream: bytes) -> None:
    assert state(feed(*data.draw(streams.chunks(stream)))) == state(feed(stream))


@given(stream=streams.anything)
def test_json_and_copy_keep_everything(stream: bytes) -> None:
    modes = feed(stream)
    copy = modes.copy()
    assert state(TerminalModes.from_json(json.loads(json.dumps(modes.to_json())))) == state(modes) == state(copy)
    copy.feed(b"\x18\x1b[1;31m\x1b7\x1b[?1049h\x1b[2;3r\x1b7\x1b)0\x0e\x1b[?2004h")
    assert state(modes) == state(feed(stream))


@pytest.mark.parametrize(
    "garbage",
    [
        None,
        3,
        "x",
        [],
        {},
        {"flags": 3},
        {**TerminalModes().to_json(), "charsets": 7},
        TerminalModes().to_json() | {"pen": 1},
    ],
)
def test_garbage_in_json_gives_new_modes(garbage: object) -> None:
    assert state(TerminalModes.from_json(garbage)) == state(TerminalModes())


def test_nothing_to_say_between_equal_states() -> None:
    modes = feed(b"\x1b[1;31m\x1b[?1h\x1b]0;x\x07")
    assert modes.prelude(modes.copy()) == b""


def test_the_alternate_screen_remembers_where_it_was_entered() -> None:
    modes = feed(b"abc\x1b[?10", b"49", b"hrest")
    assert modes.alternate
    assert (modes.alternate_since, modes.alternate_token) == (len(b"abc\x1b[?1049h"), b"\x1b[?1049h")
    modes.feed(b"\x1b[?1049l")
    assert (modes.alternate, modes.alternate_since) == (False, None)


@pytest.mark.parametrize(
    ("stream", "pending"),
    [
        (b"text", b""),
        (b"text\x1b", b"\x1b"),
        (b"\x1b[31m\x1b[3", b"\x1b[3"),
        (b"caf\xc3", b"\xc3"),
        (b"\xe2\x94\x80\xe2\x94", b"\xe2\x94"),
        (b"\x1b]0;title", b"\x1b]0;title"),
        (b"\x1b]0;title\x1b", b"\x1b]0;title\x1b"),
        (b"\x1b]0;title\x1b\\", b""),
        (b"\x1b_G;\x1b[0m", b""),
    ],
)
def test_pending_is_the_token_that_the_end_cuts(stream: bytes, pending: bytes) -> None:
    assert feed(stream).pending == pending


def test_a_string_without_end_is_not_stored() -> None:
    modes = feed(b"\x1b]1337;File=:", *[b"A" * 65536] * 8)
    assert len(modes.pending) == 4096
    modes.feed(b"\x1b[31m")
    assert modes.pending == b""
    assert modes.to_json()["pen"] == "31"


def test_title_and_directory_are_bounded_and_clean() -> None:
    modes = feed(b"\x1b]0;" + b"t\x01" * 3000 + b"\x07\x1b]7;file://h/\xc3\xa9\x1b\\")
    assert (modes.title, modes.cwd) == ("t" * 256, "file://h/é")


def test_reset_leaves_what_xterm_leaves(xterm: Xterm) -> None:
    stream = b"\x1b[?25l\x1b[20h\x1b[?12h\x1b[?1000h\x1b[?2004h\x1b[31m\x1bc"
    live, restored = xterm.show(stream, b"\x1bc" + feed(stream).prelude())
    assert remembered(restored) == remembered(live)
    assert restored["modes"]["cursorHidden"]
