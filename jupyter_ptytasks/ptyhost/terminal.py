"""The terminal of a task and the ring of its output: moves output to the ring, and keeps the sizes of both equal."""

from __future__ import annotations

import time

from ..core.terminal.answers import answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sys
    from typing import Any

    from ..core.ring.writer import RingWriter
    from .flusher import Flusher
    from .job import Job
    from .timers import Timers

    if sys.platform == "win32":
        from .pty_windows import WindowsPty as Pty
    else:
        from .pty_posix import PosixPty as Pty

#: Seconds between two checks of a terminal that no process has open: it may be opened again (`exec >/dev/null; ...;
#: exec >/dev/tty`).
_REOPENED = 0.2
#: The most bytes that are read in one turn of the loop: the fixed cost of a turn exceeds that of reading. The mode
#: tracker would treat more as a flood, and scan it twice.
_BATCH = 1 << 15
#: For a repaint, the terminal gets a different size, and its own size back after the program has drawn something, but
#: not before the first number (seconds); if it draws nothing, after the second one. On a busy machine, the program may
#: run late, and must still see the different size.
_REPAINT = 0.05
_REPAINT_MAX = 1.0


class Terminal:
    """The pseudo-terminal `pty` of a job, and the ring of its output.

    `is_open`: a process has it open, as far as is known. `last_output` is when the program last wrote (Unix time).
    """

    __slots__ = ("_flusher", "_job", "_repainting", "_timers", "is_open", "last_output", "pty", "ring")

    def __init__(self, pty: Pty, ring: RingWriter, job: Job, timers: Timers) -> None:
        self.pty = pty
        self.ring = ring
        self._job = job
        self._timers = timers
        self._flusher: Flusher | None = None
        self.is_open = True
        self.last_output = 0.0
        #: The end of the output at the last request to repaint, and how long to wait for more (monotonic seconds).
        self._repainting = (0, 0.0)

    def flush(self, directory: str) -> None:
        """Flush new output in the ring's `directory` regularly, so that other machines see it."""
        from .flusher import Flusher  # noqa: PLC0415  for jobs on some file systems only

        self._flusher = Flusher(directory)

    # -- its output ---------------------------------------------------------------------------------------------------

    def drain(self) -> int:
        """Move output of the program into the ring; return how many bytes."""
        output = self.pty.read(_BATCH)
        if not output:
            if output is not None:
                self._hung_up()
            return 0
        self.last_output = time.time()
        self.ring.write(output)
        if self._flusher is not None:
            self._flusher.tell()
        return len(output)

    def answer(self, *, is_alone: bool) -> None:
        """Take the terminal queries in the output; answer them if there is no viewer to do so (`is_alone`)."""
        asked = self.ring.modes.take_asked()
        if asked and is_alone:
            self.pty.write(b"".join(map(answer, asked)))

    def _hung_up(self) -> None:
        """Note that no process has the terminal open. A running command may open it again, so keep checking."""
        self.is_open = False
        if self._job.ended is None:
            self._timers.set(self._look_again, time.monotonic() + _REOPENED)

    def _look_again(self) -> None:
        if self._job.ended is None:
            self.is_open = True

    @property
    def output(self) -> dict[str, Any]:
        """The part of a STATUS and of the exit record about the output and the size."""
        ring = self.ring
        held = {"start": ring.start, "end": ring.end, "lines": ring.lines, "lost": ring.lost}
        return {"rows": ring.rows, "cols": ring.cols, "last_output": self.last_output, "output": held}

    @property
    def position(self) -> tuple[int, int, int, int]:
        """The content of a HEAD: end, start, lines, lost."""
        return self.ring.end, self.ring.start, self.ring.lines, self.ring.lost

    # -- its size -----------------------------------------------------------------------------------------------------

    def resize(self, rows: int, cols: int) -> bool:
        """Set the size; return whether it has changed."""
        if (rows, cols) == (self.ring.rows, self.ring.cols):
            return False
        self.pty.resize(rows, cols)
        self.ring.resize(rows, cols)
        return True

    def repaint(self) -> None:
        """Make a full-screen program redraw its screen: only a change of the size does so reliably."""
        rows, cols = self.ring.rows, self.ring.cols
        self.pty.resize(rows - 1 if rows > 1 else 2, cols)
        now = time.monotonic()
        self._repainting = (self.ring.end, now + _REPAINT_MAX)
        self._timers.set(self._repainted, now + _REPAINT)

    def _repainted(self) -> None:
        before, deadline = self._repainting
        now = time.monotonic()
        if self.ring.end == before and now < deadline:
            self._timers.set(self._repainted, now + _REPAINT)
        else:
            self.pty.resize(self.ring.rows, self.ring.cols)
