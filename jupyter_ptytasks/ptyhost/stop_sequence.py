"""The stop sequence: which signal the process tree of a task gets next, and when. Pure: the job sends the signals."""

from __future__ import annotations

from ..core import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Seconds until SIGKILL is repeated: a process may be in uninterruptible sleep, or fork faster than the tree can be
#: listed.
_AGAIN = 0.1
#: The longest grace period (seconds), the most steps, and the most characters of a reason, which goes into every STATUS
#: and the exit record.
_GRACE_MAX = 10 * 366 * 86400.0
_STEPS_MAX = 64
_REASON_MAX = 64


class StopSequence:
    """Pairs of a signal number and the grace period after it (seconds), and the reason for the stop.

    `due` is the time (monotonic seconds) of the next step. The last step is always SIGKILL, repeated until the host
    sees an empty tree and drops the sequence.
    """

    __slots__ = ("_steps", "due", "reason")

    def __init__(self, steps: list[tuple[int, float]], reason: str, now: float) -> None:
        self._steps = [step for step in steps if step[0] != signals.KILL]
        self.reason = reason
        self.due = now

    @classmethod
    def from_json(cls, value: Any, now: float, most: float = _GRACE_MAX) -> StopSequence:
        """Parse a STOP frame or the `stop` of a spec: `{ladder: [[signal name, seconds], ...], reason}`. Grace periods
        of more than `most` seconds in total are shortened proportionally.

        Raises ValueError for invalid values.
        """
        steps = value.get("ladder") if isinstance(value, dict) else None
        if not isinstance(steps, (list, tuple)) or len(steps) > _STEPS_MAX:
            raise ValueError("not a list of steps")
        given = value.get("reason")
        reason = given[:_REASON_MAX] if isinstance(given, str) and given else "cancelled"
        found = [_step(one) for one in steps]
        total = sum(grace for number, grace in found if number != signals.KILL)
        if total > most:
            found = [(number, grace * most / total) for number, grace in found]
        return cls(found, reason, now)

    def advance(self, now: float) -> int | None:
        """Return the signal that is due now; None if none is. The next one is due after its grace period."""
        if now < self.due:
            return None
        if not self._steps:
            self.due = now + _AGAIN
            return signals.KILL
        number, grace = self._steps.pop(0)
        self.due = now + grace
        return number


def _step(value: Any) -> tuple[int, float]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError("a step is a signal and a number of seconds")
    name, grace = value
    if isinstance(grace, bool) or not isinstance(grace, (int, float)) or grace != grace:
        raise ValueError("the grace period of a step must be a number of seconds")
    return signals.number_of(name), float(min(max(grace, 0), _GRACE_MAX))
