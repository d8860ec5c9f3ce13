"""The tokens of terminal output: the grammar of escape sequences, shared by everything here that reads output.

The grammar is that of xterm.js (its parser is a VT500 state machine, as in ECMA-48), for text as a viewer gets it:
decoded from UTF-8, with U+FFFD for invalid bytes. Some details that are easily missed:

- ESC always starts a new token, so nothing before it can hide a sequence;
- a control character inside a sequence is executed immediately, and the sequence continues after it;
- CAN and SUB abort a token, and so does any non-ASCII character outside a string (it is swallowed);
- OSC ends with BEL or ST, other strings only with ST; any ESC also ends a string.
"""

from __future__ import annotations

import re

from .lazy import lazy

_CONTROL = rb"[\x00-\x17\x19\x1c-\x1f\x7f]"
# One non-ASCII character, or the bytes that decode to one U+FFFD (the longest valid beginning of a character).
_OTHER = (
    rb"(?:[\xc2-\xdf][\x80-\xbf]?|\xe0(?:[\xa0-\xbf][\x80-\xbf]?)?|[\xe1-\xec\xee\xef][\x80-\xbf]{0,2}"
    rb"|\xed(?:[\x80-\x9f][\x80-\xbf]?)?|\xf0(?:[\x90-\xbf][\x80-\xbf]{0,2})?|[\xf1-\xf3][\x80-\xbf]{0,3}"
    rb"|\xf4(?:[\x80-\x8f][\x80-\xbf]{0,2})?|[\x80-\xff])"
)
_ABORT = rb"[\x18\x1a]|" + _OTHER
_STRING_END = rb"\x1b\\|[\x18\x1a]|(?=\x1b[^\\])"
_HEADER = rb"[\x00-\x17\x19\x1c-\x3f\x7f]*"


def _all_of(name: bytes, several: bytes) -> bytes:
    """Match as much of `several` as possible, without backtracking: an unterminated one would take quadratic time."""
    return rb"(?=(?P<" + name + rb">" + several + rb"))(?P=" + name + rb")"


# One complete token that begins with ESC; no match at the end of the data means that the token is incomplete.
TOKEN = lazy(
    rb"\x1b" + _CONTROL + rb"*(?:"
    rb"\[" + _all_of(b"csi", _HEADER) + rb"(?:[@-~]|" + _ABORT + rb"|(?=\x1b))"
    rb"|\]" + _all_of(b"osc", rb"[^\x07\x18\x1a\x1b]*") + rb"(?:\x07|" + _STRING_END + rb")"
    rb"|P" + _all_of(b"dcs", _HEADER) + rb"(?:"
    rb"[@-~]" + _all_of(b"data", rb"[^\x18\x1a\x1b]*") + rb"(?:" + _STRING_END + rb")"
    rb"|" + _ABORT + rb"|\x1b\\|(?=\x1b[^\\]))"
    rb"|[X^_]" + _all_of(b"apc", rb"[\x00-\x17\x19\x1c-\x7f]*") + rb"(?:" + _STRING_END + rb"|" + _OTHER + rb")"
    rb"|[ -/][\x00-\x17\x19\x1c-/\x7f]*(?:[0-~]|" + _ABORT + rb"|(?=\x1b))"
    rb"|[0-OQ-WYZ\\`-~]|" + _ABORT + rb"|(?=\x1b))"
)

# A well-formed SGR; group 1 holds its parameters.
SGR = re.compile(rb"\x1b\[([0-9;:]*)m")

# A well-formed CSI: prefix, parameters, intermediates, final.
CSI = re.compile(rb"\x1b\[([<-?]?)([0-9;:]*)([ -/]*)([@-~])")

_C1 = re.compile(rb"\xc2[\x80-\x9f]")
_CONTROLS = re.compile(_CONTROL)
_CUT_CHARACTER = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z")
# The C1 controls that xterm.js supports, by their second byte in UTF-8; all others only abort a token.
_C1_KNOWN = frozenset(b"\x84\x85\x88\x90\x98\x9b\x9c\x9d\x9e\x9f")
_C1_AS_ESCAPE = {
    bytes((0xC2, code)): bytes((0x1B, code - 0x40)) if code in _C1_KNOWN else b"\x18\x18" for code in range(0x80, 0xA0)
}
#: If there are more of them, each kind is replaced separately.
_MOST_C1 = 20_000


def seven_bit(data: bytes) -> bytes:
    """Return `data` with C1 controls (U+0080 to U+009F) in their ESC form, which has the same length as in UTF-8."""
    if b"\xc2" not in data or not _C1.search(data):
        return data
    if data.count(b"\xc2") <= _MOST_C1:
        return _C1.sub(lambda control: _C1_AS_ESCAPE[control[0]], data)
    for control, escape in _C1_AS_ESCAPE.items():
        data = data.replace(control, escape)
    return data


def plain(token: bytes) -> bytes:
    """Return `token` without the control characters inside, which are not part of its meaning."""
    return b"\x1b" + _CONTROLS.sub(b"", token[1:])


def string(token: bytes) -> bytes:
    """Return the content of a string token (OSC, DCS, ...), without introducer, terminator or control characters."""
    body = plain(token)[2:]
    return body[:-2] if body.endswith(b"\x1b\\") else body


def number(parameters: bytes, index: int, default: int) -> int:
    """Return the numeric parameter at `index` of `parameters`; `default` if it is missing, empty or zero."""
    fields = parameters.split(b";", index + 1)
    digits = fields[index].split(b":", 1)[0] if index < len(fields) else b""
    return int(digits[:9] or b"0") or default


def complete(data: bytes) -> int:
    """Return how many bytes of `data` (7-bit) precede an incomplete token or character at its end."""
    cut = _CUT_CHARACTER.search(data, max(0, len(data) - 3))
    end = cut.start() if cut else len(data)
    start = data.rfind(b"\x1b", 0, end)
    if start < 0 or TOKEN.match(data, start, end):
        return end
    if start == end - 1:
        # A lone ESC may be the first half of ST: then the string that it would end is not complete, either.
        before = data.rfind(b"\x1b", 0, start)
        if before >= 0 and not TOKEN.match(data, before, end):
            return before
    return start
