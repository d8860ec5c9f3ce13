"""Names of tasks, groups and tags: they must be visible, and must not look like a path."""

from __future__ import annotations

import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LENGTH_MAX = 128
#: The place of tasks on the server's machine.
LOCAL = "local"
#: Maximum length of a name that is derived from a command.
_MADE_MAX = 40
#: The name of a task whose command has no visible characters.
_NAMELESS = "task"

#: How similar a name must be to be suggested (ratio of difflib). Below it are words that share letters, such as notes
#: and slots, above it those with a typo.
_SIMILAR = 0.65
#: Control characters, line ends, and characters that change the direction of text (UAX #9).
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
#: General categories that are invisible on their own: formats, marks, spaces.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Mn", "Mc", "Me", "Zl", "Zp", "Zs"})
#: Letters and symbols with a blank glyph: Hangul fillers, an empty Braille cell, a null notehead; and code
#: points reserved for invisible characters (Default_Ignorable_Code_Point).
_BLANK = frozenset({0x115F, 0x1160, 0x2065, 0x2800, 0x3164, 0xFFA0, 0x1D159, *range(0xFFF0, 0xFFF9)})
_IGNORABLE_PLANE = range(0xE0000, 0xE1000)


def fault(text: str, *, of_task: bool) -> str | None:
    """Return what is wrong with the name of a group, a tag or (`of_task`) a task; None if it is valid.

    The name of a task is part of URLs, where clients and proxies resolve `.` and `..`.
    """
    if not 1 <= len(text) <= LENGTH_MAX:
        return f"must have 1 to {LENGTH_MAX} characters"
    if any(unicodedata.category(char) in _REFUSED or unicodedata.bidirectional(char) in _TURNING for char in text):
        return "must consist of printable characters"
    if not is_visible(text):
        return "must have a visible character"
    return "must not be a relative path" if of_task and text in (".", "..") else None


def is_visible(text: str) -> bool:
    """Return whether `text` has a visible character."""
    return any(
        unicodedata.category(char) not in _UNSEEN and ord(char) not in _BLANK and ord(char) not in _IGNORABLE_PLANE
        for char in text
    )


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return a suggestion to append to an error about a name that is not in `names`; empty if none is similar."""
    import difflib  # noqa: PLC0415  few names are wrong

    found = difflib.get_close_matches(name, list(names), 1, _SIMILAR)
    return f"; did you mean {found[0]!r}?" if found else ""


def from_line(line: str) -> str:
    """Return a name for a task that runs the command `line`: the shortened line."""
    name = " ".join("".join(char if char.isprintable() else " " for char in line).split())
    name = name if len(name) <= _MADE_MAX else name[: _MADE_MAX - 1] + "…"
    return name if name and fault(name, of_task=True) is None else _NAMELESS
