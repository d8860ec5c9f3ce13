"""Slurm jobs, through Slurm's commands: submitting, canceling, and one call of squeue for all of them, as rarely as
possible. Blocking.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

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
#: The same if no job is pending: the ends of running jobs are in their files.
_PACE_RUNNING = 60.0
#: Seconds between two calls if something is to be found out at once, and after calls that have failed, at most.
_AT_ONCE, _PACE_FAILED = 1.0, 300.0
#: Seconds between two questions about a job that squeue has forgotten.
_FORGOTTEN = 30.0
_NO_LIMIT = -1.0


class Jobs:
    """Our jobs, as squeue has told of them last, this process or another one. `interval`: seconds between two calls at
    least.
    """

    def __init__(self, commands: Commands, interval: float) -> None:
        self._commands = commands
        self._interval = interval
        self._asking = threading.Lock()
        self._rows: dict[str, Row] = {}
        #: When the last call began that has succeeded (monotonic seconds), and the last one of all.
        self.asked = _NO_LIMIT
        self._begun = _NO_LIMIT
        #: When the next one is due, when the jobs have changed last, and when something has happened to them.
        self._due = 0.0
        self._changed = 0.0
        self._hurried = _NO_LIMIT
        self._failures = 0
        self._about: dict[str, tuple[float, tuple[str, str | None] | None]] = {}
        self._kill_wait: float | None = None
        #: Why the controller cannot be reached; empty if it can.
        self.problem = ""
        #: How many answers were taken in.
        self.answers = 0

    @property
    def rows(self) -> Mapping[str, Row]:
        """Our jobs by their ids."""
        return self._rows

    def find(self, nonce: str) -> Row | None:
        """Return the job with this word in its comment."""
        return next((row for row in self._rows.values() if row.nonce == nonce), None)

    def hurry(self) -> None:
        """Ask again soon: something has happened."""
        self._changed = self._hurried = time.monotonic()
        self._due = min(self._due, self._next())

    def refresh(self) -> None:
        """Ask squeue if that is due, and neither being done by another thread or process, which may take long, nor just
        done by one: then its answer is taken.
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
        """Call squeue, and return its answer as shared with other processes."""
        begun = time.monotonic()
        # Not by job id: an id that is no longer known would make the call fail.
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
        """Read the latest squeue answer of any process, unless it is already known."""
        if answer.get("begun", _NO_LIMIT) <= self._begun:
            return
        now = time.monotonic()
        self._begun = answer["begun"]
        self.problem, self._failures = str(answer.get("problem")), int(answer.get("failures") or 0)
        self.answers += 1
        if isinstance(answer.get("rows"), str):
            found = slurm.rows(answer["rows"])
            if {(row.job, row.state, row.reason) for row in found.values()} != {
                (row.job, row.state, row.reason) for row in self._rows.values()
            }:
                self._changed = now
            self._rows = found
            self.asked = self._begun
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
        waits = any(row.stage in (slurm.Stage.WAITS, slurm.Stage.STARTS) for row in self._rows.values())
        if not waits and age >= _PACE[1][0]:
            pace = max(pace, _PACE_RUNNING)
        return now + max(pace, self._interval)

    def submit(self, options: Sequence[str], script: str) -> str:
        """Submit a job, and return its id. Raises SpawnFailed, PlaceUnreachable; then there is none. Raises
        StartUnknown if that is not known.
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
        """End a job, whatever it does. Raises PlaceUnreachable."""
        self._control(["scancel", job])

    def hold(self, job: str) -> None:
        """Keep a job that waits from being started. Raises InvalidState if it has started, PlaceUnreachable."""
        # As one that its user holds, whoever that is to Slurm: so the user can release it.
        self._control(["scontrol", "uhold", job])
        code, out, _ = self._commands.run(["squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T"])
        if code == 0 and out.strip() not in ("PENDING", ""):
            # Slurm would hold it if it were requeued.
            self._control(["scontrol", "release", job])
            raise InvalidState("the job has just started", field="state")
        self._note(job, slurm.HELD[0])

    def release(self, job: str) -> None:
        """Let a job take its turn that is held. Raises PlaceUnreachable."""
        self._control(["scontrol", "release", job])
        self._note(job, None)

    def _note(self, job: str, reason: str | None) -> None:
        """Note what has become of a job that waits, until squeue says it: nobody must take back what was done."""
        row = self._rows.get(job)
        if row is not None and row.state == "PENDING":
            self._rows = {**self._rows, job: replace(row, reason=reason)}

    def _control(self, argv: Sequence[str]) -> None:
        code, _, said = self._commands.run(argv)
        self.hurry()
        if code != 0 and "invalid job id" not in said.lower():
            raise PlaceUnreachable(f"Slurm refused the request: {slurm.fault(said)[0]}")

    def forgotten(self, job: str) -> tuple[str, str | None] | None:
        """Return the state of a job that squeue does not know any more, and the reason; None if nobody knows it. Raises
        PlaceUnreachable if that cannot be found out now.
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
        """Return the seconds between the signal by which Slurm ends a job, and the one that kills it; None if that is
        not known. Raises PlaceUnreachable.
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
