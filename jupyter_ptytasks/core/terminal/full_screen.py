"""Full-screen programs in recorded output: what a section on the alternate screen leaves behind, in few bytes."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .modes import Ledger

# What leaves the alternate screen (or every screen: RIS).
LEAVE = re.compile(rb"\x1b\[\?[0-9;]*(?:47|1047|1049)(?:;[0-9]*)*l|\x1bc")
# What sets a colour of the palette, or sets it back; no ledger knows of them, and no reset brings them back.
COLOURS = re.compile(rb"\x1b\](?:4|5|1[0-9]|104|105|11[0-9])(?:;[^\x00-\x1f\x7f?]*)?(?:\x07|\x1b\\)")

_ENTRY = re.compile(rb"\x1b\[\?[0-9;]*(?:47|1047|1049)(?:;[0-9]*)*h")
_SYNCHRONISED = re.compile(rb"\x1b\[\?2026[hl]")

_ENTER, _EXIT = b"\x1b[?1049h", b"\x1b[?1049l"
_CLEARS = (b"\x1b[H\x1b[2J", b"\x1b[2J\x1b[H", b"\x1b[1;1H\x1b[2J", b"\x1b[2J\x1b[1;1H", b"\x1b[H\x1b[J")
_SAVE_OR_RESTORE = re.compile(rb"\x1b(?:[78]|\[[su]|\[\?[0-9;]*1048[hl])")
_SAVES = re.compile(rb"\x1b(?:7|\[s|\[\?[0-9;]*1048h)")
_TAB_STOPS = re.compile(rb"\x1b(?:H|\[[0-9;]*g)")
# A section that is shorter stays whole.
_SMALL = 4096


def closed(section: bytes, enter: bytes, leave: bytes, entered: Ledger, left: Ledger) -> bytes | None:
    """A section between the tokens `enter` and `leave` without what it drew; None where that cannot be told apart.

    The ledgers are those after `enter` and before `leave`. Only 1049 brings the cursor back to where it was.
    """
    if enter != _ENTER or leave != _EXIT or left.alternate_since != entered.alternate_since:
        return None
    return b"".join([*COLOURS.findall(section), left.prelude(entered), *_SYNCHRONISED.findall(section)[-1:]])


def saves_for_later(data: bytes, start: int, end: int) -> bool:
    """Whether the section `data[start:end]` saves the cursor, and the next one restores it before it saves its own."""
    if not _SAVES.search(data, start, end):
        return False
    entry = _ENTRY.search(data, end)
    return entry is not None and _restores_first(data, entry.end())


def _restores_first(data: bytes, pos: int) -> bool:
    found = _SAVE_OR_RESTORE.search(data, pos)
    return found is not None and not _SAVES.match(found[0])


def last_clear(section: bytes) -> int:
    """Where in an open section the program last drew its screen anew; 0 where that does not show or does not pay."""
    cut = max(section.rfind(clear) for clear in _CLEARS)
    if cut < _SMALL or _TAB_STOPS.search(section, 0, cut):
        return 0
    return 0 if _restores_first(section, cut) else cut
