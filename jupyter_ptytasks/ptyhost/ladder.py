"""The stop ladder: which signal the tree gets next, and when. It only reckons; the host sends."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: A tree that outlives SIGKILL (it sleeps in the kernel, or it forks faster than we look) gets it again after this many
#: seconds.
_AGAIN = 0.1
#: Seconds of grace at most, steps at most, and characters of a reason: it goes into every STATUS and the exit record.
_GRACE_MAX = 10 * 366 * 86400.0
_STEPS_MAX = 64
_REASON_MAX = 64


class Ladder:
    """Steps of (signal number, seconds of grace after it), and why the task is stopped.

    `due` is the time (monotonic seconds) of the next step. The last step is always SIGKILL, and it is repeated until
    the host sees an empty tree and lets go of the ladder.
    """

    __slots__ = ("_steps", "due", "reason")

    def __init__(self, steps: list[tuple[int, float]], reason: str, now: float) -> None:
        self._steps = [step for step in steps if step[0] != signal.SIGKILL]
        self.reason = reason
        self.due = now

    @classmethod
    def from_json(cls, value: Any, now: float) -> Ladder:
        """Read a STOP frame or the `stop` of a spec: `{ladder: [[signal name, seconds], ...], reason}`.

        Raises ValueError for what is none, whatever it is.
        """
        steps = value.get("ladder") if isinstance(value, dict) else None
        if not isinstance(steps, (list, tuple)) or len(steps) > _STEPS_MAX:
            raise ValueError("not a list of steps")
        reason = value.get("reason")
        told = reason[:_REASON_MAX] if isinstance(reason, str) and reason else "cancelled"
        return cls([_step(one) for one in steps], told, now)

    def step(self, now: float) -> int | None:
        """Return the signal that is due now, if one is; the next is due when its grace is over."""
        if now < self.due:
            return None
        if not self._steps:
            self.due = now + _AGAIN
            return int(signal.SIGKILL)
        number, grace = self._steps.pop(0)
        self.due = now + grace
        return number


def _step(value: Any) -> tuple[int, float]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError("a step is a signal and seconds")
    name, grace = value
    if isinstance(grace, bool) or not isinstance(grace, (int, float)) or grace != grace:
        raise ValueError("the grace of a step is a number of seconds")
    return signal_number(name), float(min(max(grace, 0), _GRACE_MAX))


def signal_number(name: object) -> int:
    """Return the number of `SIGINT` or `INT`. Raises ValueError for what is no signal here."""
    if not isinstance(name, str):
        raise ValueError("the name of a signal is a text")  # noqa: TRY004  what was sent is wrong, not who called
    full = name if name.startswith("SIG") else f"SIG{name}"
    number = getattr(signal, full, None)
    if not isinstance(number, signal.Signals):
        raise ValueError(f"no such signal: {name[:40]}")  # noqa: TRY004
    return int(number)
