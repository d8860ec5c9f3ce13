"""Replay: computes what a new viewer is sent, from the state at the beginning of a segment and the bytes since then.

A replay draws the final normal screen with its last lines of scrollback, then sets the terminal modes, and then draws
an active full-screen program. All of it is sanitized. A replay is bounded in size and, whatever the output contains, in
work: if it is too much to draw in time, old output is left out. Output was written for the size that the terminal had
at that time; a replay draws it at the current size.
"""

from __future__ import annotations

from .cutting import last_clear, tokens_fit
from .modes import TerminalModes
from .sanitise import sanitise
from .screen import Screen
from .vt import SGR, complete, seven_bit

RIS = b"\x1bc"

#: Maximum number of lines and bytes of a keyframe's scrollback.
SCROLLBACK_LINES = 1000
SCROLLBACK_BYTES = 128 << 10

#: Number of last bytes of a segment to try before the whole segment: most output has its last lines there.
_GLANCES = (1 << 18, 1 << 20)

#: Only the beginning of an incomplete string longer than the first value is kept, since terminals ignore such strings.
_LONGEST_TAIL = 1 << 16
_BEGINNING = 1 << 12
#: Bytes reserved for modes, titles and links when the last lines are selected.
_RESERVE = 1 << 13
_CONTROLS = bytes(range(0x20)) + b"\x7f"


class Replay:
    """`data` to feed a terminal. `tail` is the incomplete token at the end of the output, not yet part of `data`: the
    live output continues it. `alternate` says whether a full-screen program is active.
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
    """Return the replay of `data`, the output since a keyframe with `scrollback` and `modes`.

    It shows at least the screen and at most `lines` lines of the normal screen, in at most `limit` bytes.
    """
    whole = seven_bit(modes.pending + data)
    end = complete(whole)
    begun = b""
    tail = whole[end:]
    if len(tail) > len(data):
        # The output only continues a token that begins in the keyframe.
        begun, tail = modes.pending, data
    if len(tail) > _LONGEST_TAIL:
        begun, tail = begun + tail[:_BEGINNING], b""
    past = _Past(scrollback, modes, _closed(whole, end), rows, cols, max(lines, rows))
    room = max(limit - len(RIS) - len(begun), 0)
    opened = past.full_screen(room // 2)
    normal = past.normal_screen(room - len(opened))
    return Replay(RIS + normal + opened + begun, tail, bool(opened))


def keyframe(scrollback: bytes, modes: TerminalModes, data: bytes, cols: int, rows: int) -> bytes:
    """Return the scrollback for a segment that begins after `data`, which continues from `scrollback` and `modes`.

    Fed to a freshly reset terminal, it draws the last lines of the normal screen and sets its modes; an active
    alternate screen is not included.
    """
    whole = seven_bit(modes.pending + data)
    past = _Past(scrollback, modes, _closed(whole, complete(whole)), rows, cols, SCROLLBACK_LINES)
    return past.normal_screen(SCROLLBACK_BYTES)


def _closed(whole: bytes, end: int) -> bytes:
    """Return `whole` up to `end` as a complete stream, without the bytes after it: an open string is terminated, an
    incomplete character dropped.
    """
    closed = whole[:end]
    cut = complete(closed)
    if cut == end:
        return closed
    return closed + b"\x1b\\" if whole[cut] == 0x1B else whole[:cut] + "\ufffd".encode()


def _gap(lines: int, is_below: bool) -> bytes:
    """Return the replacement for omitted lines: a message if there are lines above them, with charsets and colors
    reset.
    """
    if not lines:
        return b"\r"
    if not is_below:
        return b"\r\n"
    return b"\r\n\x1b[m\x0f\x1b(B[%d line%s left out]\r\n" % (lines, b"" if lines == 1 else b"s")


def _token_at(whole: bytes, place: int) -> int:
    """Return where the first line or escape sequence after `place` begins, `place` itself if there is none."""
    return whole.find(b"\n", place) + 1 or max(whole.find(b"\x1b", place), place)


class _Past:
    """The output `whole` (7-bit, without incomplete tokens) since a keyframe with `scrollback` and `modes`."""

    def __init__(self, scrollback: bytes, modes: TerminalModes, whole: bytes, rows: int, cols: int, lines: int) -> None:
        self._scrollback = scrollback
        self._first = modes
        self._whole = whole
        self._size = (rows, cols)
        self._lines = lines
        #: The modes at some offsets in `whole`, initially from the keyframe.
        self._known: dict[int, TerminalModes] = {}
        end = len(whole)
        self._last = self._begin_of_last_lines()
        # The modes are computed at intermediate offsets, too, since drawing usually begins near the end. None of these
        # offsets is within a token.
        on_the_way = [_token_at(whole, end - size) for size in _GLANCES if end > size]
        for place in sorted({self._last, *on_the_way, end}):
            self._known[place] = self._at(place)
        self._state = self._known[end]
        #: Where the final full-screen program started, and where the output to the normal screen ends.
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
        """Return where the last lines, including an unfinished one, begin, if there are enough of them; else 0."""
        start = len(self._whole)
        for _ in range(self._lines + 1):
            start = self._whole.rfind(b"\n", 0, start)
            if start < 0:
                break
        return start + 1

    def _survey(self, end: int) -> list[int]:
        """Return offsets from which the output up to `end` may be drawn, in descending order; even from the last one it
        can be drawn in time. Afterward, the modes at all of them are known.
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
        """Return the bytes, at most `limit`, that draw the normal screen and set its modes."""
        return self._last_lines(limit) or self._drawing(limit)

    def _last_lines(self, limit: int) -> bytes:
        """Return the last lines as they were written, if there are enough and they only have text and colors: drawing
        them would give the same result. This covers most logs, at a tenth of the work.
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
            # The scrollback leaves the terminal in this state.
            state = TerminalModes()
            state.feed(self._scrollback)
        screen = self._drawn()
        finish = sanitise(screen.finish(state))
        return sanitise(screen.draw(max(limit - len(finish) - _RESERVE, 0))) + finish

    def _drawn(self) -> Screen:
        """Draw at least the last lines of the normal screen, or as much as is known and can be drawn in time."""
        rows, cols = self._size
        whole, end = self._whole, self._end
        *glances, least = self._survey(end)
        rows_per_byte = 1.0
        for start in glances:
            state = self._known[start]
            # If the last bytes draw few rows, more of them will not be enough, either.
            if not state.alternate and rows_per_byte * (end - start) > self._lines:
                screen = Screen(rows, cols, self._lines)
                screen.feed(state.prelude() + state.pending + whole[start:end])
                if screen.height > self._lines:
                    return screen
                rows_per_byte = screen.height / (end - start)
        screen = Screen(rows, cols, self._lines)
        # The scrollback sets the modes of the keyframe, except the alternate screen; without it, all must be set.
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
        """Return the bytes, at most `limit`, that draw the active full-screen program, which will then repaint."""
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
            # Not within text: it would appear at the cursor of a blank screen.
            cut = max(section.find(b"\x1b", least), least)
            at_cut = self._at(start + cut)
        drawn = at_cut.prelude(entered) + at_cut.pending if cut else b""
        return sanitise(enter + drawn + section[cut:])
