"""Slurm jobs, through Slurm's commands: submitting, canceling, and one call of squeue for all jobs, as rarely as
possible. Blocking.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field, replace

from ..core import slurm
from ..core.errors import InvalidState, PlaceUnreachable, SpawnFailed, StartUnknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from ..core.slurm import Row
    from .commands import Commands

_LOG = logging.getLogger(__name__)
#: Timeout of sbatch in seconds, which retries for a while by itself.
_SUBMITTING = 60.0
#: Seconds between two calls of squeue, depending on the seconds since the last change.
_PACE = ((10.0, 2.0), (60.0, 5.0), (600.0, 15.0), (float("inf"), 30.0))
#: The same if no job is pending: how running jobs end is in their files.
_PACE_RUNNING = 60.0
#: Seconds between two calls after something has happened; the most seconds between calls that fail.
_AT_ONCE, _PACE_FAILED = 1.0, 300.0
#: Seconds between two queries about a job that squeue no longer lists.
_FORGOTTEN = 30.0
_NO_LIMIT = -1.0


@dataclass(frozen=True)
class Answer:
    """What squeue has reported: our jobs by their ids, and when it was called (monotonic seconds)."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    asked: float = _NO_LIMIT

    def find(self, nonce: str) -> Row | None:
        """Return the job with this word in its comment."""
        return next((row for row in self.rows.values() if row.nonce == nonce), None)


class Jobs:
    """Our jobs, as last reported by squeue to this process or another one. `interval` is the minimum time between two
    calls, in seconds.
    """

    def __init__(self, commands: Commands, interval: float) -> None:
        self._commands = commands
        self._interval = interval
        self._asking = threading.Lock()
        #: The last successful one. Other threads may replace it at any time.
        self.answer = Answer()
        #: When the last call began (monotonic seconds).
        self._begun = _NO_LIMIT
        #: When the next call is due, when the jobs last changed, and when `hurry` was last called.
        self._due = 0.0
        self._changed = 0.0
        self._hurried = _NO_LIMIT
        self._failures = 0
        self._about: dict[str, tuple[float, tuple[str, str | None] | None]] = {}
        self._kill_wait: float | None = None
        #: Why the controller cannot be reached; empty if it can.
        self.problem = ""
        #: The number of answers processed.
        self.answers = 0

    @property
    def rows(self) -> Mapping[str, Row]:
        """Our jobs by their ids."""
        return self.answer.rows

    def hurry(self) -> None:
        """Call squeue again soon: something has happened."""
        self._changed = self._hurried = time.monotonic()
        self._due = min(self._due, self._next())

    def refresh(self) -> None:
        """Call squeue if that is due, unless another thread or process is doing so. An answer that another process has
        received in the meantime is used instead.
        """
        if time.monotonic() >= self._due and self._asking.acquire(blocking=False):
            try:
                with self._commands.shared.asking() as is_alone:
                    self._take(self._commands.shared.read_answer())
                    if is_alone and time.monotonic() >= self._due:
                        answer = self._ask()
                        self._commands.shared.write_answer(answer)
                        self._take(answer)
            finally:
                self._asking.release()

    def _ask(self) -> dict[str, Any]:
        """Call squeue, and return the answer in the form that is shared with other processes."""
        begun = time.monotonic()
        # Not by job id: the call would fail for an unknown id.
        try:
            code, out, said = self._commands.run(
                ["squeue", "--me", "--noheader", "--states=all", f"--format={slurm.FORMAT}"]
            )
        except PlaceUnreachable as error:
            return {"begun": begun, "rows": None, "problem": error.message, "failures": self._failures + 1}
        if code == 0:
            return {"begun": begun, "rows": out, "problem": "", "failures": 0}
        problem = f"Slurm does not respond: {slurm.fault(said)[0]}"
        return {"begun": begun, "rows": None, "problem": problem, "failures": self._failures + 1}

    def _take(self, answer: Mapping[str, Any]) -> None:
        """Process an answer of this or another process, unless it is already known."""
        if answer.get("begun", _NO_LIMIT) <= self._begun:
            return
        now = time.monotonic()
        self._begun = answer["begun"]
        self.problem, self._failures = str(answer.get("problem")), int(answer.get("failures") or 0)
        self.answers += 1
        if isinstance(answer.get("rows"), str):
            found = slurm.rows(answer["rows"])
            if {(row.job, row.state, row.reason) for row in found.values()} != {
                (row.job, row.state, row.reason) for row in self.rows.values()
            }:
                self._changed = now
            self.answer = Answer(found, self._begun)
        elif self._failures == 1:
            _LOG.warning("%s", self.problem)
        self._due = self._next()

    def _next(self) -> float:
        """Return when squeue is to be called next (monotonic seconds)."""
        now = time.monotonic()
        if self._failures:
            return now + min(2.0**self._failures, _PACE_FAILED)
        if self._hurried >= self._begun:
            return self._begun + max(_AT_ONCE, self._interval)
        age = now - self._changed
        pace = next(pace for limit, pace in _PACE if age < limit)
        waits = any(row.stage in (slurm.Stage.WAITS, slurm.Stage.STARTS) for row in self.rows.values())
        if not waits and age >= _PACE[1][0]:
            pace = max(pace, _PACE_RUNNING)
        return now + max(pace, self._interval)

    def submit(self, options: Sequence[str], script: str) -> str:
        """Submit a job, and return its id. Raises SpawnFailed or PlaceUnreachable if it was not submitted, StartUnknown
        if that is unknown.
        """
        code, out, said = self._commands.run(["sbatch", *options], script, _SUBMITTING)
        job = out.strip().partition(";")[0]
        if code == 0 and job.isdecimal():
            self.hurry()
            return job
        text, field = slurm.fault(said)
        if slurm.is_away(said):
            raise PlaceUnreachable(f"Slurm does not respond: {text}")
        if code is None or code == 0 or "timed out" in said.lower():
            self.hurry()
            raise StartUnknown(f"it is not known whether Slurm has accepted the job: {text}")
        raise SpawnFailed(f"Slurm rejected the job: {text}", field=field)

    def cancel(self, job: str) -> None:
        """Cancel a job, pending or running. Raises PlaceUnreachable."""
        self._control(["scancel", job])

    def hold(self, job: str) -> None:
        """Hold a pending job. Raises InvalidState if it has started, PlaceUnreachable."""
        # `uhold` rather than `hold`, so that the user can release it even if we run as a Slurm operator.
        self._control(["scontrol", "uhold", job])
        code, out, _ = self._commands.run(["squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T"])
        if code == 0 and out.strip() not in ("PENDING", ""):
            # Otherwise Slurm would hold it when it is requeued.
            self._control(["scontrol", "release", job])
            raise InvalidState("the job has just started", field="state")
        self._note(job, slurm.HELD[0])

    def release(self, job: str) -> None:
        """Release a held job. Raises PlaceUnreachable."""
        self._control(["scontrol", "release", job])
        self._note(job, None)

    def _note(self, job: str, reason: str | None) -> None:
        """Update the row of a pending job until squeue reports the change, so that the old state does not reappear."""
        answer = self.answer
        row = answer.rows.get(job)
        if row is not None and row.state == "PENDING":
            self.answer = replace(answer, rows={**answer.rows, job: replace(row, reason=reason)})

    def _control(self, argv: Sequence[str]) -> None:
        code, _, said = self._commands.run(argv)
        self.hurry()
        if code != 0 and "invalid job id" not in said.lower():
            raise PlaceUnreachable(f"Slurm refused the request: {slurm.fault(said)[0]}")

    def forgotten(self, job: str) -> tuple[str, str | None] | None:
        """Return the state and reason of a job that squeue no longer lists, from scontrol or sacct; None if neither
        knows it. Raises PlaceUnreachable if this cannot be determined now.
        """
        now = time.monotonic()
        asked, known = self._about.get(job, (-_FORGOTTEN, None))
        if now - asked < _FORGOTTEN:
            return known
        code, out, said = self._commands.run(["scontrol", "--oneliner", "show", "job", job])
        if code == 0:
            fields = dict(part.split("=", 1) for part in out.split() if "=" in part)
            found: tuple[str, str | None] | None = (fields.get("JobState", "UNKNOWN"), fields.get("Reason"))
        elif "invalid job id" in said.lower():
            code, out, _ = self._commands.run(
                ["sacct", "--noheader", "--parsable2", "--allocations", "--format=State", "-j", job]
            )
            word = out.split()[0] if code == 0 and out.split() else ""
            found = (word, None) if word else None
        else:
            raise PlaceUnreachable(f"Slurm does not respond: {slurm.fault(said)[0]}")
        self._about[job] = (now, found)
        return found

    def kill_wait(self) -> float | None:
        """Return Slurm's KillWait: the seconds between SIGTERM and SIGKILL when it ends a job; None if unknown. Raises
        PlaceUnreachable.
        """
        if self._kill_wait is None:
            code, out, _ = self._commands.run(["scontrol", "show", "config"])
            for line in out.splitlines() if code == 0 else ():
                name, _, value = line.partition("=")
                if name.strip() == "KillWait" and value.split()[:1] and value.split()[0].isdecimal():
                    self._kill_wait = float(value.split()[0])
        return self._kill_wait

    def forget(self, keep: Collection[str]) -> None:
        """Drop cached results about jobs other than these."""
        for job in self._about.keys() - set(keep):
            del self._about[job]
