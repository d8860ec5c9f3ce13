"""Floods: the replay of megabytes of any output is small and takes a bounded amount of work."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core.terminal import modes, replay
from jupyter_ptytasks.core.terminal.controls import Controls
from jupyter_ptytasks.core.terminal.grid import Grid
from jupyter_ptytasks.core.terminal.modes import TerminalModes
from tests.core.floods import flood, floods
from tests.oracle import streams

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator
    from typing import Any

SIZE = 4 << 20
#: Steps of each kind, of which each takes some microseconds: all together they take a fraction of a second.
MOST = {"put": 60_000, "act": 60_000, "scroll": 60_000, "_take": 30_000}

Work = Counter[str]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def work() -> Iterator[Work]:
    """Count what is drawn, and which tokens are looked at one by one."""
    done: Work = Counter()

    def counted(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def count(*args: Any, **about: Any) -> Any:
            done[name] += 1
            return method(*args, **about)

        return count

    with pytest.MonkeyPatch.context() as patch:
        for kind, name in ((Grid, "put"), (Grid, "scroll"), (Controls, "act"), (TerminalModes, "_take")):
            patch.setattr(kind, name, counted(name, getattr(kind, name)))
        yield done


def assert_bounded(work: Work, data: bytes) -> None:
    work.clear()
    built = replay.build(b"", TerminalModes(), data, rows=24, cols=80)
    assert len(built.data) + len(built.tail) <= 1 << 20
    assert all(work[name] <= most for name, most in MOST.items()), work


@pytest.mark.parametrize("name", floods())
def test_whatever_programs_write_over_and_over(work: Work, name: str) -> None:
    assert_bounded(work, flood(name, SIZE))


@pytest.mark.parametrize("name", ["bar by BS, as Keras has it", "colored lines", "form feeds", "DECSET"])
def test_before_a_full_screen_program(work: Work, name: str) -> None:
    """The normal screen below an active one is drawn, too."""
    assert_bounded(work, flood(name, SIZE // 2) + b"\x1b[?1049h" + flood("a table at places", SIZE // 2))


@settings(max_examples=10)
@given(pieces=st.lists(streams.everything, min_size=1, max_size=3))
def test_whatever_comes_over_and_over(work: Work, pieces: list[bytes]) -> None:
    piece = b"".join(pieces) or b"\r"
    assert_bounded(work, piece * (SIZE // len(piece)))


class Searched:
    """A pattern that counts the bytes that are searched with it."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern
        self.bytes = 0

    def search(self, data: bytes, pos: int, end: int) -> re.Match[bytes] | None:
        found = self.pattern.search(data, pos, end)
        self.bytes += (found.end() if found else end) - pos
        return found

    def finditer(self, data: bytes, pos: int, end: int) -> Iterator[re.Match[bytes]]:
        self.bytes += end - pos
        return self.pattern.finditer(data, pos, end)


@pytest.mark.parametrize("rare", [b"", b"\x1b[?25l", b"\x1b]0;title\x07\x1b[5n", b"\x1b7\x1b[H\x1b8\x1b[?2004h"])
@pytest.mark.parametrize("often", [1, 100, 10_000])
@pytest.mark.parametrize("begun", [b"", b"\x1b[?2", b"\x1b]0;ti"])
def test_a_flood_is_searched_once(monkeypatch: pytest.MonkeyPatch, rare: bytes, often: int, begun: bytes) -> None:
    """Even if it begins within an earlier token."""
    line = b"\x1b[2m12:00:00\x1b[0m \x1b[32mINFO\x1b[0m a line of a log\r\n"
    data = b"".join((rare if number % (10_000 // often) == 0 else b"") + line for number in range(10_000))
    exact = TerminalModes()
    exact.feed(begun)
    for start in range(0, len(data), 4096):
        exact.feed(data[start : start + 4096])
    searched = Searched(modes._RARE)
    monkeypatch.setattr(modes, "_RARE", searched)
    state = TerminalModes()
    state.feed(begun)
    state.feed(data)
    assert searched.bytes <= len(data) * 1.01
    assert state.to_json() == exact.to_json()


@pytest.mark.parametrize(
    "picture",
    [
        b"\x1b]1337;File=inline=1:" + b"QUJD" * 400_000 + b"\x07",
        b"\x1bPq" + b"#0~~@@vv@@~~@@~~$-\n" * 80_000 + b"\x1b\\",
        b"\x1b_Gf=100,a=T;" + b"QUJD" * 400_000 + b"\x1b\\",
        b"".join(b"\x1b_Gm=1;" + b"QUJD" * 1024 + b"\x1b\\" for _ in range(400)),
    ],
    ids=["OSC 1337", "sixel", "kitty", "kitty, in pieces"],
)
@pytest.mark.parametrize("behind", [b"", b"after\r\n"])
def test_what_stood_before_a_picture_is_there(picture: bytes, behind: bytes) -> None:
    before = b"".join(b"line %d\r\n" % number for number in range(500))
    built = replay.build(b"", TerminalModes(), before + picture + behind, rows=24, cols=80)
    assert built.data.count(b"line ") == 500
    assert len(built.data) < 1 << 20
    assert replay.keyframe(b"", TerminalModes(), before + picture + behind, 80, 24).count(b"line ") == 500
