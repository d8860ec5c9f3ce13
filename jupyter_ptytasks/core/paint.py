"""Paint: how cells look, as indices, and lines of cells as text with the SGR sequences that make them look so.

Of each line the first colour is set at its beginning and the last one taken back at its end, so that it can be shown by
itself. Equal looks are written the same way, whatever the program wrote.
"""

from __future__ import annotations

from . import pen as pens
from .cells import NULL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pen import Pen

_RESET = "\x1b[0m"
_ORDER = ("bold", "dim", "italic", "underline", "blink", "inverse", "invisible", "strike", "overline")
_CODES = dict(zip(_ORDER, ("1", "2", "3", "4", "5", "7", "8", "9", "53")))
#: What is seen of a blank.
_SHOWN = frozenset(("underline", "inverse", "strike", "overline", "bg"))
#: Looks that are told apart; a program that needs more is drawn in the last of them.
_MOST = 0xD000


class Paint:
    """Looks by index, each a character: NULL is how text looks that nobody coloured."""

    __slots__ = ("_after", "_index", "_pens", "_sequences", "_shown")

    def __init__(self) -> None:
        self._pens: list[Pen] = [{}]
        self._sequences = [""]
        self._index = {"": 0}
        self._after: dict[tuple[str, str], str] = {}
        self._shown = ""

    def after(self, pen: str, parameters: str) -> str:
        """Return the look after an SGR sequence with these parameters."""
        found = self._after.get((pen, parameters))
        if found is None:
            slots = dict(self._pens[ord(pen)])
            pens.write(slots, parameters.encode())
            found = self._after[pen, parameters] = self._look(slots)
        return found

    def _look(self, slots: Pen) -> str:
        codes = [_CODES[slot] for slot in _ORDER if slot in slots]
        codes += [_colour(slots[slot]) for slot in ("fg", "bg") if slot in slots]
        sequence = ";".join(codes)
        at = self._index.get(sequence)
        if at is None:
            at = min(len(self._pens), _MOST)
            if at < _MOST:
                self._index[sequence] = at
                self._pens.append(slots)
                self._sequences.append(sequence)
                if not _SHOWN.isdisjoint(slots):
                    self._shown += chr(at)
            else:
                at -= 1
        return chr(at)

    def shows_blanks(self, pen: str) -> bool:
        """Whether a blank that looks so can be seen."""
        return pen in self._shown

    def text(self, runs: list[tuple[str, str]]) -> str:
        """Return runs of text, each with its look, as text with SGR sequences."""
        parts = []
        drawn = NULL
        for pen, text in runs:
            if pen != drawn:
                if drawn != NULL:
                    parts.append(_RESET)
                if pen != NULL:
                    parts.append(f"\x1b[{self._sequences[ord(pen)]}m")
                drawn = pen
            parts.append(text)
        if drawn != NULL:
            parts.append(_RESET)
        return "".join(parts)


def _colour(value: bytes) -> str:
    """Return an SGR colour (38;5;n, 48:2::r:g:b, 31) with semicolons, as xterm.js reads it."""
    if b";" not in value and b":" not in value:
        return value.decode()
    # A number for each slot that xterm.js has: what, mode, colour space, and three values.
    numbers = [int(field[:9] or b"0") for field in value.replace(b":", b";").split(b";")]
    what, mode, values = numbers[0], numbers[1], numbers[2:]
    if mode == 5:
        return f"{what};5;{[*values, 0][0] & 0xFF}"
    if b":" in value:
        # With colons the colour space comes first, even where it was left out.
        values = values[1:]
    red, green, blue = ([*values, 0, 0, 0][at] & 0xFF for at in range(3))
    return f"{what};2;{red};{green};{blue}"
