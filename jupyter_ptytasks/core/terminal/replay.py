"""Replay: from the state at the beginning of a segment, and the bytes since, to what a viewer that comes must be fed.

The normal screen is drawn as it stands in the end, with the last lines that were scrolled out of it; then come the
modes of the terminal, and what a full-screen program that is on has drawn. All of it is sanitised. A replay is bounded
in size and, whatever the output holds, in work: where that is more than can be done in time, what was drawn long ago is
left out. Bytes were drawn at whatever size the terminal had then; a replay draws them at the size that it has now.
"""

from __future__ import annotations

from .cutting import last_clear, tokens_fit
from .modes import TerminalModes
from .sanitise import sanitise
from .screen import Screen
from .vt import SGR, complete, seven_bit

RIS = b"\x1bc"

#: Lines and bytes of a keyframe's scrollback at most.
SCROLLBACK_LINES = 1000
SCROLLBACK_BYTES = 128 << 10

#: Before all of a segment is looked at, as many of its last bytes are: most output has its last lines there.
_GLANCES = (1 << 18, 1 << 20)

#: Of an incomplete string longer than the first, which no terminal would do anything with, only the beginning is kept.
_LONGEST_TAIL = 1 << 16
_BEGINNING = 1 << 12
#: Bytes that are kept free for what does not count when the last lines are chosen: modes, titles, links.
_RESERVE = 1 << 13
_CONTROLS = bytes(range(0x20)) + b"\x7f"


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
    scrollback: bytes,
    modes: TerminalModes,
    data: bytes,
    *,
    rows: int,
    cols: int,
    lines: int = 1000,
    limit: int = 1 << 20,
) -> Replay:
    """Return the replay of `data`, the output since a keyframe that holds `scrollback` and `modes`.

    Shows at least the screen and at most `lines` lines of the normal screen, in `limit` bytes.
    """
    whole = seven_bit(modes.pending + data)
    end = complete(whole)
    begun = b""
    tail = whole[end:]
    if len(tail) > len(data):
        # The output is nothing but the continuation of a token that the keyframe holds the beginning of.
        begun, tail = modes.pending, data
    if len(tail) > _LONGEST_TAIL:
        begun, tail = begun + tail[:_BEGINNING], b""
    past = _Past(scrollback, modes, _closed(whole, end), rows, cols, max(lines, rows))
    room = max(limit - len(RIS) - len(begun), 0)
    opened = past.full_screen(room // 2)
    normal = past.normal_screen(room - len(opened))
    return Replay(RIS + normal + opened + begun, tail, bool(opened))


def keyframe(scrollback: bytes, modes: TerminalModes, data: bytes, cols: int, rows: int) -> bytes:
    """Return the scrollback for a segment that begins after `data`, which followed upon `scrollback` and `modes`.

    Fed to a terminal just reset it draws the last lines of the normal screen and leaves it with its modes; of an open
    alternate screen it holds nothing.
    """
    whole = seven_bit(modes.pending + data)
    past = _Past(scrollback, modes, _closed(whole, complete(whole)), rows, cols, SCROLLBACK_LINES)
    return past.normal_screen(SCROLLBACK_BYTES)


def _closed(whole: bytes, end: int) -> bytes:
    """Return `whole` up to `end`, so that it says by itself what the bytes that follow say: a string is ended there, a
    character is none.
    """
    cut = complete(whole[:end])
    if cut == end:
        return whole[:end]
    return whole[:end] + b"\x1b\\" if whole[cut] == 0x1B else whole[:cut] + "\ufffd".encode()


def _gap(lines: int, is_below: bool) -> bytes:
    """Return what stands for lines that are left out: words if they are missed below others, and without charsets and
    colors that these have left.
    """
    if not lines:
        return b"\r"
    if not is_below:
        return b"\r\n"
    return b"\r\n\x1b[m\x0f\x1b(B[%d line%s left out]\r\n" % (lines, b"" if lines == 1 else b"s")


def _token_at(whole: bytes, place: int) -> int:
    """Return where the first line or escape sequence begins behind a place, `place` itself if none does."""
    return whole.find(b"\n", place) + 1 or max(whole.find(b"\x1b", place), place)


class _Past:
    """The output `whole` (7 bit, no token is cut) since a keyframe that holds `scrollback` and `modes`."""

    def __init__(self, scrollback: bytes, modes: TerminalModes, whole: bytes, rows: int, cols: int, lines: int) -> None:
        self._scrollback = scrollback
        self._first = modes
        self._whole = whole
        self._size = (rows, cols)
        self._lines = lines
        #: The modes at some places of `whole`; the keyframe's have taken in what it begins with.
        self._known: dict[int, TerminalModes] = {}
        end = len(whole)
        self._last = self._begin_of_last_lines()
        # In order, and at places on the way: what is drawn begins near the end, and is followed again from there. None
        # cuts a token: what follows would be searched once more.
        on_the_way = [_token_at(whole, end - size) for size in _GLANCES if end > size]
        for place in sorted({self._last, *on_the_way, end}):
            self._known[place] = self._at(place)
        self._state = self._known[end]
        #: Where the full-screen program was opened that is on at the end, and where the normal screen ends.
        self._opened: int | None = None
        self._end = end
        since = self._state.alternate_since
        if since is not None:
            is_older = modes.alternate and since <= modes.fed
            self._opened = 0 if is_older else max(since - modes.fed + len(modes.pending), 0)
            # Without the token that opened the alternate screen.
            self._end = max(self._opened - len(self._state.alternate_token), 0)
            self._known[self._end] = self._at(self._end)

    def _begin_of_last_lines(self) -> int:
        """Return where the last lines, and the one that is begun, begin, if they are as many as wanted; else 0."""
        start = len(self._whole)
        for _ in range(self._lines + 1):
            start = self._whole.rfind(b"\n", 0, start)
            if start < 0:
                break
        return start + 1

    def _survey(self, end: int) -> list[int]:
        """Return where one may begin to draw what ends at `end`, the last place first; from the last of them on it can
        be done in time. The modes at all of them are known then.
        """
        places = [self._whole.find(b"\n", end - size, end) + 1 for size in _GLANCES if end > 2 * size]
        least = tokens_fit(self._whole[:end])
        starts = [*(place for place in places if place > least), least]
        for place in sorted(starts):
            if place not in self._known:
                self._known[place] = self._at(place)
        return starts

    def _at(self, end: int) -> TerminalModes:
        """Return the modes at `end`."""
        start = max((place for place in self._known if place <= end), default=0)
        state = self._known.get(start, self._first).copy()
        state.feed(self._whole[max(start, len(self._first.pending)) : end])
        return state

    def normal_screen(self, limit: int) -> bytes:
        """Return what draws the normal screen in so many bytes, and leaves it with its modes."""
        return self._last_lines(limit) or self._drawing(limit)

    def _last_lines(self, limit: int) -> bytes:
        """Return the last lines as they were written, if there are so many and only text and colors are in them: drawn
        they would be the same. That is most logs, at a tenth of the work.
        """
        if self._opened is not None or not self._last:
            return b""
        start = max(self._last, self._whole.find(b"\n", max(self._end - limit + _RESERVE, 0)) + 1)
        section = self._whole[start : self._end]
        rows, cols = self._size
        text = SGR.sub(b"", section)
        lines = text.split(b"\r\n")
        controls = len(text) - len(text.translate(None, _CONTROLS))
        if controls > 2 * (len(lines) - 1) or max(map(len, lines)) > cols:
            return b""
        state = self._at(start)
        if state.pending or not Screen(rows, cols, rows).would_pass(state.prelude()):
            return b""
        return sanitise(state.prelude()) + section

    def _drawing(self, limit: int) -> bytes:
        state = self._known[self._end]
        if self._opened == 0:
            # It was left as the scrollback has it.
            state = TerminalModes()
            state.feed(self._scrollback)
        screen = self._drawn()
        finish = sanitise(screen.finish(state))
        return sanitise(screen.draw(max(limit - len(finish) - _RESERVE, 0))) + finish

    def _drawn(self) -> Screen:
        """Draw at least the last lines of the normal screen, or all that is known of it and can be drawn in time."""
        rows, cols = self._size
        whole, end = self._whole, self._end
        *glances, least = self._survey(end)
        rows_per_byte = 1.0
        for start in glances:
            state = self._known[start]
            # Where the last bytes draw few rows, more of them will not be enough.
            if not state.alternate and rows_per_byte * (end - start) > self._lines:
                screen = Screen(rows, cols, self._lines)
                screen.feed(state.prelude() + state.pending + whole[start:end])
                if screen.height > self._lines:
                    return screen
                rows_per_byte = screen.height / (end - start)
        screen = Screen(rows, cols, self._lines)
        # It leaves the modes as the keyframe has them, but for the alternate screen; without it all is to be said.
        screen.feed(self._scrollback)
        begun: TerminalModes | None = None
        if self._scrollback:
            begun = TerminalModes()
            begun.feed(self._scrollback)
        if least:
            gap = _gap(whole.count(b"\n", 0, least), begun is not None)
            if begun is not None:
                begun.feed(gap)
            state = self._known[least]
            screen.feed(gap + state.prelude(begun) + state.pending + whole[least:end])
        else:
            screen.feed(self._first.prelude(begun) + whole[:end])
        return screen

    def full_screen(self, limit: int) -> bytes:
        """Return what draws the full-screen program that is on, in so many bytes; then it is for it to repaint."""
        if self._opened is None:
            return b""
        start = self._opened
        section = self._whole[start:]
        enter = self._state.alternate_token
        entered = self._at(start) if start else self._first.copy()
        if start == 0:
            before = TerminalModes()
            before.feed(self._scrollback)
            enter = self._first.prelude(before)
        cut = last_clear(section)
        at_cut = self._at(start + cut) if cut else entered
        if at_cut.alternate_since != self._state.alternate_since:
            cut, at_cut = 0, entered
        least = max(len(section) - max(limit - len(enter) - _RESERVE, 0), tokens_fit(section))
        if cut < least:
            # Not within text: it would stand where the cursor of a blank screen is.
            cut = max(section.find(b"\x1b", least), least)
            at_cut = self._at(start + cut)
        drawn = at_cut.prelude(entered) + at_cut.pending if cut else b""
        return sanitise(enter + drawn + section[cut:])
