"""Cutting: from where on recorded output can be drawn in time, and is all that still shows."""

from __future__ import annotations

import re

#: Work that is done at most, in units of a carriage return with the text behind it, which takes about a microsecond;
#: an escape sequence takes more, and one that moves or erases rows, or changes how all text is printed, much more.
_MOST = 45_000
_ESCAPE = 2
_COSTLY = re.compile(rb"\x1b(?:\[[0-9;]*[JLMSTZ]|\[4[hl]|\[!p|[78c(])|[\x0b\x0c\x0e\x0f]")
_COSTLY_CONTROLS = b"\x0b\x0c\x0e\x0f"
_COST = 8
_CONTROLS = bytes(range(32))
#: The data of pictures, and the like.
_LONG_STRING = re.compile(rb"\x1b(?:\][^\x07\x18\x1a\x1b]{1024,}|[PX^_][^\x18\x1a\x1b]{1024,})")
_OPENERS = (b"\x1b]", b"\x1bP", b"\x1bX", b"\x1b^", b"\x1b_")
#: Bytes that are looked at in one go; one such block is always drawn.
_BLOCK = 1 << 14

_CLEARS = (b"\x1b[H\x1b[2J", b"\x1b[2J\x1b[H", b"\x1b[1;1H\x1b[2J", b"\x1b[2J\x1b[1;1H", b"\x1b[H\x1b[J")
_SAVE_OR_RESTORE = re.compile(rb"\x1b(?:[78]|\[[su]|\[\?[0-9;]*1048[hl])")
_SAVES = re.compile(rb"\x1b(?:7|\[s|\[\?[0-9;]*1048h)")
_TAB_STOPS = re.compile(rb"\x1b(?:H|\[[0-9;]*g)")
#: A section that is shorter stays whole.
_SMALL = 4096


def tokens_fit(data: bytes) -> int:
    """Return from where on `data` holds no more tokens than can be drawn in time: 0 if all of it does."""
    # One byte that is nowhere is the cheapest question, and an expression would look at each ESC.
    has_strings = any(opener[1:] in data and opener in data for opener in _OPENERS)
    strings = [found.span() for found in _LONG_STRING.finditer(data)] if has_strings else []
    if not strings:
        return _fitting(data)
    # What a picture holds is one token.
    ends = [0, *(end for _, end in strings)]
    starts = [*(start for start, _ in strings), len(data)]
    at = _fitting(b"".join([data[end:start] for end, start in zip(ends, starts)]))
    for start, end in strings:
        if at and start <= at:
            at += end - start
    return at


def _fitting(data: bytes) -> int:
    left = _MOST
    end = pos = len(data)
    while pos > 0:
        block = data[max(pos - _BLOCK, 0) : pos]
        left -= len(block) - len(block.translate(None, _CONTROLS)) - block.count(b"\r\n")
        escapes = block.count(b"\x1b")
        costly = len(_COSTLY.findall(block)) if escapes else len(block) - len(block.translate(None, _COSTLY_CONTROLS))
        left -= _ESCAPE * escapes + _COST * costly
        if left < 0 and pos < end:
            # A token is cut; that it is the end of one does not show, for the modes there have its beginning.
            return data.find(b"\n", pos) + 1 or pos
        pos -= len(block)
    return 0


def last_clear(section: bytes) -> int:
    """Return where, in its output, a full-screen program last cleared and redrew its screen; 0 if that cannot be seen,
    or saves too little.
    """
    cut = max(section.rfind(clear) for clear in _CLEARS)
    if cut < _SMALL or _TAB_STOPS.search(section, 0, cut):
        return 0
    found = _SAVE_OR_RESTORE.search(section, cut)
    restores_first = found is not None and not _SAVES.match(found[0])
    return 0 if restores_first else cut
