"""The resource usage of one attempt of a task: the last samples, and peak values."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.times import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .gpu import GpuUse
    from .processes import Tree

#: Measured values with a peak. In percent of one CPU or GPU, bytes, or a number.
MEASURES = ("cpu", "rss", "pss", "processes", "gpu_memory", "gpu_load")
#: Number of samples that are kept.
_KEPT = 120
#: A peak is sent to the ptyhost when it has grown by this fraction.
_NOTICEABLE = 0.02


@dataclass(frozen=True)
class Sample:
    """The usage at a `time` (Unix seconds); values as in MEASURES, None if unknown."""

    time: float
    cpu: float | None
    cpu_time: float
    rss: int
    pss: int | None
    processes: int
    gpu_memory: int | None
    gpu_load: float | None
    gpu_scope: str | None


class History:
    """The samples of one attempt, in memory.

    `due` is when (monotonic seconds) to sample it next, `asked` when a client last looked, `pss_at` when the
    proportional size was last measured; they are the sampler's.
    """

    __slots__ = ("_before", "asked", "attempt", "due", "peak", "pss_at", "samples")

    def __init__(self, attempt: int, due: float) -> None:
        self.attempt = attempt
        self.due = due
        self.asked = self.pss_at = -math.inf
        self.samples: deque[Sample] = deque(maxlen=_KEPT)
        self.peak: dict[str, float] = {}
        self._before: tuple[float, float] | None = None

    def begin(self, moment: float) -> None:
        """Note that the attempt starts at `moment` (monotonic seconds)."""
        self._before = (moment, 0.0)

    def add(self, moment: float, time: float, tree: Tree, pss: int | None, gpu: GpuUse | None) -> None:
        """Add what was measured at `moment` (monotonic seconds), which is `time` (Unix seconds). Without a new
        `pss` the last one is kept.
        """
        last = self.samples[-1] if self.samples else None
        cpu = None
        if self._before is not None and moment > self._before[0]:
            spent = max(tree.cpu_time - self._before[1], 0.0)
            cpu = round(100 * spent / (moment - self._before[0]), 1)
        self._before = (moment, tree.cpu_time)
        sample = Sample(
            time=time,
            cpu=cpu,
            # CPU time of processes that nobody waited for is lost.
            cpu_time=round(max(tree.cpu_time, last.cpu_time if last is not None else 0.0), 2),
            rss=tree.rss,
            pss=pss if pss is not None or last is None else last.pss,
            processes=len(tree.processes),
            gpu_memory=gpu.memory if gpu is not None else None,
            gpu_load=round(gpu.load, 1) if gpu is not None and gpu.load is not None else None,
            gpu_scope=gpu.scope if gpu is not None else None,
        )
        self.samples.append(sample)
        self.learn({name: getattr(sample, name) for name in MEASURES})

    def learn(self, peak: object) -> None:
        """Add peaks, including those seen by other servers."""
        for name, value in known(peak).items():
            self.peak[name] = max(self.peak.get(name, value), value)

    def is_news(self, noted: object) -> bool:
        """Return whether a peak is noticeably higher than the `noted` one."""
        before = known(noted)
        return any(name not in before or value > before[name] * (1 + _NOTICEABLE) for name, value in self.peak.items())

    def to_json(self) -> dict[str, Any] | None:
        """Return the newest sample as the usage of a live task (docs/rest.md); None before the first."""
        if not self.samples:
            return None
        last = self.samples[-1]
        return {
            **{name: getattr(last, name) for name in MEASURES},
            "gpu_scope": last.gpu_scope,
            "cpu_time": last.cpu_time,
            "sampled": iso(last.time),
            "peak": {name: self.peak.get(name) for name in MEASURES},
            **dict.fromkeys(("user", "system", "max_rss")),
        }

    def samples_to_json(self) -> list[dict[str, Any]]:
        """Return all samples, oldest first, with the fields for charts."""
        shown = ("cpu", "rss", "gpu_memory", "gpu_load")
        return [{"time": iso(one.time), **{name: getattr(one, name) for name in shown}} for one in self.samples]


def known(peak: object) -> dict[str, float]:
    """Return the valid peaks among those received from outside."""
    if not isinstance(peak, dict):
        return {}
    return {
        name: value
        for name in MEASURES
        if isinstance(value := peak.get(name), (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf
    }


def of_ended(recorded: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the usage of a finished task from its exit record; None if there is none."""
    if not recorded:
        return None
    rusage = {name: recorded.get(name) for name in ("user", "system", "max_rss")}
    user, system = rusage["user"], rusage["system"]
    peak = known(recorded.get("peak"))
    return {
        **dict.fromkeys((*MEASURES, "gpu_scope")),
        "cpu_time": round(user + system, 2) if user is not None and system is not None else None,
        "sampled": None,
        "peak": {name: peak.get(name) for name in MEASURES},
        **rusage,
    }
