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
_BACK = re.compile(r"[^\b]\b")


def lines_of(data: bytes) -> list[str]:
    """Give the lines of `data` as plain text, without what ends them; the last one is what follows the last line feed.

    Escape sequences are gone, carriage returns have gone back to the start of their line, backspaces one step. Bytes
    that are not UTF-8 become U+FFFD.
    """
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    if "\x1b" in text:
        text = _ESCAPE.sub("", _ERASE.sub(_ERASED, text))
    lines = text.split("\n")
    if _CONTROL.search(text):
        lines = [_put_together(line) if _CONTROL.search(line) else line for line in lines]
    return lines


def _put_together(line: str) -> str:
    shown = ""
    for frame in line.split("\r"):
        while "\b" in frame:
            shorter = _BACK.sub("", frame)
            if shorter == frame:
                break
            frame = shorter  # noqa: PLW2901
        written, erased, rest = frame.partition(_ERASED)
        shown = written + rest.replace(_ERASED, "") if erased else frame + shown[len(frame) :]
    return _CONTROL.sub("", shown)
