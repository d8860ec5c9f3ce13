"""The stop ladder: which signal the tree gets next, and when. It only reckons; the host sends."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: A tree that outlives SIGKILL (it sleeps in the kernel, or it forks faster than we look) gets it again after this many
#: seconds.
_AGAIN = 0.1


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

        Raises ValueError, TypeError or KeyError for what is none.
        """
        steps = [(signal_number(name), max(float(grace), 0.0)) for name, grace in value["ladder"]]
        return cls(steps, str(value.get("reason", "cancelled")), now)

    def step(self, now: float) -> int | None:
        """Give the signal that is due now, if one is; the next is due when its grace is over."""
        if now < self.due:
            return None
        if not self._steps:
            self.due = now + _AGAIN
            return int(signal.SIGKILL)
        number, grace = self._steps.pop(0)
        self.due = now + grace
        return number


def signal_number(name: str) -> int:
    """Give the number of `SIGINT` or `INT`. Raises ValueError for what is no signal here."""
    full = name if name.startswith("SIG") else f"SIG{name}"
    number = getattr(signal, full, None)
    if not isinstance(number, signal.Signals):
        raise ValueError(f"no such signal: {name}")  # noqa: TRY004
    return int(number)
