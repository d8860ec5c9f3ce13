"""How fast the queue submits tasks to another place. Pure decisions."""

from __future__ import annotations

from dataclasses import dataclass

#: Period over which submissions are counted, in seconds.
MINUTE = 60.0


@dataclass(frozen=True)
class Gate:
    """The gate to a place: at most `limit` tasks are submitted per minute (None: unlimited). `submitted` has the times
    of those in the last minute (Unix seconds, oldest first). Until `closed` (Unix seconds) no task is submitted,
    because of `problem`: the place did not respond.
    """

    limit: int | None = None
    submitted: tuple[float, ...] = ()
    problem: str = ""
    closed: float = 0.0

    def opens(self, more: int, now: float) -> tuple[float, str] | None:
        """Return when the next task can be submitted, after `more` others, and why it cannot be submitted now; None if
        it can.
        """
        if now < self.closed:
            return self.closed, f"{self.problem}; retrying"
        if self.limit is None:
            return None
        recent = [moment for moment in self.submitted if now - MINUTE < moment <= now]
        over = len(recent) + more - self.limit
        if over < 0:
            return None
        # Tasks that are being submitted count from now on.
        until = (recent[over] if over < len(recent) else now) + MINUTE
        tasks = "1 task is" if self.limit == 1 else f"{self.limit} tasks are"
        return until, f"at most {tasks} submitted per minute"
