"""Problems of a task that has not failed: it has stalled, or a loss is no longer a number."""

from __future__ import annotations

import statistics
from collections import deque

from .metrics.names import less_is_better, rank

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

#: A task is not considered stalled before this many seconds, and this many of its steps, without output.
_LEAST = 600.0
_STEPS = 10
#: The number of steps needed for an estimate, and the number of last steps of which it is the median.
_FEWEST = 3
_KEPT = 33
#: The rank of learning rates and gradient norms, which may be infinite now and then without harm.
_NO_AIM = 4


class Rhythm:
    """How often a task makes a step: its progress or its metrics change. Times are Unix seconds."""

    def __init__(self) -> None:
        self._steps: deque[float] = deque(maxlen=_KEPT)

    def take(self, times: Iterable[float]) -> None:
        """Note steps at these times, in order."""
        self._steps.extend(times)

    @property
    def patience(self) -> float | None:
        """Seconds of silence after which the task has stalled; None if it has made too few steps to tell."""
        if len(self._steps) < _FEWEST:
            return None
        steps = list(self._steps)
        gaps = [steps[at] - steps[at - 1] for at in range(1, len(steps))]
        return max(_LEAST, _STEPS * statistics.median(gaps))

    @property
    def last(self) -> float:
        """When the last step was; 0.0 if there was none."""
        return self._steps[-1] if self._steps else 0.0


def stalled(patience: float) -> str:
    """Return the warning for a task that was silent for this many seconds."""
    return f"no output and no new step for more than {patience / 60:.0f} minutes"


def not_numbers(metrics: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the losses and errors whose last value is not finite, each with a warning, which has the first step
    without a finite value. `metrics` is as in a task's JSON; earlier versions did not store that step.
    """
    return [
        (name, f"{name} is {told['value']} (since step {told.get('not_finite_since', told['step'])})")
        for name, told in metrics.items()
        if isinstance(told["value"], str) and less_is_better(name) and rank(name)[0] < _NO_AIM
    ]
