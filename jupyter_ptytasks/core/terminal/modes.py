"""Tracks the modes of a terminal through its output: its whole state except its cells.

All output of a task is fed, in any chunks, so this must be fast: one regular expression skips plain text and nearly all
colors and cursor movements, and only the remaining rare tokens are parsed.
"""

from __future__ import annotations

import re
from collections import Counter

from . import pen as pens
from .lazy import lazy
from .mode_state import SHIFTS, ModeState
from .restore_modes import transition
from .vt import TOKEN, complete, seven_bit

#: Maximum size of an incomplete token in bytes.
_LONGEST_PENDING = 4096

# Titles, directories and other strings that do not matter, or of which only the last counts, in the usual form.
_STRING = rb"(?:[0-26-9]|133|633|1337|7784);[^\x00-\x1f\x7f]*(?:\x07|\x1b\\)"
_USUAL_STRING = re.compile(rb"\x1b\]" + _STRING)
# An ESC that does not begin a plain CSI (except queries, c and n, and those with a lasting effect, h, l, r, s and u) or
# a cursor movement; with its whole token, if that has the usual form. The most common beginning is a separate
# lookahead: an alternation would be slower.
_PLAIN_CSI = rb"\[[0-9;:]*[@-bd-gi-kmo-qtv-~]"
_USUAL = rb"(?:\[[<-?]?[0-9;:]*[ -/]*[@-~]|[78=>c]|[()*+.-][0-9A-Z=])"
_NO_LASTING = rb"\x1b|[^\x00-\x1f\x7f-\xff%(-+.78=>c\[\]no|}~-]|\]" + _STRING
_ANY_RARE = rb"\x1b(?!" + _PLAIN_CSI + rb")(?!" + _NO_LASTING + rb")"
_RARE = re.compile(_ANY_RARE + _USUAL + rb"?")
_RARE_AND_USUAL = lazy(_ANY_RARE + _USUAL)
# If there are shifts, strings must be parsed: within them they are not shifts.
_RARE_OR_SHIFT = lazy(rb"[\x0e\x0f](?:[^\x1b]*[\x0e\x0f])?|\x1b(?!" + _PLAIN_CSI + rb"|[D-HMZ\\\x1b])" + _USUAL + rb"?")
# Tokens that neither change the pen nor save it.
_PENLESS = re.compile(rb"\x1b(?:\[\?(?!10|47)[0-9]{1,4}[hl]|[=>]|[()*+.-].)")

# In more bytes with more escape sequences, only this many rare tokens are parsed individually.
_FLOOD_BYTES = 1 << 15
_FLOOD = 2000
# Bytes that are searched for them at a time, and for the last of each kind in the rest.
_FLOOD_BLOCK = 1 << 13
_COARSE_BLOCK = 1 << 16
# A token that is this frequent in a block is removed from the rest of the flood at once.
_OFTEN = 200
_ENDS_LINKS = (b"\x1bc", b"\x1b[!p")


class TerminalModes(ModeState):
    """Tracks a terminal's output; `prelude` brings another terminal into the same state.

    `fed` counts the bytes fed; `pending` is the incomplete token or character at the end (of a string longer than
    4 KiB its beginning); `alternate_since` is the value of `fed` at the end of the token `alternate_token` that opened
    the alternate screen, None while the normal screen is shown.
    """

    __slots__ = ()

    def copy(self) -> TerminalModes:
        """Return an independent copy without pending queries."""
        other = TerminalModes()
        for name in ModeState.__slots__:
            setattr(other, name, getattr(self, name))
        # Pens are never changed in place.
        other.flags, other.charsets, other.asked = set(self.flags), list(self.charsets), []
        other.screens = (self.screens[0].copy(), self.screens[1].copy())
        return other

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the output."""
        if len(data) > _FLOOD_BYTES and _has_many(data, b"\x1b", _FLOOD):
            # A cut token nearly always ends at the second ESC. What follows need not be searched twice.
            begin = data.find(b"\x1b", data.find(b"\x1b") + 1) if self.pending else 0
            if begin:
                self._feed(data[:begin])
                data = data[begin:]
            self._feed_flood(data)
        else:
            self._feed(data)

    def _feed_flood(self, data: bytes) -> None:
        """Process a flood: the last part, with as many rare tokens as can be parsed individually, exactly; the rest
        before it coarsely.
        """
        end = len(data)
        found: list[tuple[int, int]] = []  # in reverse order
        while end > 0 and len(found) < _FLOOD:
            start = _begin_of_block(data, end, _FLOOD_BLOCK)
            found += [rare.span() for rare in _RARE.finditer(data, start, end)][::-1]
            end = start
        begin = data.find(b"\x1b", _LONGEST_PENDING)
        if 0 < begin < end:
            self._feed(data[:begin])
            self._feed_coarsely(data[begin:end])
        else:
            end = 0
        self._feed(data[end:], [(start - end, stop - end) for start, stop in reversed(found)])

    def _feed_coarsely(self, flood: bytes) -> None:
        """Process the middle of a flood: each distinct token counts where it occurs last, so a different pen may be
        saved.
        """
        fed = self.fed + len(flood)
        self._take_last_strings(flood, len(flood))
        reset = max(flood.rfind(b"\x1bc"), 0)
        said = _last_said(flood[reset:])
        self._fold(flood, reset, len(flood))
        self._take_last(flood, len(flood), b"\x1b]8;")
        was_alternate = self.alternate
        self._feed(b"".join(reversed(said)))
        if self.alternate_mode and not (was_alternate and b"\x1b[?%dl" % self.alternate_mode not in flood):
            left_at = flood.rfind(b"\x1b[?%dl" % self.alternate_mode)
            self.alternate_token = b"\x1b[?%dh" % self.alternate_mode
            entered = max(flood.find(self.alternate_token, left_at + 1), 0)
            self.alternate_since = fed - len(flood) + entered + len(self.alternate_token)
        self.fed = fed

    def _feed(self, data: bytes, known: list[tuple[int, int]] | None = None) -> None:
        """Process bytes. `known` has the matches of `_RARE` in them, if they have already been searched."""
        start_of_data = self.fed - len(self.pending)
        self.fed += len(data)
        given = data
        data = seven_bit(self.pending + data if self.pending else data)
        end = complete(data)
        self.pending = data[end : end + _LONGEST_PENDING]
        if len(data) - end > _LONGEST_PENDING and data.endswith(b"\x1b"):
            # It may be the first half of the ST that ends it.
            self.pending += b"\x1b"
        titled = linked = -1
        # Most output has no strings; the first check is cheaper if there are many colors.
        if b"]" in data and b"\x1b]" in data:
            titled = self._take_last_strings(data, end)
            linked = data.rfind(b"\x1b]8;", 0, end)
        reset = -1  # where links were last ended
        has_shifts = b"\x0e" in data or b"\x0f" in data
        rare = _RARE_OR_SHIFT if has_shifts else _RARE
        places = iter(known) if known is not None and data is given and not has_shifts else None
        drawn = pos = 0
        while True:
            if places is None:
                found = rare.search(data, pos, end)
                start, pos = found.span() if found is not None else (end, end)
            else:
                start, pos = next(places, (end, end))
            if start >= end:
                break
            token = data[start:pos]
            if token[0] != 0x1B:
                # Of shifts without a sequence in between, the last one counts.
                self._set_shift(SHIFTS[token[-1:]])
                continue
            if len(token) == 1:
                match = TOKEN.match(data, start)
                if match is None:
                    # Only the ESC of the pending token may show where it ends.
                    continue
                token, pos = match[0], match.end()
            if not _PENLESS.fullmatch(token):
                self._fold(data, drawn, start)
                drawn = pos
            self._take(token, is_last=start > titled)
            if token in _ENDS_LINKS:
                reset = start
            if self.alternate_mode and self.alternate_since is None:
                self.alternate_since = start_of_data + pos
                self.alternate_token = token
        self._fold(data, drawn, end)
        if linked > reset:
            self._take_last(data, end, b"\x1b]8;")

    def _fold(self, data: bytes, start: int, end: int) -> None:
        """Apply the colors in `data[start:end]`."""
        if data.find(b"\x1b", start, end) >= 0:
            # The saved pen must not change with it.
            self.pen = dict(self.pen)
            pens.fold(self.pen, data, start, end)

    def _take_last_strings(self, data: bytes, end: int) -> int:
        """Apply the last title and the last directory of the usual form: nothing resets these.

        Return the offset of the title, -1 if there is none.
        """
        titled = max(self._take_last(data, end, b"\x1b]0;"), self._take_last(data, end, b"\x1b]2;"))
        if titled >= 0:
            self._take_last(data, end, data[titled : titled + 4])
        self._take_last(data, end, b"\x1b]7;")
        return titled

    def _take_last(self, data: bytes, end: int, introducer: bytes) -> int:
        """Apply the last string with this introducer; return its offset, -1 if there is none."""
        start = data.rfind(introducer, 0, end)
        while start >= 0:
            match = _USUAL_STRING.match(data, start, end)
            if match is not None:
                self._take_osc(match[0])
                return start
            start = data.rfind(introducer, 0, start)
        return -1

    def prelude(self, since: TerminalModes | None = None) -> bytes:
        """Return the bytes that bring a freshly reset terminal (RIS), or one in the state `since`, into this state.

        If margins or origin mode change, the cursor goes home; the cursor's position is never restored.
        """
        known = since is not None
        return transition(since or TerminalModes(), self, known=known)


def _has_many(data: bytes, byte: bytes, count: int) -> bool:
    """Return whether a byte occurs more than `count` times; if it is frequent, the beginning of the data shows this."""
    return data.count(byte, 0, _FLOOD_BYTES) > count or data.count(byte) > count


def _last_said(flood: bytes) -> dict[bytes, int]:
    """Return the rare tokens of the usual form in a flood in reverse order, each where it occurs last."""
    said: dict[bytes, int] = {}
    while flood and len(said) < _FLOOD:
        start = _begin_of_block(flood, len(flood), _COARSE_BLOCK)
        found = Counter(reversed(_RARE_AND_USUAL.findall(flood, start)))
        said.update(found)  # existing entries keep their position
        flood = flood[:start]
        for token, count in found.items():
            if count > _OFTEN:
                flood = flood.replace(token, b"\x18")
    return said


def _begin_of_block(data: bytes, end: int, size: int) -> int:
    """Return where a block of about `size` bytes that ends at `end` begins: at a token, or at the start of the data."""
    # An ESC always begins a token.
    return max(data.rfind(b"\x1b", 0, max(end - size, 0) + 1), 0)
