"""How many cells text takes on a row, as far as terminals agree: what is in doubt is kept apart, never guessed."""

from __future__ import annotations

import re

# Narrow in every version of Unicode: Latin, Greek, Cyrillic, dashes and bullets, arrows, operators, lines and blocks,
# Braille (spinners), check marks. U+FFFD, combining marks, emoji are not among them.
_NARROW = (
    "\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u0391-\u03a1\u03a3-\u03ff\u0400-\u0482\u2010-\u2027"
    "\u2030-\u205e\u2190-\u21ff\u2200-\u22ff\u2500-\u25bf\u2710-\u271f\u2800-\u28ff"
)
# Wide in every version: Kana, CJK ideographs, Hangul, full-width forms.
_WIDE = "\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60"

_NARROW_ONLY = re.compile(f"[{_NARROW}]*")
NARROW_FRAMES = re.compile(f"[\r{_NARROW}]*")
_WIDE_CHARACTER = re.compile(f"[{_WIDE}]")
# A doubtful character with the one before it, which it may join or change.
_DOUBTFUL = re.compile(f"[^{_NARROW}{_WIDE}]")
_DOUBTFUL_PLACE = re.compile(f".?[^{_NARROW}{_WIDE}]+", re.DOTALL)
_ZERO = re.compile(rb"\x1b\[[0-9;:]*[mK]|\x1b\][^\x07\x18\x1a\x1b]*(?:\x07|(?=\x1b\\))|\x1b\\|\x07")

DOUBTFUL_CELLS = 2


def text_of(run: bytes) -> str:
    """What of `run` (text, SGR, EL, OSC, BEL) is printed."""
    if b"\x1b" in run or b"\x07" in run:
        run = _ZERO.sub(b"", run)
    return run.decode("utf-8", "replace")


def cells(text: str) -> tuple[int, str]:
    """The number of cells of `text` that is sure, and its doubtful characters (each of 0 to 2 cells) where they stand.

    Two texts with equal doubtful parts differ in width by the difference of what is sure.
    """
    if text.isascii() or _NARROW_ONLY.fullmatch(text):
        return len(text), ""
    doubtful = _DOUBTFUL.findall(text)
    sure = len(text) - len(doubtful) + len(_WIDE_CHARACTER.findall(text))
    return sure, "".join(_DOUBTFUL_PLACE.findall(text)) if doubtful else ""


def doubt(doubtful: str) -> int:
    """The most cells that the doubtful characters of a text can take."""
    return DOUBTFUL_CELLS * len(doubtful)
