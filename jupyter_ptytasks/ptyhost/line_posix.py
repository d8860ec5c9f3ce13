"""The line being typed, as buffered by a terminal in canonical mode ("line mode"; termios(3), ICANON).

It keeps a limited number of bytes and silently drops the rest: Linux keeps 4095 (N_TTY_BUF_SIZE - 1 in
drivers/tty/n_tty.c), macOS MAX_CANON - 1. *Complete* lines that the program has not read are different: then the
terminal takes nothing more, and the writer waits.
"""

from __future__ import annotations

import sys
import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The most bytes of a line, without its end.
_LIMIT = 4095 if sys.platform.startswith("linux") else 1023


class Line:
    """What was typed since the last end of a line; valid while the terminal is in line mode."""

    __slots__ = ("_typed", "limit")

    def __init__(self, limit: int = _LIMIT) -> None:
        self.limit = limit
        self._typed = bytearray()

    def __bool__(self) -> bool:
        return bool(self._typed)

    @property
    def typed(self) -> bytes:
        """What was typed since the last end of a line."""
        return bytes(self._typed)

    def type(self, data: bytes, mode: list[Any]) -> bool:
        """Remember that `data` is typed while the terminal is in `mode` (termios.tcgetattr).

        Return False, and forget it, if a line in it becomes longer than the terminal keeps.
        """
        if not mode[_LFLAG] & termios.ICANON:
            self._typed.clear()
            return True
        keys = _Keys(mode)
        first, *others = data.translate(keys.table, keys.ignored).split(b"\n")
        typed = bytearray(self._typed)
        if not keys.edit(typed, first, self.limit):
            return False
        for line in others:
            typed.clear()
            if not keys.edit(typed, line, self.limit):
                return False
        self._typed = typed
        return True


_IFLAG, _LFLAG, _CC = 0, 3, 6
#: The value of a disabled key (_POSIX_VDISABLE): 0 on Linux, 255 on macOS and the BSDs.
_DISABLED = b"\0" if sys.platform.startswith("linux") else b"\xff"
#: With these flags, the kernel erases a line character by character, as displayed; an incomplete character stays.
_SEEN = termios.ECHO | termios.ECHOE | termios.ECHOK | getattr(termios, "ECHOKE", 0)
#: Missing in the module termios; the same number on Linux and macOS.
_IUTF8 = 0x4000


class _Keys:
    """Which bytes end a line, are not part of it, or erase a part of it: as in n_tty_receive_char."""

    __slots__ = ("_erase", "_flush", "_kill", "_next", "_special", "_utf8", "_word", "ignored", "table")

    def __init__(self, mode: list[Any]) -> None:
        iflag, lflag, cc = mode[_IFLAG], mode[_LFLAG], mode[_CC]
        extended = lflag & termios.IEXTEN
        self._utf8 = bool(iflag & _IUTF8)
        self._erase = _key(cc, "VERASE")
        self._kill, self._flush = _key(cc, "VKILL"), b""
        if lflag & _SEEN != _SEEN:
            self._kill, self._flush = self._flush, self._kill
        self._word = _key(cc, "VWERASE") if extended else b""
        self._next = _key(cc, "VLNEXT") if extended else b""
        ends = _key(cc, "VEOF") + _key(cc, "VEOL") + (_key(cc, "VEOL2") if extended else b"")
        self.ignored = b"\r" if iflag & termios.IGNCR else b""
        if iflag & termios.IXON:
            self.ignored += _key(cc, "VSTART") + _key(cc, "VSTOP")
        if lflag & termios.ISIG:
            signals = _key(cc, "VINTR") + _key(cc, "VQUIT") + _key(cc, "VSUSP")
            if lflag & termios.NOFLSH:
                self.ignored += signals
            else:
                self._flush += signals
        if lflag & termios.ECHO and extended:
            self.ignored += _key(cc, "VREPRINT")
        self._special = self._erase + self._kill + self._flush + self._word + self._next
        ends += b"\r" if iflag & termios.ICRNL else b""
        table = bytearray(bytes.maketrans(ends, b"\n" * len(ends)))
        if iflag & termios.INLCR:
            table[0x0A] = 0x0D
        self.table = bytes(table)

    def edit(self, typed: bytearray, line: bytes, limit: int) -> bool:
        """Append `line`, which contains no end of a line, to `typed`; return False as soon as that is too long."""
        if len(line) == len(line.translate(None, self._special)):
            typed += line
            return len(typed) <= limit
        literal = False
        for byte in line:
            if literal or byte not in self._special:
                literal = False
                typed.append(byte)
                if len(typed) > limit:
                    return False
            elif byte in self._flush:
                typed.clear()
            elif byte in self._kill:
                while self._take_back(typed) is not None:
                    pass
            elif byte in self._erase:
                self._take_back(typed)
            elif byte in self._word:
                self._take_back_word(typed)
            else:
                literal = True
        return True

    def _take_back(self, typed: bytearray) -> int | None:
        """Erase a character, with all of its bytes in UTF-8; return its first byte, None if there is none."""
        at = len(typed) - 1
        while self._utf8 and at > 0 and typed[at] & 0xC0 == 0x80:
            at -= 1
        if at < 0 or (self._utf8 and typed[at] & 0xC0 == 0x80):
            return None
        first = typed[at]
        del typed[at:]
        return first

    def _take_back_word(self, typed: bytearray) -> None:
        in_word = False
        while True:
            kept = bytes(typed)
            first = self._take_back(typed)
            if first is None:
                return
            # The kernel treats bytes as characters of Latin-1.
            if first == 0x5F or chr(first).isalnum():
                in_word = True
            elif in_word:
                typed[:] = kept
                return


def _key(cc: list[Any], name: str) -> bytes:
    key: bytes = cc[getattr(termios, name)] if hasattr(termios, name) else _DISABLED
    return b"" if key == _DISABLED else key
