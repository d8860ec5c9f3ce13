"""The state of a terminal's modes, and how each token of its output changes it: modes, margins, pen, charsets, title.

Where terminals differ, this follows xterm.js: its RIS, for instance, does not reset whether the cursor is visible (mode
25), whether it blinks (12) and what a line feed does (20).
"""

from __future__ import annotations

import re

from . import pen as pens
from .vt import CSI, number, plain, string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from .pen import Pen

    Self = TypeVar("Self", bound="ModeState")

# Limits in bytes or characters: longer values are cut, longer hyperlinks dropped.
_LONGEST_TITLE = 256
_LONGEST_URL = 2048
_MOST_ASKED = 1000

_ALTERNATE = (47, 1047, 1049)
_MOUSE = (9, 1000, 1001, 1002, 1003)
_MOUSE_ENCODINGS = (1006, 1016)
# Private modes that are simply on or off: cursor keys, reverse video, origin, wraparound, cursor visible, reverse
# wraparound, keypad, focus events, mouse encodings that xterm.js does not support, alternate scroll, bracketed paste.
# Not 2026, synchronized output: it is transient, and must not be restored.
_FLAGS = (1, 5, 6, 7, 25, 45, 66, 1004, 1005, 1007, 1015, 2004)
_FLAGS_AT_START = (7, 25)
_FLAGS_OF_SOFT_RESET = (1, 6, 7, 25, 45, 66, 1004, 2004)
_CHARSETS = b"0AB4C5RQKYE6ZH7="
_LEVELS = {40: 0, 41: 1, 42: 2, 43: 3, 45: 1, 46: 2}  # ( ) * + - .
SHIFTS = {b"\x0e": 1, b"\x0f": 0, b"n": 2, b"o": 3, b"|": 3, b"}": 2, b"~": 1}
_SHIFT = re.compile(rb"[\x0e\x0f]")


class ScreenModes:
    """The state that the normal and the alternate screen have separately."""

    __slots__ = ("margins", "saved_charset", "saved_pen")

    def __init__(self) -> None:
        self.margins = b""  # parameters of DECSTBM; empty is the whole screen
        self.saved_pen: Pen = {}  # by DECSC; the saved position is not tracked here
        self.saved_charset = b"B"

    def copy(self) -> ScreenModes:
        """Return an independent copy."""
        other = ScreenModes()
        other.margins, other.saved_pen, other.saved_charset = self.margins, self.saved_pen, self.saved_charset
        return other


class ModeState:
    """The whole state of a terminal except its cells; a new one is a terminal after RIS (see TerminalModes)."""

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
        self.asked: list[bytes] = []  # queries to the terminal
        self.newline = False  # ANSI mode 20: a line feed implies a carriage return
        self.blink: bool | None = None  # mode 12; None for the viewer's default
        self.title = ""
        self.cwd = ""  # the URL of OSC 7
        self.flags = set(_FLAGS_AT_START)
        self._reset()

    def _reset(self) -> None:
        """RIS: everything that xterm.js resets."""
        self.alternate_mode = 0
        self.alternate_since: int | None = None
        self.alternate_token = b""
        self.screens = (ScreenModes(), ScreenModes())
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
        self.charset = b"B"  # the active one: after DECRC it may differ from charsets[shift]
        screen = self._screen
        screen.margins, screen.saved_pen, screen.saved_charset = b"", {}, b"B"

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown."""
        return self.alternate_mode != 0

    @property
    def _screen(self) -> ScreenModes:
        return self.screens[self.alternate]

    def _take(self, token: bytes, *, is_last: bool) -> None:
        """Process a token; for a title, `is_last` says that it comes after the last one of the usual form."""
        kind = token[1:2]
        if kind == b"]":
            if token[-1] not in b"\x18\x1a":
                self._take_osc(token, is_last=is_last)
            return
        if kind not in b"PX^_":
            for shift in _SHIFT.findall(token):
                self._set_shift(SHIFTS[shift])
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
        elif rest in SHIFTS and rest > b"\x1f":
            self._set_shift(SHIFTS[rest])
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
        """Return the queries for the terminal's identity, state or colors since the last call."""
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

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain values, for a segment's header."""
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
    def from_json(cls: type[Self], obj: object) -> Self:
        """Return the modes from the result of `to_json`; initial ones if it is missing or invalid."""
        modes = cls()
        try:
            modes._load(obj)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return cls()
        return modes

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
        for screen, (margins, saved_pen, saved_charset) in zip(self.screens, obj["screens"]):
            screen.margins, screen.saved_charset = margins.encode(), _charset(saved_charset)
            pens.write(screen.saved_pen, saved_pen.encode() or b"0")


def _charset(name: str) -> bytes:
    charset = name.encode()
    return charset if len(charset) == 1 and charset in _CHARSETS else b"B"


def _clean(value: bytes) -> str:
    """Return text that is valid in any OSC: without control characters."""
    return "".join(character for character in value.decode("utf-8", "replace") if character.isprintable())
