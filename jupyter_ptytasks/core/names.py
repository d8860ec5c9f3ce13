"""What tasks, groups and tags may be called: something that can be seen, and told from a path."""

from __future__ import annotations

import unicodedata

LENGTH_MAX = 128
#: Characters of a name that is made from a command.
_MADE_MAX = 40
#: A command without anything that can be seen is called this.
_NAMELESS = "task"

#: Neither control characters and line ends, nor what turns the writing of others around (UAX #9).
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
#: General categories of which nothing can be seen alone: formats, marks, spaces.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Mn", "Mc", "Me", "Zl", "Zp", "Zs"})
#: Letters and symbols whose glyph is blank: the fillers of Hangul, an empty cell of Braille, a null notehead; and what
#: is reserved for more of the invisible (Default_Ignorable_Code_Point).
_BLANK = frozenset({0x115F, 0x1160, 0x2065, 0x2800, 0x3164, 0xFFA0, 0x1D159, *range(0xFFF0, 0xFFF9)})
_IGNORABLE_PLANE = range(0xE0000, 0xE1000)


def fault(text: str, *, of_task: bool) -> str | None:
    """Return what is wrong with a name, or None: of a group or a tag, or `of_task`. A task's name is a part of
    addresses, where clients and proxies take `.` and `..` for a way up.
    """
    if not 1 <= len(text) <= LENGTH_MAX:
        return f"must have 1 to {LENGTH_MAX} characters"
    if any(unicodedata.category(char) in _REFUSED or unicodedata.bidirectional(char) in _TURNING for char in text):
        return "must consist of printable characters"
    if not is_visible(text):
        return "must have a visible character"
    return "must not be a relative path" if of_task and text in (".", "..") else None


def is_visible(text: str) -> bool:
    """Whether there is anything to see of `text`."""
    return any(
        unicodedata.category(char) not in _UNSEEN and ord(char) not in _BLANK and ord(char) not in _IGNORABLE_PLANE
        for char in text
    )


def from_line(line: str) -> str:
    """Return a name for a task that runs the command `line`: the line, shortened."""
    name = " ".join("".join(char if char.isprintable() else " " for char in line).split())
    name = name if len(name) <= _MADE_MAX else name[: _MADE_MAX - 1] + "…"
    return name if name and fault(name, of_task=True) is None else _NAMELESS
