"""The bytes that a terminal sends for keys, which are named as in tmux: `C-c`, `Up`, `M-x`, `F5`.

Text that is not the name of a key is sent literally, as in tmux: `["ls", "Enter"]`. Cursor keys have two modes; the
program chooses one (DECCKM, "application cursor keys").
"""

from __future__ import annotations

import re

_NAMED = {
    "BSpace": "\x7f",
    "BTab": "\x1b[Z",
    "Enter": "\r",
    "Escape": "\x1b",
    "Space": " ",
    "Tab": "\t",
}
#: Keys whose sequence ends with a letter, and those with a number; both take modifiers as a second number.
_LETTERS = {"Up": "A", "Down": "B", "Right": "C", "Left": "D", "End": "F", "Home": "H"}
_FUNCTIONS = {"F1": "P", "F2": "Q", "F3": "R", "F4": "S"}
_NUMBERS = {
    "IC": 2,
    "Insert": 2,
    "DC": 3,
    "Delete": 3,
    "PPage": 5,
    "PageUp": 5,
    "PgUp": 5,
    "NPage": 6,
    "PageDown": 6,
    "PgDn": 6,
    **dict(zip((f"F{number}" for number in range(5, 13)), (15, 17, 18, 19, 20, 21, 23, 24))),
}
_MODIFIERS = {"S": 1, "M": 2, "C": 4}
_MODIFIED = re.compile(r"((?:[CMS]-)+)(.+)", re.DOTALL)
#: Characters besides letters that Ctrl turns into a control character.
_CONTROLS = {"@": 0, "Space": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31, "/": 31, "?": 127}


def needs_mode(keys: list[str]) -> bool:
    """Return whether the bytes of any of these keys depend on the cursor key mode."""
    return any(key in _LETTERS for key in keys)


def encode(keys: list[str], *, application: bool = False) -> bytes:
    """Return what a terminal sends for these keys, in `application` or normal cursor key mode.

    Raises ValueError for a key with modifiers that cannot be typed.
    """
    return "".join(_encode(key, application=application) for key in keys).encode()


def _encode(key: str, *, application: bool) -> str:
    if key in _NAMED:
        return _NAMED[key]
    if key in _LETTERS:
        return ("\x1bO" if application else "\x1b[") + _LETTERS[key]
    if key in _FUNCTIONS:
        return "\x1bO" + _FUNCTIONS[key]
    if key in _NUMBERS:
        return f"\x1b[{_NUMBERS[key]}~"
    # A lone caret is literal; before a letter it means Ctrl, as in tmux.
    if len(key) == 2 and key[0] == "^":
        key = f"C-{key[1]}"
    found = _MODIFIED.fullmatch(key)
    if found is None:
        return key
    modifiers = 0
    for name in found[1][::2]:
        modifiers |= _MODIFIERS[name]
    return _modified(modifiers, found[2], key)


def _modified(modifiers: int, base: str, key: str) -> str:
    if base in _LETTERS or base in _FUNCTIONS:
        return f"\x1b[1;{modifiers + 1}{_LETTERS.get(base) or _FUNCTIONS[base]}"
    if base in _NUMBERS:
        return f"\x1b[{_NUMBERS[base]};{modifiers + 1}~"
    meta = "\x1b" if modifiers & _MODIFIERS["M"] else ""
    shift, control = modifiers & _MODIFIERS["S"], modifiers & _MODIFIERS["C"]
    if control and not shift:
        if base in _CONTROLS:
            return meta + chr(_CONTROLS[base])
        if len(base) == 1 and base.isascii() and base.isalpha():
            return meta + chr(ord(base.upper()) & 0x1F)
    elif not control:
        if shift and base == "Tab":
            return meta + _NAMED["BTab"]
        if not shift and base in _NAMED:
            return meta + _NAMED[base]
        if len(base) == 1:
            return meta + (base.upper() if shift else base)
    raise ValueError(f"{key!r} is not a key that a terminal can type")
