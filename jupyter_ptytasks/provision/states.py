"""The states of jobs, as last reported by a Parsl provider: one query for all of them, as rarely as possible.
Blocking.
"""

from __future__ import annotations

import threading
import time

from ..core.errors import PtyTasksError
from .broker import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from .broker import Broker
    from .shared import Shared

#: Seconds between two queries after something has happened; the most seconds between queries that fail.
_AT_ONCE, _PACE_FAILED = 2.0, 300.0
_NEVER = -1.0


class States:
    """The states of jobs by id, as last reported to this process or another one. `interval` is the minimum time between
    two queries, in seconds; starts and ends of jobs are also seen in their files.
    """

    def __init__(self, broker: Broker, shared: Shared, interval: float) -> None:
        self._broker = broker
        self._shared = shared
        self._interval = interval
        self._asking = threading.Lock()
        self._states: dict[str, str] = {}
        #: When the last successful query began (monotonic seconds), and when the last query began.
        self.asked = _NEVER
        self._begun = _NEVER
        self._due = 0.0
        self._failures = 0
        #: Why queries fail; empty if they do not.
        self.problem = ""

    def of(self, job: str) -> str:
        """Return the state of a job in Parsl's terms (parsl.jobs.states); UNKNOWN if it was not reported."""
        return self._states.get(job, "UNKNOWN")

    def hurry(self) -> None:
        """Query again soon: something has happened."""
        if not self._failures:
            self._due = min(self._due, self._begun + min(_AT_ONCE, self._interval))

    def refresh(self, jobs: Callable[[], Mapping[str, Mapping[str, Any]]]) -> None:
        """Query the states if that is due and not already being done. `jobs` returns the jobs to query, each with what
        the provider has stored about it.
        """
        if time.monotonic() < self._due or not self._asking.acquire(blocking=False):
            return
        try:
            with self._shared.asking() as is_alone:
                self._take(self._shared.read_answer())
                if is_alone and time.monotonic() >= self._due:
                    answer = self._ask(jobs())
                    self._shared.write_answer(answer)
                    self._take(answer)
        finally:
            self._asking.release()

    def _ask(self, jobs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        begun = time.monotonic()
        self._shared.note_call("status")
        try:
            states = self._broker.ask("states", jobs=jobs)["states"]
        except (Refused, PtyTasksError) as error:
            return {"begun": begun, "states": None, "problem": str(error), "failures": self._failures + 1}
        return {"begun": begun, "states": states, "problem": "", "failures": 0}

    def _take(self, answer: Mapping[str, Any]) -> None:
        if answer.get("begun", _NEVER) <= self._begun:
            return
        self._begun = answer["begun"]
        self.problem, self._failures = str(answer.get("problem")), int(answer.get("failures") or 0)
        if isinstance(answer.get("states"), dict):
            self._states = answer["states"]
            self.asked = self._begun
        pace = min(2.0**self._failures, _PACE_FAILED) if self._failures else 0.0
        self._due = self._begun + max(pace, self._interval)
