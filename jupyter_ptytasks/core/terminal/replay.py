"""Replay: from the state at the beginning of a segment, and the bytes since, to what a viewer that comes must be fed.

The normal screen is drawn as it stands in the end, with the last lines that were scrolled out of it; then come the modes
of the terminal, and what a full-screen program that is on has drawn. All of it is sanitised. A replay is bounded in size
and, whatever the output holds, in work: where that is more than can be done in time, what was drawn long ago is left
out. Bytes were drawn at whatever size the terminal had then; a replay draws them at the size that it has now.
"""

from __future__ import annotations

import re

from . import full_screen
from .modes import Ledger
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
_MOST_TOKENS = 60_000
#: Where they are counted: bytes at a time; and those that move or erase rows, with so many more for each.
_BLOCK = 1 << 16
_COSTLY = re.compile(rb"\x1b\[[0-9;]*[JLMSTZ]")
_MORE = 5
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
        end = len(whole)
        #: Where one may begin to draw, the last place first; from the last of them on it can be done in time.
        self._starts = [at for at in (whole.find(b"\n", end - size) + 1 for size in _GLANCES if end > 2 * size) if at]
        least = _tokens_fit(whole, 0, end)
        self._starts = [*(at for at in self._starts if at > least), least]
        #: The ledgers there and at the end; the keyframe's has taken in what `whole` begins with.
        self._ledgers: dict[int, Ledger] = {}
        state, at = ledger.copy(), len(ledger.pending)
        for place in sorted({*self._starts, end}):
            state.feed(whole[at:place])
            at = max(at, place)
            self._ledgers[place] = state.copy()
        self._state = self._ledgers[end]
        #: Where the full-screen program was opened that is on at the end.
        self._opened: int | None = None
        since = self._state.alternate_since
        if since is not None:
            is_older = ledger.alternate and since <= ledger.fed
            self._opened = 0 if is_older else max(since - ledger.fed + len(ledger.pending), 0)

    def _at(self, end: int) -> Ledger:
        """Return the ledger at `end`."""
        start = max(at for at in (0, *self._ledgers) if at <= end)
        state = (self._ledgers[start] if start in self._ledgers else self._ledger).copy()
        state.feed(self._whole[max(start, len(self._ledger.pending)) : end])
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
        """Draw at least the last lines of the normal screen, or all that is known of it and can be drawn in time."""
        rows, cols = self._size
        whole = self._whole
        *glances, least = self._starts
        for start in glances:
            state = self._ledgers[start]
            if start < end and not state.alternate:
                screen = Screen(rows, cols, self._lines)
                screen.feed(state.prelude() + state.pending + whole[start:end])
                if screen.height > self._lines:
                    return screen
        screen = Screen(rows, cols, self._lines)
        # A carry leaves the modes as the ledger has them, but for the alternate screen; without one all is to be said.
        screen.feed(self._carry)
        begun: Ledger | None = None
        if self._carry:
            begun = Ledger()
            begun.feed(self._carry)
        if 0 < least < end:
            # What lies between is left out, and so are its lines.
            goes_on = b"\n" not in whole[:least]
            state = self._ledgers[least]
            screen.feed((b"\r" if goes_on else b"\r\n") + state.prelude(begun) + state.pending + whole[least:end])
        else:
            screen.feed(self._ledger.prelude(begun) + whole[:end])
        return screen

    def full_screen(self, limit: int) -> bytes:
        """Return what draws the full-screen program that is on, in so many bytes; then it is for it to repaint."""
        if self._opened is None:
            return b""
        start = self._opened
        section = self._whole[start:]
        enter = self._state.alternate_token
        entered = self._at(start) if start else self._ledger.copy()
        if start == 0:
            before = Ledger()
            before.feed(self._carry)
            enter = self._ledger.prelude(before)
        cut = full_screen.last_clear(section)
        at_cut = self._at(start + cut) if cut else entered
        if at_cut.alternate_since != self._state.alternate_since:
            cut, at_cut = 0, entered
        least = max(len(section) - max(limit - len(enter) - _RESERVE, 0), _tokens_fit(section, 0, len(section)))
        if cut < least:
            # Not within text: it would stand where the cursor of a blank screen is.
            cut = max(section.find(b"\x1b", least), least)
            at_cut = self._at(start + cut)
        drawn = at_cut.prelude(entered) + at_cut.pending if cut else b""
        return sanitise(enter + drawn + section[cut:])


def _tokens_fit(data: bytes, start: int, end: int) -> int:
    """Return from where on, `start` or later, `data` up to `end` holds no more tokens than can be drawn in time."""
    left = _MOST_TOKENS
    pos = end
    while pos > start:
        block = data[max(pos - _BLOCK, start) : pos]
        left -= len(block) - len(block.translate(None, _CONTROLS)) + _MORE * len(_COSTLY.findall(block))
        if left < 0:
            # A token is cut; that it is the end of one does not show, for the ledger has its beginning.
            return data.find(b"\n", pos, end) + 1 or pos
        pos -= len(block)
    return start
