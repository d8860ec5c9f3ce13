"""Replay: from the state at the beginning of a segment, and the bytes since, to what a viewer that comes must be fed.

The normal screen is drawn as it stands in the end, with the last lines that were scrolled out of it; then come the modes
of the terminal, and what a full-screen program that is on has drawn. All of it is sanitised. A replay is bounded in size
and, whatever the output holds, in work: where that is more than can be done in time, what was drawn long ago is left
out. Bytes were drawn at whatever size the terminal had then; a replay draws them at the size that it has now.
"""

from __future__ import annotations

from . import full_screen
from .ledger import Ledger
from .sanitise import sanitise
from .screen import Screen
from .vt import complete, seven_bit

RIS = b"\x1bc"

#: Lines and bytes of a carry at most.
CARRY_LINES = 1000
CARRY_BYTES = 128 << 10

#: Before all of a segment is looked at, as many of its last bytes are: most output has its last lines there.
_GLANCES = (1 << 18, 1 << 20)

#: Tokens, of those that are no plain lines, that are drawn at most; a token takes some microseconds.
_MOST_TOKENS = 100_000
#: Where they are counted: bytes at a time.
_BLOCK = 1 << 16
_CONTROLS = bytes(code for code in range(32) if code != 0x0A)

#: Of an incomplete string longer than the first, which no terminal would do anything with, only the beginning is kept.
_LONGEST_TAIL = 1 << 16
_BEGINNING = 1 << 12
#: Bytes that are kept free for what does not count when the last lines are chosen: modes, titles, links.
_RESERVE = 1 << 13


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

    Shows at least the screen and at most `lines` lines of the normal screen, in `limit` bytes.
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
    past = _Past(carry, ledger, _closed(whole, end), rows, cols, max(lines, rows))
    room = max(limit - len(RIS) - len(begun), 0)
    opened = past.full_screen(room // 2)
    normal = past.normal_screen(room - len(opened))
    return Replay(RIS + normal + opened + begun, tail, bool(opened))


def keyframe(carry: bytes, ledger: Ledger, data: bytes, cols: int, rows: int) -> bytes:
    """The carry for a segment that begins after `data`, which followed upon `carry` and `ledger`.

    Fed to a terminal just reset it draws the last lines of the normal screen and leaves it with its modes; of an open
    alternate screen it holds nothing.
    """
    whole = seven_bit(ledger.pending + data)
    past = _Past(carry, ledger, _closed(whole, complete(whole)), rows, cols, CARRY_LINES)
    return past.normal_screen(CARRY_BYTES)


def _closed(whole: bytes, end: int) -> bytes:
    """Return `whole` up to `end`, so that it says by itself what the bytes that follow say: a string is ended there, a
    character is none.
    """
    cut = complete(whole[:end])
    if cut == end:
        return whole[:end]
    return whole[:end] + b"\x1b\\" if whole[cut] == 0x1B else whole[:cut] + "\ufffd".encode()


class _Past:
    """The output `whole` (7 bit, no token is cut) since a keyframe that holds `carry` and `ledger`."""

    def __init__(self, carry: bytes, ledger: Ledger, whole: bytes, rows: int, cols: int, lines: int) -> None:
        self._carry = carry
        self._ledger = ledger
        self._whole = whole
        self._size = (rows, cols)
        self._lines = lines
        # The keyframe's ledger has taken in what `whole` begins with.
        self._begin = len(ledger.pending)
        self._state = self._at(len(whole))
        #: Where the full-screen program was opened that is on at the end.
        self._opened: int | None = None
        since = self._state.alternate_since
        if since is not None:
            self._opened = max(since - ledger.fed + self._begin, 0) if not ledger.alternate or since > ledger.fed else 0

    def _at(self, end: int, state: Ledger | None = None, start: int | None = None) -> Ledger:
        """Return the ledger at `end`, from that at `start`, or from the keyframe's."""
        state = (state or self._ledger).copy()
        state.feed(self._whole[self._begin if start is None else start : end])
        return state

    def normal_screen(self, limit: int) -> bytes:
        """Return what draws the normal screen in so many bytes, and leaves it with its modes."""
        end, state = len(self._whole), self._state
        if self._opened == 0:
            # It was left as the carry has it.
            state = Ledger()
            state.feed(self._carry)
            end = 0
        elif self._opened is not None:
            # Without the token that opened the alternate screen.
            end = self._opened - len(self._state.alternate_token)
            state = self._at(end)
        screen = self._drawn(end)
        finish = sanitise(screen.finish(state))
        return sanitise(screen.draw(max(limit - len(finish) - _RESERVE, 0))) + finish

    def _drawn(self, end: int) -> Screen:
        """Draw at least the last lines of the normal screen, or all that is known of it."""
        rows, cols = self._size
        whole = self._whole
        for size in _GLANCES:
            start = whole.find(b"\n", end - size, end) + 1 if end > 2 * size else 0
            if start:
                state = self._at(start)
                if not state.alternate and _tokens_fit(whole, start, end) == start:
                    screen = Screen(rows, cols, self._lines)
                    screen.feed(state.prelude() + state.pending + whole[start:end])
                    if screen.height > self._lines:
                        return screen
        screen = Screen(rows, cols, self._lines)
        # A carry leaves the modes as the ledger has them, but for the alternate screen; without one all is to be said.
        screen.feed(self._carry)
        begun = Ledger()
        begun.feed(self._carry)
        start = _tokens_fit(whole, 0, end)
        if not start:
            screen.feed((self._ledger.prelude(begun) if self._carry else self._ledger.prelude()) + whole[:end])
            return screen
        # What lies between is left out, and so are its lines.
        state = self._at(start)
        goes_on = b"\n" not in whole[:start]
        screen.feed((b"\r" if goes_on else b"\r\n") + state.prelude(begun) + state.pending + whole[start:end])
        return screen

    def full_screen(self, limit: int) -> bytes:
        """Return what draws the full-screen program that is on, in so many bytes; then it is for it to repaint."""
        if self._opened is None:
            return b""
        start, end = self._opened, len(self._whole)
        section = self._whole[start:end]
        enter = self._state.alternate_token
        entered = self._at(start) if start else self._ledger.copy()
        if start == 0:
            before = Ledger()
            before.feed(self._carry)
            enter = self._ledger.prelude(before)
        cut = full_screen.last_clear(section)
        if cut and self._at(start + cut).alternate_since != self._state.alternate_since:
            cut = 0
        least = max(len(section) - max(limit - len(enter) - _RESERVE, 0), _tokens_fit(section, 0, len(section)))
        if cut < least:
            # Not within text: it would stand where the cursor of a blank screen is.
            cut = max(section.find(b"\x1b", least), least)
        drawn = self._at(start + cut).prelude(entered) + self._at(start + cut).pending if cut else b""
        return sanitise(enter + drawn + section[cut:])


def _tokens_fit(data: bytes, start: int, end: int) -> int:
    """Return from where on, `start` or later, `data` up to `end` holds no more tokens than can be drawn in time."""
    left = _MOST_TOKENS
    pos = end
    while pos > start:
        block = data[max(pos - _BLOCK, start) : pos]
        left -= len(block) - len(block.translate(None, _CONTROLS))
        if left < 0:
            # A token is cut; that it is the end of one does not show, for the ledger has its beginning.
            return data.find(b"\n", pos, end) + 1 or pos
        pos -= len(block)
    return start
