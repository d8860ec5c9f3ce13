"""Detects floods of output to a watched terminal. The ptyhost, which is always busy then, lowers its priority so that
other processes, such as the server, can run. Without a viewer, the program should not wait longer than necessary.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds between two checks, the bytes in such a period that begin a flood, and the bytes below which it ends. The
#: latter are fewer, because lowering the priority itself reduces the output on a busy machine.
PERIOD = 1.0
_BEGINS = 512 << 10
_GOES_ON = 64 << 10


class Flood:
    """Counts watched output. `is_on`: there is a flood. It begins with 512 KiB within a second, and ends with less than
    an eighth of that in a second.

    `give_way(on=...)` is called when a flood begins and ends, and again at each check while it returns False. It uses
    no clock.
    """

    __slots__ = ("_count", "_give_way", "_gives_way", "_since", "is_on")

    def __init__(self, give_way: Callable[..., bool]) -> None:
        self._give_way = give_way
        self._gives_way = False
        self._count = 0
        self._since = 0.0
        self.is_on = False

    def note(self, count: int, now: float) -> bool:
        """Count this many bytes at `now` (monotonic seconds); return whether a flood has begun with them."""
        self._count += count
        if self.is_on or self._count < _BEGINS:
            return False
        self.is_on = now - self._since < PERIOD
        self._count, self._since = 0, now
        self._adjust()
        return self.is_on

    def look(self) -> bool:
        """Note that PERIOD has passed since the flood began or the last call; return whether to call this again."""
        self.is_on = self.is_on and self._count >= _GOES_ON
        self._count = 0
        self._adjust()
        return self.is_on or self._gives_way

    def _adjust(self) -> None:
        if self._gives_way != self.is_on and self._give_way(on=self.is_on):
            self._gives_way = self.is_on
