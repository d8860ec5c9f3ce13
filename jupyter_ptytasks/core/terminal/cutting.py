"""Cutting: finds the offset from which recorded output can be drawn in time, without losing what is still visible."""

from __future__ import annotations

import re

#: Maximum amount of work, in units of a carriage return with its text, which takes about a microsecond; an escape
#: sequence takes more, and one that moves or erases rows, or affects how all text is printed, much more.
_MOST = 45_000
_ESCAPE = 2
_COSTLY = re.compile(rb"\x1b(?:\[(?:[0-9;]*[JLMSTZ]|4[hl]|!p)|[78c(])")
_COSTLY_CONTROLS = b"\x0b\x0c\x0e\x0f"
_COST = 8
_CONTROLS = bytes(range(32))
#: Image data and the like.
_LONG_STRING = re.compile(rb"\x1b(?:\][^\x07\x18\x1a\x1b]{1024,}|[PX^_][^\x18\x1a\x1b]{1024,})")
_OPENERS = (b"\x1b]", b"\x1bP", b"\x1bX", b"\x1b^", b"\x1b_")
#: Bytes that are examined at a time; one such block is always drawn.
_BLOCK = 1 << 14

_CLEARS = (b"\x1b[H\x1b[2J", b"\x1b[2J\x1b[H", b"\x1b[1;1H\x1b[2J", b"\x1b[2J\x1b[1;1H", b"\x1b[H\x1b[J")
_SAVE_OR_RESTORE = re.compile(rb"\x1b(?:[78]|\[[su]|\[\?[0-9;]*1048[hl])")
_SAVES = re.compile(rb"\x1b(?:7|\[s|\[\?[0-9;]*1048h)")
_TAB_STOPS = re.compile(rb"\x1b(?:H|\[[0-9;]*g)")
#: Shorter sections are not cut.
_SMALL = 4096


def tokens_fit(data: bytes) -> int:
    """Return the offset from which `data` has no more tokens than can be drawn in time: 0 if all of it can."""
    # Searching for a single missing byte is cheapest; an expression would examine each ESC.
    has_strings = any(opener[1:] in data and opener in data for opener in _OPENERS)
    strings = [found.span() for found in _LONG_STRING.finditer(data)] if has_strings else []
    if not strings:
        return _fitting(data)
    # An image is one token.
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
        costly = len(block) - len(block.translate(None, _COSTLY_CONTROLS))
        if escapes:
            costly += len(_COSTLY.findall(block))
        left -= _ESCAPE * escapes + _COST * costly
        if left < 0 and pos < end:
            # A token is cut. Its rest is not shown as text, since the modes at this offset have its beginning.
            return data.find(b"\n", pos) + 1 or pos
        pos -= len(block)
    return 0


def last_clear(section: bytes) -> int:
    """Return the offset at which a full-screen program last cleared and redrew its screen; 0 if that is unknown or
    saves too little.
    """
    cut = max(section.rfind(clear) for clear in _CLEARS)
    if cut < _SMALL or _TAB_STOPS.search(section, 0, cut):
        return 0
    found = _SAVE_OR_RESTORE.search(section, cut)
    restores_first = found is not None and not _SAVES.match(found[0])
    return 0 if restores_first else cut
