"""Replay: from the state at the beginning of a segment, and the bytes since, to what a viewer that comes must be fed.

The stream of a replay is the carry (which draws the normal screen as it was when the segment began), a prelude (which
brings back the modes of that moment), and the bytes since. It is collapsed, cut to the last lines with the modes of the
place where it was cut, and sanitised. Bytes were drawn at whatever size the terminal had then; a replay draws them at
the size that it has now.
"""

from __future__ import annotations

from .collapse import collapse
from .modes import Ledger
from .sanitise import sanitise
from .vt import complete, seven_bit

RIS = b"\x1bc"

#: Lines and bytes of a carry at most.
CARRY_LINES = 1000
CARRY_BYTES = 128 << 10

#: Before all of a segment is looked at, as many of its last bytes are: most output has its last lines there.
_GLANCES = (1 << 18, 1 << 20)

#: A cut falls on the beginning of a line if there is one within so many bytes.
_LINE_WITHIN = 1 << 16

#: Of an incomplete string longer than the first, which no terminal would do anything with, only the beginning is kept.
_LONGEST_TAIL = 1 << 16
_BEGINNING = 1 << 12


class Replay:
    """`data` to feed a terminal. `tail` is the incomplete token at the end of the output, not yet part of `data`: the
    live output goes on with it. `alternate` tells whether a full-screen program is on.
    """

    __slots__ = ("alternate", "data", "tail")

    def __init__(self, data: bytes, tail: bytes, alternate: bool) -> None:
        self.data = data
        self.tail = tail
        self.alternate = alternate


def build(
    carry: bytes, ledger: Ledger, data: bytes, *, rows: int, cols: int, lines: int = 1000, limit: int = 1 << 20
) -> Replay:
    """The replay of `data`, the output since a keyframe that holds `carry` and `ledger`.

    Shows at least the screen and at most `lines` lines of the normal screen, in about `limit` bytes.
    """
    whole = seven_bit(ledger.pending + data)
    end = complete(whole)
    begun = b""
    tail = whole[end:]
    if len(tail) > len(data):
        # The output is nothing but the continuation of a token that the keyframe holds the beginning of.
        begun, tail = ledger.pending, data
    if len(tail) > _LONGEST_TAIL:
        begun, tail = begun + tail[:_BEGINNING], b""
    shown, opened = _recent(carry, ledger, whole[:end], rows, cols, max(lines, rows))
    state = Ledger()
    normal = _cut(state, shown[:opened], max(lines, rows), limit)
    screen = _cut_screen(state, shown[opened:], max(limit - len(normal), limit // 2))
    return Replay(RIS + sanitise(normal + screen) + begun, tail, opened < len(shown))


def keyframe(carry: bytes, ledger: Ledger, data: bytes, cols: int, rows: int) -> bytes:
    """The carry for a segment that begins after `data`, which followed upon `carry` and `ledger`.

    Fed to a terminal just reset it draws the last lines of the normal screen and leaves it with its modes; of an open
    alternate screen it holds nothing.
    """
    whole = seven_bit(ledger.pending + data)
    shown, opened = _recent(carry, ledger, whole[: complete(whole)], rows, cols, CARRY_LINES)
    if opened < len(shown):
        # Without the token that opened the alternate screen: the next prelude says it again.
        opened -= len(_state_after(shown).alternate_token)
    return sanitise(_cut(Ledger(), shown[:opened], CARRY_LINES, CARRY_BYTES))


def _recent(carry: bytes, ledger: Ledger, whole: bytes, rows: int, cols: int, lines: int) -> tuple[bytes, int]:
    """A collapsed stream with at least the last `lines` lines of the normal screen, or all that is known of it; and
    where in it the alternate screen was opened that is shown at its end, or else its length.
    """
    for size in _GLANCES:
        start = whole.find(b"\n", len(whole) - size) + 1 if len(whole) > 2 * size else 0
        if start:
            state = ledger.copy()
            state.feed(whole[len(ledger.pending) : start])
            if not state.alternate:
                shown, opened = _collapsed(state.prelude() + state.pending + whole[start:], cols, rows)
                if shown.count(b"\n", 0, opened) >= lines:
                    return shown, opened
    # A carry leaves the modes as the ledger has them, but for the alternate screen; without one all is to be said.
    modes = ledger.prelude(_state_after(carry)) if carry else ledger.prelude()
    return _collapsed(carry + modes + whole, cols, rows)


def _collapsed(stream: bytes, cols: int, rows: int) -> tuple[bytes, int]:
    shown = collapse(stream, cols, rows)
    opened = _state_after(shown).alternate_since
    return shown, len(shown) if opened is None else opened


def _state_after(stream: bytes) -> Ledger:
    state = Ledger()
    state.feed(stream)
    return state


def _cut(state: Ledger, shown: bytes, lines: int, limit: int) -> bytes:
    """The end of `shown` with at most `lines` line feeds and about `limit` bytes, in the modes that it begins with.

    `state` is fed all of it.
    """
    start = len(shown)
    for _ in range(lines + 1):
        start = shown.rfind(b"\n", 0, start)
        if start < 0:
            break
    return _from(state, shown, max(start + 1, _line_start(shown, len(shown) - limit)))


def _cut_screen(state: Ledger, shown: bytes, limit: int) -> bytes:
    """What was drawn on an alternate screen, or the last `limit` bytes of it: then it is for the program to repaint."""
    start = max(len(shown) - limit, 0)
    # Not within text: it would stand where the cursor of a blank screen is.
    return _from(state, shown, max(shown.find(b"\x1b", start), start) if start else 0)


def _from(state: Ledger, shown: bytes, start: int) -> bytes:
    prelude = b""
    if start > 0:
        known = state.copy() if state.fed else None
        state.feed(shown[:start])
        prelude = state.prelude(known) + state.pending
    state.feed(shown[start:])
    return prelude + shown[start:]


def _line_start(shown: bytes, start: int) -> int:
    """The beginning of a line soon after `start`; `start` itself where there is none."""
    if start <= 0:
        return 0
    return shown.find(b"\n", start, start + _LINE_WITHIN) + 1 or start
