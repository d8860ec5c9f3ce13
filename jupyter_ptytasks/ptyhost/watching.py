"""Checks whether the program waits for input when that is due, and reports changes."""

from __future__ import annotations

import time

from ..core.platform import foreground
from .waiting import AGAIN, SILENCE, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sys
    from collections.abc import Callable
    from typing import Any

    from ..core.ring.writer import RingWriter
    from .job import Job
    from .terminal import Terminal
    from .timers import Timers

    if sys.platform == "win32":
        from .pty_windows import WindowsPty as Pty
    else:
        from .pty_posix import PosixPty as Pty

#: The mode that shows the cursor (DECTCEM).
_CURSOR = 25
#: Bytes at the end of the output that are drawn for the prompt.
_TAIL = 4096


class Watching:
    """Watches the program of a job at its terminal. `tell` is called when `value` has changed."""

    __slots__ = ("_job", "_tell", "_terminal", "_timers", "_watch")

    def __init__(self, job: Job, terminal: Terminal, timers: Timers, tell: Callable[[], None]) -> None:
        pty, ring = terminal.pty, terminal.ring
        self._job = job
        self._terminal = terminal
        self._timers = timers
        self._tell = tell
        self._watch = Watch(
            lambda: foreground.look(pty.foreground_group(), pty.device), pty.mode, lambda: shown_prompt(pty, ring)
        )

    @property
    def value(self) -> dict[str, Any] | None:
        """The entry in a STATUS; None if the program is not known to wait."""
        return self._watch.value if self._job.ended is None and self._may_wait() else None

    def is_waiting(self) -> bool:
        """Return whether the program is known to wait for input, and still does."""
        return self.value is not None and self._watch.confirm()

    def note_output(self, now: float) -> None:
        """Note that there was output at `now` (monotonic seconds)."""
        self._timers.set(self._look, now + SILENCE)
        if self._watch.note_output(now):
            self._tell()

    def note_typed(self, data: bytes | bytearray) -> None:
        """Note that `data` was typed: the program may continue."""
        now = time.monotonic()
        self._timers.set(self._look, now + SILENCE)
        if self._watch.note_input(bytes(data), now):
            self._tell()

    def _look(self) -> None:
        now = time.monotonic()
        if self._job.ended is not None:
            return
        if self._may_wait():
            changed, pause = self._watch.look(now, time.thread_time, time.time())
        else:
            changed, pause = self._watch.clear(), AGAIN
        self._timers.set(self._look, now + pause)
        if changed:
            self._tell()

    def _may_wait(self) -> bool:
        return not self._job.paused and self._terminal.is_open


def shown_prompt(pty: Pty, ring: RingWriter) -> tuple[str, int]:
    """Return the prompt that a terminal shows, and the number of its line.

    Full-screen programs have no prompt, and neither have programs that hide the cursor, such as top or a menu: there
    the user does not type after a text. DECCKM (application cursor keys) is no evidence: line editors set it, too.
    """
    if ring.modes.alternate or _CURSOR not in ring.modes.flags:
        return "", ring.lines
    from ..core.terminal.prompt import prompt_of  # noqa: PLC0415  it loads all drawing modules

    typed = pty.typed.decode("utf-8", "replace")
    return prompt_of(ring.tail(_TAIL), ring.rows, ring.cols, typed), ring.lines
