"""The ledger: what a terminal remembers besides its cells (modes, margins, pen, charsets, title).

It sees all output of a task in any chunking, so it looks only at the rare tokens: plain text, and nearly all colours
and cursor movements, are skipped by one regular expression. Where terminals differ, xterm.js is right: its RIS, for
instance, leaves alone whether the cursor is seen (mode 25), whether it blinks (12) and what a line feed does (20).
"""

from __future__ import annotations

import re

from . import pen as pens
from . import restore_modes as prelude
from .vt import CSI, TOKEN, complete, number, plain, seven_bit, string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .pen import Pen

# Bounds in bytes or characters: what is longer is cut, a longer hyperlink forgotten.
_LONGEST_PENDING = 4096
_LONGEST_TITLE = 256
_LONGEST_URL = 2048
_MOST_ASKED = 1000

_ALTERNATE = (47, 1047, 1049)
_MOUSE = (9, 1000, 1001, 1002, 1003)
_MOUSE_ENCODINGS = (1006, 1016)
# Private modes that are on or off, and no more: cursor keys, reverse video, origin, wrap-around, cursor seen, reverse
# wrap-around, keypad, focus events, mouse encodings that xterm.js leaves out, alternate scroll, bracketed paste. Not
# 2026, synchronised output: it is a moment of a program's drawing, and no state to come back to.
_FLAGS = (1, 5, 6, 7, 25, 45, 66, 1004, 1005, 1007, 1015, 2004)
_FLAGS_AT_START = (7, 25)
_FLAGS_OF_SOFT_RESET = (1, 6, 7, 25, 45, 66, 1004, 2004)
_CHARSETS = b"0AB4C5RQKYE6ZH7="
_LEVELS = {40: 0, 41: 1, 42: 2, 43: 3, 45: 1, 46: 2}  # ( ) * + - .
_SHIFTS = {b"\x0e": 1, b"\x0f": 0, b"n": 2, b"o": 3, b"|": 3, b"}": 2, b"~": 1}

# Titles, directories and other strings of no concern, or of which only the last counts, in the usual form.
_STRING = rb"(?:[0-26-9]|133|633|1337|7784);[^\x00-\x1f\x7f]*(?:\x07|\x1b\\)"
_USUAL_STRING = re.compile(rb"\x1b\]" + _STRING)
# An ESC that begins neither a plain SGR nor any other plain CSI, but for those that ask (c, n) and those that have a
# lasting effect (h, l, r, s, u), nor what only moves the cursor; with the whole of its token, if that is of the usual
# form.
_PLAIN_CSI = rb"\[[0-9;:]*[@-bd-gi-kmo-qtv-~]"
_USUAL = rb"(?:\[[<-?]?[0-9;:]*[ -/]*[@-~]|[78=>c]|[()*+.-][0-9A-Z=])?"
_RARE = re.compile(
    rb"\x1b(?!" + _PLAIN_CSI + rb"|\x1b|[^\x00-\x1f\x7f-\xff%(-+.78=>c\[\]no|}~-]|\]" + _STRING + rb")" + _USUAL
)
# Where there are shifts, strings are looked into: within them they are none.
_RARE_OR_SHIFT = re.compile(rb"[\x0e\x0f]|\x1b(?!" + _PLAIN_CSI + rb"|[D-HMZ\\\x1b])" + _USUAL)
_SHIFT = re.compile(rb"[\x0e\x0f]")
# Tokens that neither change the pen nor save it.
_PENLESS = re.compile(rb"\x1b(?:\[\?(?!10|47)[0-9]{1,4}[hl]|[=>]|[()*+.-].)")

# A flood says the same again and again: what a block of so many bytes does to a state is remembered, for some of them,
# where it has that many rare tokens.
_BLOCK = 4096
_MANY = 100
_MOST_BLOCKS = 128
# Of more bytes with more escape sequences, only so many rare tokens are looked at one by one.
_FLOOD_BYTES = 1 << 20
_FLOOD = 40_000
_FLOOD_BLOCK = 1 << 18
_blocks: dict[tuple[object, ...], tuple[Ledger, int]] = {}
#: What of a ledger is no state, or is part of it in another form.
_NO_STATE = frozenset(("fed", "asked", "alternate_since", "pen", "flags", "charsets", "screens"))


class Screen:
    """What each of the two screens, normal and alternate, remembers for itself."""

    __slots__ = ("margins", "saved_charset", "saved_pen")

    def __init__(self) -> None:
        self.margins = b""  # parameters of DECSTBM; empty is the whole screen
        self.saved_pen: Pen = {}  # of DECSC; the place that it saves is none of a ledger's business
        self.saved_charset = b"B"

    def copy(self) -> Screen:
        """An independent screen in the same state."""
        other = Screen()
        other.margins, other.saved_pen, other.saved_charset = self.margins, self.saved_pen, self.saved_charset
        return other


class Ledger:
    """Follows a terminal's output; `prelude` brings another terminal into the same state.

    `fed` counts the bytes fed; `pending` is the token or character that the last of them cut (of a string longer than
    4 KiB its beginning); `alternate_since` is the value of `fed` at the end of the token `alternate_token` that opened
    the alternate screen, None while the normal screen is shown. A new ledger is a terminal after RIS.
    """

    __slots__ = (
        "alternate_mode",
        "alternate_since",
        "alternate_token",
        "asked",
        "blink",
        "charset",
        "charsets",
        "cwd",
        "encoding",
        "fed",
        "flags",
        "insert",
        "link",
        "mouse",
        "newline",
        "pen",
        "pending",
        "screens",
        "shift",
        "style",
        "title",
    )

    def __init__(self) -> None:
        self.fed = 0
        self.pending = b""
        self.asked: list[bytes] = []  # the tokens that ask the terminal for something
        self.newline = False  # ANSI mode 20: a line feed returns the carriage too
        self.blink: bool | None = None  # mode 12; None as the viewer likes it
        self.title = ""
        self.cwd = ""  # the URL of OSC 7
        self.flags = set(_FLAGS_AT_START)
        self._reset()

    def _reset(self) -> None:
        """RIS: all that xterm.js resets."""
        self.alternate_mode = 0
        self.alternate_since: int | None = None
        self.alternate_token = b""
        self.screens = (Screen(), Screen())
        self.mouse = 0
        self.encoding = 0
        self.flags = (self.flags & {25}) | (set(_FLAGS_AT_START) - {25})
        self._soft_reset(cursor_seen=25 in self.flags)

    def _soft_reset(self, *, cursor_seen: bool = True) -> None:
        """DECSTR; in xterm.js it ends a hyperlink as well."""
        self.flags.difference_update(_FLAGS_OF_SOFT_RESET)
        self.flags.update(_FLAGS_AT_START if cursor_seen else (7,))
        self.insert = False  # ANSI mode 4
        self.style: int | None = None  # of DECSCUSR
        self.pen: Pen = {}
        self.link = ""  # parameters and URL of OSC 8
        self.charsets = [b"B", b"B", b"B", b"B"]
        self.shift = 0
        self.charset = b"B"  # the one in force: after DECRC it need not be charsets[shift]
        screen = self._screen
        screen.margins, screen.saved_pen, screen.saved_charset = b"", {}, b"B"

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown."""
        return self.alternate_mode != 0

    @property
    def _screen(self) -> Screen:
        return self.screens[self.alternate]

    def copy(self) -> Ledger:
        """An independent ledger in the same state."""
        other = Ledger()
        other._become(self)
        return other

    def _become(self, other: Ledger) -> None:
        """Take the state of another ledger, but for what was asked."""
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))
        # Pens are not changed in place.
        self.flags, self.charsets, self.asked = set(other.flags), list(other.charsets), []
        self.screens = (other.screens[0].copy(), other.screens[1].copy())

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the output."""
        if len(data) > _FLOOD_BYTES and data.count(b"\x1b") > _FLOOD:
            data = self._feed_coarsely(data)
        rare = 0
        for start in range(0, len(data), _BLOCK) if len(data) > _BLOCK else (0,):
            block = data[start : start + _BLOCK] if len(data) > _BLOCK else data
            # To remember pays where there is much to be done.
            rare = self._feed(block) if rare < _MANY or len(block) < _BLOCK else self._feed_again(block)

    def _feed_coarsely(self, data: bytes) -> bytes:
        """Takes the beginning of a flood and returns the rest, with as many rare tokens as can be looked at one by one.

        Of what is said in the beginning each thing counts where it is said last; so what is saved may be another pen.
        """
        end, left = len(data), _FLOOD
        while end > 0 and left > 0:
            start = max(end - _FLOOD_BLOCK, 0)
            left -= len(_RARE.findall(data, start, end))
            end = start
        # Tokens begin with ESC, wherever it stands.
        begin, end = data.find(b"\x1b", _BLOCK), data.rfind(b"\x1b", 0, end)
        if not 0 < begin < end:
            return data
        self._feed(data[:begin])
        flood = data[begin:end]
        fed = self.fed + len(flood)
        self._take_last_strings(flood, len(flood))
        reset = max(flood.rfind(b"\x1bc"), 0)
        said: dict[bytes, None] = {}
        stop = len(flood)
        while stop > reset and len(said) < _FLOOD:
            start = max(stop - _FLOOD_BLOCK, reset)
            for token in dict.fromkeys(reversed(_RARE.findall(flood, start, stop))):
                said.setdefault(token)
            stop = start
        self._fold(flood, reset, len(flood))
        self._take_last(flood, len(flood), b"\x1b]8;")
        was_alternate = self.alternate
        for token in reversed(said):
            if len(token) > 1:
                self._feed(token)
        if self.alternate_mode and not (was_alternate and b"\x1b[?%dl" % self.alternate_mode not in flood):
            left_at = flood.rfind(b"\x1b[?%dl" % self.alternate_mode)
            self.alternate_token = b"\x1b[?%dh" % self.alternate_mode
            entered = max(flood.find(self.alternate_token, left_at + 1), 0)
            self.alternate_since = fed - len(flood) + entered + len(self.alternate_token)
        self.fed = fed
        return data[end:]

    def _feed_again(self, block: bytes) -> int:
        """As `_feed`, for a block that may have come before, in the same state."""
        before = self._state()
        known = _blocks.get((before, block))
        if known is None:
            since, asked = self.alternate_since, len(self.asked)
            rare = self._feed(block)
            if self.alternate_since == since and len(self.asked) == asked:
                if len(_blocks) >= _MOST_BLOCKS:
                    _blocks.clear()
                _blocks[before, block] = (self.copy(), rare)
            return rare
        state, rare = known
        fed, since, asked_before = self.fed + len(block), self.alternate_since, self.asked
        self._become(state)
        self.fed, self.alternate_since, self.asked = fed, since, asked_before
        return rare

    def _state(self) -> tuple[object, ...]:
        """Give all that decides what comes of the next bytes."""
        values = [getattr(self, name) for name in self.__slots__ if name not in _NO_STATE]
        screens = [
            (screen.margins, pens.sequence(screen.saved_pen), screen.saved_charset) for screen in self.screens
        ]
        return (*values, pens.sequence(self.pen), frozenset(self.flags), tuple(self.charsets), *screens)

    def _feed(self, data: bytes) -> int:
        """Take some bytes; give how many rare tokens were among them."""
        start_of_data = self.fed - len(self.pending)
        self.fed += len(data)
        data = seven_bit(self.pending + data if self.pending else data)
        end = complete(data)
        self.pending = data[end : end + _LONGEST_PENDING]
        if len(data) - end > _LONGEST_PENDING and data.endswith(b"\x1b"):
            # It may be the first half of the ST that ends it.
            self.pending += b"\x1b"
        titled = self._take_last_strings(data, end)
        linked = data.rfind(b"\x1b]8;", 0, end)
        reset = -1  # where links were last ended
        rare = _RARE_OR_SHIFT if b"\x0e" in data or b"\x0f" in data else _RARE
        drawn = read = count = 0
        for found in rare.finditer(data, 0, end):
            start = found.start()
            if start < read:
                continue
            count += 1
            token = found[0]
            if len(token) > 1:
                read = found.end()
            elif token != b"\x1b":
                self._set_shift(_SHIFTS[token])
                continue
            else:
                # Its end may show only by the ESC of the pending token.
                match = TOKEN.match(data, start)
                if match is None:
                    continue
                token, read = match[0], match.end()
            known = _acts.get(token)
            if known is None:
                known = _act_of(token)
            needs_pen, act = known
            if needs_pen:
                self._fold(data, drawn, start)
                drawn = read
            if act is not None:
                act(self)
            else:
                self._take(token, is_last=start > titled)
            if token in _ENDS_LINKS:
                reset = start
            if self.alternate_mode and self.alternate_since is None:
                self.alternate_since = start_of_data + read
                self.alternate_token = token
        self._fold(data, drawn, end)
        if linked > reset:
            self._take_last(data, end, b"\x1b]8;")
        return count

    def _fold(self, data: bytes, start: int, end: int) -> None:
        """Takes in the colours of `data[start:end]`."""
        if data.find(b"\x1b", start, end) >= 0:
            # What was saved is not changed with it.
            self.pen = dict(self.pen)
            pens.fold(self.pen, data, start, end)

    def _take_last_strings(self, data: bytes, end: int) -> int:
        """Takes the last title and the last directory of the usual form: nothing sets these back. Returns where the title
        is.
        """
        titled = max(self._take_last(data, end, b"\x1b]0;"), self._take_last(data, end, b"\x1b]2;"))
        if titled >= 0:
            self._take_last(data, end, data[titled : titled + 4])
        self._take_last(data, end, b"\x1b]7;")
        return titled

    def _take_last(self, data: bytes, end: int, introducer: bytes) -> int:
        """Takes the last string with this introducer; returns where it is, -1 where there is none."""
        start = data.rfind(introducer, 0, end)
        while start >= 0:
            match = _USUAL_STRING.match(data, start, end)
            if match is not None:
                self._take_osc(match[0])
                return start
            start = data.rfind(introducer, 0, start)
        return -1

    def _take(self, token: bytes, *, is_last: bool) -> None:
        """Takes a token; of one that tells a title, `is_last` says that it does so after the last usual one."""
        kind = token[1:2]
        if kind == b"]":
            if token[-1] not in b"\x18\x1a":
                self._take_osc(token, is_last=is_last)
            return
        if kind not in b"PX^_":
            for shift in _SHIFT.findall(token):
                self._set_shift(_SHIFTS[shift])
        token = plain(token)
        if token[1:2] == b"[":
            csi = CSI.fullmatch(token)
            if csi and csi[4] in b"cn":
                self._note_query(token)
            elif csi:
                self._take_csi(csi[1] + csi[3] + csi[4], csi[2])
        else:
            self._take_escape(token[1:])

    def _take_escape(self, rest: bytes) -> None:
        if rest == b"7":
            self._save()
        elif rest == b"8":
            self._restore()
        elif rest == b"c":
            self._reset()
        elif rest in (b"=", b">"):
            self._set_flag(66, rest == b"=")
        elif rest in (b"%@", b"%G"):
            self._set_shift(0)
            self._designate(0, b"B")
        elif rest in _SHIFTS and rest > b"\x1f":
            self._set_shift(_SHIFTS[rest])
        elif len(rest) == 2 and rest[0] in _LEVELS and rest[1] in _CHARSETS:
            self._designate(_LEVELS[rest[0]], rest[1:])

    def _take_csi(self, function: bytes, parameters: bytes) -> None:
        if function in (b"?h", b"?l"):
            for field in parameters.split(b";")[:32]:
                self._set_private(int(field.split(b":")[0][:9] or b"0"), function == b"?h")
        elif function in (b"h", b"l"):
            for field in parameters.split(b";")[:32]:
                if field.lstrip(b"0") == b"4":
                    self.insert = function == b"h"
                elif field.lstrip(b"0") == b"20":
                    self.newline = function == b"h"
        elif function == b"m":
            self.pen = dict(self.pen)
            pens.write(self.pen, parameters)
        elif function == b"r":
            top, bottom = number(parameters, 0, 1), number(parameters, 1, 0)
            if bottom == 0 or bottom > top:
                self._screen.margins = b"%d;%d" % (top, bottom) if bottom else b"%d" % top if top > 1 else b""
        elif function == b"s":
            self._save()
        elif function == b"u":
            self._restore()
        elif function == b"!p":
            self._soft_reset()
        elif function == b" q":
            self.style = number(parameters, 0, 0)

    def _take_osc(self, token: bytes, *, is_last: bool = True) -> None:
        command, separator, value = string(token).partition(b";")
        if not separator:
            return
        if command in (b"0", b"2"):
            if is_last:
                self.title = _clean(value)[:_LONGEST_TITLE]
        elif command == b"7":
            self.cwd = _clean(value)[:_LONGEST_URL]
        elif command == b"8" and b";" in value:
            link = _clean(value)
            self.link = link if not link.endswith(";") and len(link) <= _LONGEST_URL else ""
        elif value == b"?":
            self._note_query(token)

    def _note_query(self, token: bytes) -> None:
        if len(self.asked) < _MOST_ASKED:
            self.asked.append(token)

    def take_asked(self) -> list[bytes]:
        """The tokens that have asked the terminal for its nature, state or colours since this was last called."""
        asked, self.asked = self.asked, []
        return asked

    def _set_private(self, mode: int, on: bool) -> None:
        if mode in _FLAGS:
            self._set_flag(mode, on)
        elif mode in _MOUSE:
            self.mouse = mode if on else 0
        elif mode in _MOUSE_ENCODINGS:
            self.encoding = mode if on else 0
        elif mode == 12:
            self.blink = on
        elif mode == 2 and on:
            for level in range(4):
                self._designate(level, b"B")
        elif mode == 1048:
            (self._save if on else self._restore)()
        elif mode in _ALTERNATE:
            if on:
                if mode == 1049:
                    self._save()
                self.alternate_mode = self.alternate_mode or mode
            else:
                self.alternate_mode = 0
                self.alternate_since = None
                self.alternate_token = b""
                self.screens[1].margins = b""
                if mode == 1049:
                    self._restore()

    def _set_flag(self, mode: int, on: bool) -> None:
        if on:
            self.flags.add(mode)
        else:
            self.flags.discard(mode)

    def _set_shift(self, level: int) -> None:
        self.shift = level
        self.charset = self.charsets[level]

    def _designate(self, level: int, charset: bytes) -> None:
        self.charsets[level] = charset
        if level == self.shift:
            self.charset = charset

    def _save(self) -> None:
        self._screen.saved_pen = self.pen
        self._screen.saved_charset = self.charset

    def _restore(self) -> None:
        self.pen = self._screen.saved_pen
        self.charset = self._screen.saved_charset

    def prelude(self, since: Ledger | None = None) -> bytes:
        """The bytes that bring a terminal just reset (RIS), or one in the state `since`, into this state.

        Where margins or origin mode change, the cursor goes home; the cursor's own place is never restored.
        """
        known = since is not None
        return prelude.between(since or Ledger(), self, known=known)

    def to_json(self) -> dict[str, Any]:
        """The state as plain values, for a segment's header."""
        return {
            "alternate": [self.alternate_mode, self.alternate_since, self.alternate_token.decode("latin-1")],
            "blink": self.blink,
            "charset": self.charset.decode(),
            "charsets": b"".join(self.charsets).decode(),
            "cwd": self.cwd,
            "encoding": self.encoding,
            "fed": self.fed,
            "flags": sorted(self.flags),
            "insert": self.insert,
            "link": self.link,
            "mouse": self.mouse,
            "newline": self.newline,
            "pen": pens.sequence(self.pen).decode(),
            "pending": self.pending.decode("latin-1"),
            "screens": [
                [screen.margins.decode(), pens.sequence(screen.saved_pen).decode(), screen.saved_charset.decode()]
                for screen in self.screens
            ],
            "shift": self.shift,
            "style": self.style,
            "title": self.title,
        }

    @classmethod
    def from_json(cls, obj: object) -> Ledger:
        """The ledger that `to_json` wrote; a new one where that is missing or makes no sense."""
        ledger = cls()
        try:
            ledger._load(obj)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return cls()
        return ledger

    def _load(self, obj: Any) -> None:
        mode, since, token = obj["alternate"]
        if mode in _ALTERNATE:
            self.alternate_mode, self.alternate_since, self.alternate_token = mode, int(since), token.encode("latin-1")
        self.blink = None if obj["blink"] is None else bool(obj["blink"])
        self.charset = _charset(obj["charset"])
        self.charsets = [_charset(name) for name in (obj["charsets"] + "BBBB")[:4]]
        self.cwd, self.link, self.title = str(obj["cwd"]), str(obj["link"]), str(obj["title"])
        self.fed, self.pending = int(obj["fed"]), obj["pending"].encode("latin-1")
        self.flags = {mode for mode in obj["flags"] if mode in _FLAGS}
        self.insert, self.newline = bool(obj["insert"]), bool(obj["newline"])
        self.mouse, self.encoding = int(obj["mouse"]), int(obj["encoding"])
        self.style = None if obj["style"] is None else int(obj["style"])
        self.shift = (0, 1, 2, 3)[obj["shift"]]
        pens.write(self.pen, obj["pen"].encode() or b"0")
        for screen, (margins, saved_pen, saved_charset) in zip(self.screens, obj["screens"], strict=True):
            screen.margins, screen.saved_charset = margins.encode(), _charset(saved_charset)
            pens.write(screen.saved_pen, saved_pen.encode() or b"0")


def _charset(name: str) -> bytes:
    charset = name.encode()
    return charset if len(charset) == 1 and charset in _CHARSETS else b"B"


#: What a token does to a ledger, and whether that has to do with the pen; None is for `_take` to tell.
_acts: dict[bytes, tuple[bool, Callable[[Ledger], None] | None]] = {}


def _act_of(token: bytes) -> tuple[bool, Callable[[Ledger], None] | None]:
    needs_pen = _PENLESS.fullmatch(token) is None
    act: Callable[[Ledger], None] | None = None
    csi = CSI.fullmatch(token)
    if csi and csi[1] + csi[3] == b"?" and csi[4] in b"hl" and csi[2].isdigit() and len(csi[2]) < 9:
        mode, on = int(csi[2]), csi[4] == b"h"
        act = lambda ledger: ledger._set_private(mode, on)  # noqa: E731, SLF001
    elif token in _SHORT:
        act = _SHORT[token]
    elif len(token) == 3 and token[1] in _LEVELS and token[2] in _CHARSETS:
        level, charset = _LEVELS[token[1]], token[2:]
        act = lambda ledger: ledger._designate(level, charset)  # noqa: E731, SLF001
    elif csi and csi[1] + csi[3] + csi[4] not in _LASTING and csi[4] not in b"cn":
        act = _nothing
    if len(_acts) >= _MOST_ACTS:
        _acts.clear()
    if len(token) <= _LONGEST_ACT:
        _acts[token] = (needs_pen, act)
    return needs_pen, act


def _nothing(_: Ledger) -> None:
    """What does not last is no concern of a ledger's."""


_LASTING = frozenset(b"?h ?l h l m r s u !p".split()) | {b" q"}
_ENDS_LINKS = (b"\x1bc", b"\x1b[!p")
_SHORT: dict[bytes, Callable[[Ledger], None]] = {b"\x1b7": Ledger._save, b"\x1b8": Ledger._restore, b"\x1bc": Ledger._reset}  # noqa: SLF001
_MOST_ACTS = 4096
_LONGEST_ACT = 32


def _clean(value: bytes) -> str:
    """Text that can stand in any OSC: without control characters."""
    return "".join(character for character in value.decode("utf-8", "replace") if character.isprintable())
