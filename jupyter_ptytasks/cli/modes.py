"""Terminal modes that programs set, and the escape sequences that reset them."""

from __future__ import annotations

import re

#: Resets what is safe to reset at any time: margins, attributes, character set, cursor and keypad modes, mouse and
#: focus reporting, bracketed paste. Not RIS or DECSTR, which clear the screen or lose the cursor position; nor ?6l
#: (origin mode), which moves the cursor.
RESET = (
    b"\x1b7\x1b[r\x1b8\x1b[m\x1b(B\x0f\x1b[4l\x1b[?1l\x1b>\x1b[?7h\x1b[?25h\x1b[0 q"
    b"\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l"
    b"\x1b[?2004l\x1b[?2026l\x1b[>4m"
)
_LEAVE_ALTERNATE = b"\x1b[?1049l"
_LEAVE_ORIGIN = b"\x1b[r\x1b[?6l\x1b[999;1H"
#: kitty's keyboard protocol. Other terminals may misread this, so it is sent only if the protocol was used.
_LEAVE_KITTY = b"\x1b[<99u"

_MODE = re.compile(
    r"\x1b\[\?(?:\d+;)*(?:1049|1047|47)(?:;\d+)*([hl])|\x1b\[[>=][\d;]*(u)|\x1b\[\?(?:\d+;)*(6)(?:;\d+)*h|\x1bc"
)
#: Longer than any of these sequences: the part kept in case one is split between two messages.
_OVERLAP = 16


class Modes:
    """Tracks the modes that may be reset only if they were set."""

    def __init__(self) -> None:
        #: Whether the alternate screen is in use.
        self.alternate = False
        self._uses_kitty = False
        self._uses_origin = False
        self._tail = ""

    def feed(self, text: str) -> None:
        """Track the modes that `text` sets and resets."""
        if not self._tail and "\x1b" not in text:
            return
        text = self._tail + text
        for found in _MODE.finditer(text):
            if found[2]:
                self._uses_kitty = True
            elif found[3]:
                self._uses_origin = True
            else:
                self.alternate = found[1] == "h"
        cut = text.rfind("\x1b", -_OVERLAP)
        self._tail = text[cut:] if cut >= 0 and not _MODE.match(text, cut) else ""

    def undo(self) -> bytes:
        """Return the bytes that reset all modes, and start over."""
        undone = _LEAVE_ORIGIN * self._uses_origin + _LEAVE_ALTERNATE * self.alternate
        undone += _LEAVE_KITTY * self._uses_kitty + RESET
        self.alternate, self._uses_kitty, self._uses_origin, self._tail = False, False, False, ""
        return undone
