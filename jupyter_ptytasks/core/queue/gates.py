"""How the queue lets tasks through to another place. Pure decisions."""

from __future__ import annotations

from dataclasses import dataclass

#: Seconds over which submissions are counted.
MINUTE = 60.0


@dataclass(frozen=True)
class Gate:
    """The way to a place: at most `limit` tasks a minute are submitted (None: as many as there are), and `submitted` is
    when those of the last one were (Unix seconds, oldest first). Until `closed` (the same) none is, for the reason
    `problem`: the place did not answer.
    """

    limit: int | None = None
    submitted: tuple[float, ...] = ()
    problem: str = ""
    closed: float = 0.0

    def opens(self, more: int, now: float) -> tuple[float, str] | None:
        """Return when the next task can be submitted, if `more` are submitted before, and why it cannot be now; None if
        it can.
        """
        if now < self.closed:
            return self.closed, f"{self.problem}; it is tried again"
        if self.limit is None:
            return None
        recent = [moment for moment in self.submitted if now - MINUTE < moment <= now]
        over = len(recent) + more - self.limit
        if over < 0:
            return None
        # Each of those that are just being submitted counts from now on.
        until = (recent[over] if over < len(recent) else now) + MINUTE
        tasks = "1 task is" if self.limit == 1 else f"{self.limit} tasks are"
        return until, f"{tasks} submitted a minute at most"
