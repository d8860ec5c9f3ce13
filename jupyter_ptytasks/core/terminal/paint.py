"""Paint: how cells look, each look as one character, so that those of a row are a string beside its text.

A look is a pen and a hyperlink. It can be written down as the program set it, or, for lines of text that stand by
themselves, in one way for all that look the same: then the first color is set at the beginning of a line, and the last
one taken back at its end.
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
#: What is seen of a blank.
_SHOWN = frozenset(("underline", "inverse", "strike", "overline", "bg"))
#: Colors of the palette and true colors, as nearly all programs write them.
_COLOR = re.compile(rb"([34])8;(?:5;[0-9]{1,3}|2;[0-9]{1,3};[0-9]{1,3};[0-9]{1,3})")
#: Number of looks that are distinguished; all further ones share the last. Below the surrogates, as characters.
_MOST = 0xD000
#: Steps from look to look that are kept, and characters of the sequences of one.
_MOST_STEPS = 4096
_LONGEST_STEP = 64


class Paint:
    """The looks that have occurred; NULL is that of plain text."""

    __slots__ = ("_erased", "_known", "_pens", "_steps", "_texts")

    def __init__(self) -> None:
        self._pens: list[tuple[Pen, bytes]] = [({}, b"")]
        self._known: dict[tuple[bytes, bytes], str] = {(b"", b""): NULL}
        self._steps: dict[tuple[str, str], tuple[str, str]] = {}
        self._erased: dict[str, str] = {NULL: NULL}
        self._texts: dict[str, tuple[str, bool]] = {NULL: ("", False)}

    def after(self, look: str, colors: str) -> tuple[str, str]:
        """Return the look after SGR sequences, given from the parameters of the first to those of the last, and that of
        what is erased then.
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
        """Return `look` as DECRC brings it back while `other` is drawn: xterm.js saves that there was a link, but not
        which.
        """
        link = self._pens[ord(other)][1]
        return self.linked(look, link) if self._pens[ord(look)][1] else look

    def erased(self, look: str) -> str:
        """Return how cells look that are erased with `look`: they have its background."""
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
        """Return the SGR parameters that make a fresh pen look so, and its hyperlink."""
        pen, link = self._pens[ord(look)]
        return pens.sequence(pen), link

    def _text(self, look: str) -> tuple[str, bool]:
        """Return the SGR parameters that all looks have that are seen as this one, and whether a blank shows it."""
        found = self._texts.get(look)
        if found is None:
            pen = self._pens[ord(look)][0]
            codes = [code for slot, code in _CODES.items() if slot in pen]
            codes += [_color(pen[slot]) for slot in ("fg", "bg") if slot in pen]
            found = self._texts[look] = (";".join(codes), not _SHOWN.isdisjoint(pen))
        return found

    def shows_blanks(self, look: str) -> bool:
        """Whether a blank that looks so can be seen."""
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
        # With colons the color space comes first, even where it was left out.
        values = values[1:]
    red, green, blue = ([*values, 0, 0, 0][at] & 0xFF for at in range(3))
    return f"{what};2;{red};{green};{blue}"
