"""How many cells a character takes in xterm.js, which uses Unicode 6 by default.

The ranges are those of its `UnicodeV6.ts`. Unlike other width tables, this one describes a single terminal.
"""

from __future__ import annotations

from .lazy import lazy

# Combining marks and other characters without their own cell.
_ZERO = (
    "\u0300-\u036f\u0483-\u0486\u0488\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0600-\u0603"
    "\u0610-\u0615\u064b-\u065e\u0670\u06d6-\u06e4\u06e7\u06e8\u06ea-\u06ed\u070f\u0711\u0730-\u074a\u07a6-\u07b0"
    "\u07eb-\u07f3\u0901\u0902\u093c\u0941-\u0948\u094d\u0951-\u0954\u0962\u0963\u0981\u09bc\u09c1-\u09c4\u09cd"
    "\u09e2\u09e3\u0a01\u0a02\u0a3c\u0a41\u0a42\u0a47\u0a48\u0a4b-\u0a4d\u0a70\u0a71\u0a81\u0a82\u0abc\u0ac1-\u0ac5"
    "\u0ac7\u0ac8\u0acd\u0ae2\u0ae3\u0b01\u0b3c\u0b3f\u0b41-\u0b43\u0b4d\u0b56\u0b82\u0bc0\u0bcd\u0c3e-\u0c40"
    "\u0c46-\u0c48\u0c4a-\u0c4d\u0c55\u0c56\u0cbc\u0cbf\u0cc6\u0ccc\u0ccd\u0ce2\u0ce3\u0d41-\u0d43\u0d4d\u0dca"
    "\u0dd2-\u0dd4\u0dd6\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0eb9\u0ebb\u0ebc\u0ec8-\u0ecd\u0f18\u0f19"
    "\u0f35\u0f37\u0f39\u0f71-\u0f7e\u0f80-\u0f84\u0f86\u0f87\u0f90-\u0f97\u0f99-\u0fbc\u0fc6\u102d-\u1030\u1032"
    "\u1036\u1037\u1039\u1058\u1059\u1160-\u11ff\u135f\u1712-\u1714\u1732-\u1734\u1752\u1753\u1772\u1773\u17b4\u17b5"
    "\u17b7-\u17bd\u17c6\u17c9-\u17d3\u17dd\u180b-\u180d\u18a9\u1920-\u1922\u1927\u1928\u1932\u1939-\u193b\u1a17\u1a18"
    "\u1b00-\u1b03\u1b34\u1b36-\u1b3a\u1b3c\u1b42\u1b6b-\u1b73\u1dc0-\u1dca\u1dfe\u1dff\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2063\u206a-\u206f\u20d0-\u20ef\u302a-\u302f\u3099\u309a\ua806\ua80b\ua825\ua826\ufb1e\ufe00-\ufe0f"
    "\ufe20-\ufe23\ufeff\ufff9-\ufffb\U00010a01-\U00010a03\U00010a05\U00010a06\U00010a0c-\U00010a0f"
    "\U00010a38-\U00010a3a\U00010a3f\U0001d167-\U0001d169\U0001d173-\U0001d182\U0001d185-\U0001d18b"
    "\U0001d1aa-\U0001d1ad\U0001d242-\U0001d244\U000e0001\U000e0020-\U000e007f\U000e0100-\U000e01ef"
)
# CJK, Hangul and full-width forms; some of them are also combining, and count as such.
_WIDE = (
    "\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3040-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f"
    "\uff00-\uff60\uffe0-\uffe6\U00020000-\U0002fffd\U00030000-\U0003fffd"
)

#: Match characters that take no cell, and those that take two; characters in both take none.
ZERO = lazy(f"[{_ZERO}]")
WIDE = lazy(f"[{_WIDE}]")
#: Matches characters that do not take exactly one cell.
UNUSUAL = lazy(f"[{_ZERO}{_WIDE}]")


def wcwidth(char: str) -> int:
    """Return how many cells a printable character takes: 0, 1 or 2."""
    if char < "\u0300" or not UNUSUAL.match(char):
        return 1
    return 0 if ZERO.match(char) else 2
