"""Paint: the looks of cells, each represented by a character, so that the looks of a row are a string like its text.

A look is a pen and a hyperlink. It can be serialized as the program set it or, for independent lines of text, in a
canonical form: then the first color is set at the beginning of a line, and the last one reset at its end.
"""

from __future__ import annotations

import re

from . import pen as pens
from .cells import NULL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pen import Pen

_RESET = "\x1b[0m"
_CODES = {
    "bold": "1",
    "dim": "2",
    "italic": "3",
    "underline": "4",
    "blink": "5",
    "inverse": "7",
    "invisible": "8",
    "strike": "9",
    "overline": "53",
}
#: Attributes that are visible on a blank.
_SHOWN = frozenset(("underline", "inverse", "strike", "overline", "bg"))
#: Palette colors and true colors, in the form that nearly all programs use.
_COLOR = re.compile(rb"([34])8;(?:5;[0-9]{1,3}|2;[0-9]{1,3};[0-9]{1,3};[0-9]{1,3})")
#: Maximum number of looks; all further ones share the last. As characters, they are below the surrogates.
_MOST = 0xD000
#: Maximum number of cached transitions between looks, and of characters in one of them.
_MOST_STEPS = 4096
_LONGEST_STEP = 64


class Paint:
    """The looks that have occurred; NULL is plain text."""

    __slots__ = ("_erased", "_known", "_pens", "_steps", "_texts")

    def __init__(self) -> None:
        self._pens: list[tuple[Pen, bytes]] = [({}, b"")]
        self._known: dict[tuple[bytes, bytes], str] = {(b"", b""): NULL}
        self._steps: dict[tuple[str, str], tuple[str, str]] = {}
        self._erased: dict[str, str] = {NULL: NULL}
        self._texts: dict[str, tuple[str, bool]] = {NULL: ("", False)}

    def after(self, look: str, colors: str) -> tuple[str, str]:
        """Return the look after SGR sequences, given from the parameters of the first to those of the last, and the
        look of cells that are erased with it.
        """
        found = self._steps.get((look, colors))
        if found is None:
            pen, link = self._pens[ord(look)]
            pen = dict(pen)
            for parameters in colors.encode().split(b"m\x1b["):
                color = _COLOR.fullmatch(parameters)
                if color is not None:
                    pen["fg" if color[1] == b"3" else "bg"] = parameters
                else:
                    pens.write(pen, parameters)
            after = self._look(pen, link)
            found = (after, self.erased(after))
            if len(self._steps) >= _MOST_STEPS:
                self._steps.clear()
            if len(colors) < _LONGEST_STEP:
                self._steps[look, colors] = found
        return found

    def folded(self, look: str, data: bytes, start: int, end: int) -> str:
        """Return the look after all SGR sequences in `data[start:end]`."""
        pen, link = self._pens[ord(look)]
        pen = dict(pen)
        pens.fold(pen, data, start, end)
        return self._look(pen, link)

    def linked(self, look: str, link: bytes) -> str:
        """Return the look with another hyperlink (parameters and URL, as in OSC 8), empty for none."""
        return self._look(self._pens[ord(look)][0], link)

    def relinked(self, look: str, other: str) -> str:
        """Return `look` as restored by DECRC while `other` is active: xterm.js saves whether there was a link, but not
        which one.
        """
        link = self._pens[ord(other)][1]
        return self.linked(look, link) if self._pens[ord(look)][1] else look

    def erased(self, look: str) -> str:
        """Return the look of cells that are erased with `look`: they have its background."""
        found = self._erased.get(look)
        if found is None:
            pen = self._pens[ord(look)][0]
            found = self._erased[look] = self._look({"bg": pen["bg"]} if "bg" in pen else {}, b"")
        return found

    def _look(self, pen: Pen, link: bytes) -> str:
        key = (pens.sequence(pen), link)
        found = self._known.get(key)
        if found is None:
            at = len(self._pens)
            if at >= _MOST:
                return chr(at - 1)
            self._pens.append((pen, link))
            found = self._known[key] = chr(at)
        return found

    def sequence(self, look: str) -> tuple[bytes, bytes]:
        """Return the SGR parameters that produce a look from a fresh pen, and its hyperlink."""
        pen, link = self._pens[ord(look)]
        return pens.sequence(pen), link

    def _text(self, look: str) -> tuple[str, bool]:
        """Return the canonical SGR parameters of a look, and whether it is visible on a blank."""
        found = self._texts.get(look)
        if found is None:
            pen = self._pens[ord(look)][0]
            codes = [code for slot, code in _CODES.items() if slot in pen]
            codes += [_color(pen[slot]) for slot in ("fg", "bg") if slot in pen]
            found = self._texts[look] = (";".join(codes), not _SHOWN.isdisjoint(pen))
        return found

    def shows_blanks(self, look: str) -> bool:
        """Whether this look is visible on a blank."""
        return self._text(look)[1]

    def text(self, runs: list[tuple[str, str]]) -> str:
        """Return runs of text, each with its look, as text with SGR sequences."""
        parts = []
        drawn = ""
        for look, run in runs:
            wanted = self._text(look)[0]
            if wanted != drawn:
                parts.append((drawn and _RESET) + (wanted and f"\x1b[{wanted}m"))
                drawn = wanted
            parts.append(run)
        return "".join(parts) + (drawn and _RESET)


def _color(value: bytes) -> str:
    """Return an SGR color (38;5;n, 48:2::r:g:b, 31) with semicolons, as xterm.js reads it."""
    if b";" not in value and b":" not in value:
        return value.decode()
    numbers = [int(field[:9] or b"0") for field in value.replace(b":", b";").split(b";")]
    what, mode, values = numbers[0], numbers[1], numbers[2:]
    if mode == 5:
        return f"{what};5;{[*values, 0][0] & 0xFF}"
    if b":" in value:
        # With colons, the color space comes first, even if it is empty.
        values = values[1:]
    red, green, blue = ([*values, 0, 0, 0][at] & 0xFF for at in range(3))
    return f"{what};2;{red};{green};{blue}"
