"""The modes of a terminal, followed through its output: what it remembers besides its cells.

All output of a task is fed, in any chunking, so only the rare tokens are looked at: plain text, and nearly all colors
and cursor movements, are skipped by one regular expression.
"""

from __future__ import annotations

import re
from collections import Counter

from . import pen as pens
from .lazy import lazy
from .mode_state import SHIFTS, ModeState
from .restore_modes import transition
from .vt import TOKEN, complete, seven_bit

#: Bytes of an incomplete token that are kept.
_LONGEST_PENDING = 4096

# Titles, directories and other strings of no concern, or of which only the last counts, in the usual form.
_STRING = rb"(?:[0-26-9]|133|633|1337|7784);[^\x00-\x1f\x7f]*(?:\x07|\x1b\\)"
_USUAL_STRING = re.compile(rb"\x1b\]" + _STRING)
# An ESC that begins neither a plain SGR nor any other plain CSI, but for those that ask (c, n) and those that have a
# lasting effect (h, l, r, s, u), nor what only moves the cursor; with the whole of its token, if that is of the usual
# form. What nearly every ESC begins is asked for alone: a choice would take longer.
_PLAIN_CSI = rb"\[[0-9;:]*[@-bd-gi-kmo-qtv-~]"
_USUAL = rb"(?:\[[<-?]?[0-9;:]*[ -/]*[@-~]|[78=>c]|[()*+.-][0-9A-Z=])"
_NO_LASTING = rb"\x1b|[^\x00-\x1f\x7f-\xff%(-+.78=>c\[\]no|}~-]|\]" + _STRING
_ANY_RARE = rb"\x1b(?!" + _PLAIN_CSI + rb")(?!" + _NO_LASTING + rb")"
_RARE = re.compile(_ANY_RARE + _USUAL + rb"?")
_RARE_AND_USUAL = lazy(_ANY_RARE + _USUAL)
# Where there are shifts, strings are looked into: within them they are none.
_RARE_OR_SHIFT = lazy(rb"[\x0e\x0f](?:[^\x1b]*[\x0e\x0f])?|\x1b(?!" + _PLAIN_CSI + rb"|[D-HMZ\\\x1b])" + _USUAL + rb"?")
# Tokens that neither change the pen nor save it.
_PENLESS = re.compile(rb"\x1b(?:\[\?(?!10|47)[0-9]{1,4}[hl]|[=>]|[()*+.-].)")

# Of more bytes with more escape sequences, only so many rare tokens are looked at one by one.
_FLOOD_BYTES = 1 << 15
_FLOOD = 2000
# Bytes that are searched for them in one go, and for what is said last in the rest.
_FLOOD_BLOCK = 1 << 13
_COARSE_BLOCK = 1 << 16
# A token that comes so often in a block is taken out of the rest of the flood at once.
_OFTEN = 200
_ENDS_LINKS = (b"\x1bc", b"\x1b[!p")


class TerminalModes(ModeState):
    """Follows a terminal's output; `prelude` brings another terminal into the same state.

    `fed` counts the bytes fed; `pending` is the token or character that the last of them cut (of a string longer than
    4 KiB its beginning); `alternate_since` is the value of `fed` at the end of the token `alternate_token` that opened
    the alternate screen, None while the normal screen is shown.
    """

    __slots__ = ()

    def copy(self) -> TerminalModes:
        """Return independent modes in the same state; nothing was asked of them."""
        other = TerminalModes()
        for name in ModeState.__slots__:
            setattr(other, name, getattr(self, name))
        # Pens are not changed in place.
        other.flags, other.charsets, other.asked = set(self.flags), list(self.charsets), []
        other.screens = (self.screens[0].copy(), self.screens[1].copy())
        return other

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the output."""
        if len(data) > _FLOOD_BYTES and data.count(b"\x1b") > _FLOOD:
            # What was cut ends at the second ESC, nearly always. What comes behind it need not be searched twice.
            begin = data.find(b"\x1b", data.find(b"\x1b") + 1) if self.pending else 0
            if begin:
                self._feed(data[:begin])
                data = data[begin:]
            self._feed_flood(data)
        else:
            self._feed(data)

    def _feed_flood(self, data: bytes) -> None:
        """Take much output: the last of it, with as many rare tokens as can be looked at one by one, as it is, and what
        comes before it coarsely.
        """
        end = len(data)
        found: list[tuple[int, int]] = []  # the last first
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
        """Take the middle of a flood: of what is said there each thing counts where it is said last; so what is saved
        may be another pen.
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
        """Take bytes. `known` is where `_RARE` matches in them, if they have been searched already."""
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
        # Most output has no strings; the first question is the cheaper one where there are many colors.
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
                # Of shifts without a sequence in between the last one counts.
                self._set_shift(SHIFTS[token[-1:]])
                continue
            if len(token) == 1:
                match = TOKEN.match(data, start)
                if match is None:
                    # Its end may show only by the ESC of the pending token.
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
        """Take in the colors of `data[start:end]`."""
        if data.find(b"\x1b", start, end) >= 0:
            # What was saved is not changed with it.
            self.pen = dict(self.pen)
            pens.fold(self.pen, data, start, end)

    def _take_last_strings(self, data: bytes, end: int) -> int:
        """Take the last title and the last directory of the usual form: nothing sets these back.

        Return where the title is, -1 where there is none.
        """
        titled = max(self._take_last(data, end, b"\x1b]0;"), self._take_last(data, end, b"\x1b]2;"))
        if titled >= 0:
            self._take_last(data, end, data[titled : titled + 4])
        self._take_last(data, end, b"\x1b]7;")
        return titled

    def _take_last(self, data: bytes, end: int, introducer: bytes) -> int:
        """Take the last string with this introducer; return where it is, -1 where there is none."""
        start = data.rfind(introducer, 0, end)
        while start >= 0:
            match = _USUAL_STRING.match(data, start, end)
            if match is not None:
                self._take_osc(match[0])
                return start
            start = data.rfind(introducer, 0, start)
        return -1

    def prelude(self, since: TerminalModes | None = None) -> bytes:
        """Return the bytes that bring a terminal just reset (RIS), or one in the state `since`, into this state.

        Where margins or origin mode change, the cursor goes home; the cursor's own place is never restored.
        """
        known = since is not None
        return transition(since or TerminalModes(), self, known=known)


def _last_said(flood: bytes) -> dict[bytes, int]:
    """Return the rare tokens of the usual form in a flood, the last first, each in the place where it is said last."""
    said: dict[bytes, int] = {}
    while flood and len(said) < _FLOOD:
        start = _begin_of_block(flood, len(flood), _COARSE_BLOCK)
        found = Counter(reversed(_RARE_AND_USUAL.findall(flood, start)))
        said.update(found)  # what is there keeps its place
        flood = flood[:start]
        for token, count in found.items():
            if count > _OFTEN:
                flood = flood.replace(token, b"\x18")
    return said


def _begin_of_block(data: bytes, end: int, size: int) -> int:
    """Return where a block of about `size` bytes that ends at `end` begins: where a token does, or the data."""
    # Tokens begin with ESC, wherever it stands.
    return max(data.rfind(b"\x1b", 0, max(end - size, 0) + 1), 0)
