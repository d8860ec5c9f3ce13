"""From a terminal's bytes to lines of text: what stands there when everything has been written over that was."""

from __future__ import annotations

import re

#: ECMA-48 control sequences, strings (OSC, DCS, SOS, PM, APC) and shorter escapes, complete or cut off by the end of
#: the line.
_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\|$)?"
    r"|\x1b[ -/]*[0-~]?"
)
#: EL: erase to the end of the line, or all of it. Kept as a mark until the line is put together.
_ERASE = re.compile(r"\x1b\[[02]?K")
_ERASED = "\x00"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MOVES = re.compile(r"(\r|\x08+|\x00)")


def lines_of(data: bytes) -> list[str]:
    """Give the lines of `data` as plain text, without what ends them; the last one is what follows the last line feed.

    Escape sequences are gone, carriage returns have gone back to the start of their line, backspaces one step. Bytes
    that are not UTF-8 become U+FFFD.
    """
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace(_ERASED, "")
    if "\x1b" in text:
        text = _ESCAPE.sub("", _ERASE.sub(_ERASED, text))
    lines = text.split("\n")
    if _CONTROL.search(text):
        lines = [_put_together(line) if _CONTROL.search(line) else line for line in lines]
    return lines


def _put_together(line: str) -> str:
    """Give what is left of a line in which the cursor went back."""
    shown = ""
    at = 0
    for part in _MOVES.split(line):
        if part == "\r":
            at = 0
        elif part.startswith("\b"):
            at = max(at - len(part), 0)
        elif part == _ERASED:
            shown = shown[:at]
        else:
            text = _CONTROL.sub("", part)
            shown = shown[:at] + text + shown[at + len(text) :]
            at += len(text)
    # Bars are cleared with blanks, which nobody sees.
    return shown.rstrip(" ")
