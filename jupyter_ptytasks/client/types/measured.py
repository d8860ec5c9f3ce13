"""Measurements of a task: its progress, metrics, resource usage and warnings."""

from __future__ import annotations

from typing import Annotated, Literal

from ..literals import Better, Count, Id, Number, Says, Time, WarningKind
from .typed import NotRequired, TypedDict


class Track(TypedDict):
    """One counter of a task, such as epochs, or the steps of an epoch."""

    name: str
    done: float
    total: float | None


class Progress(TypedDict):
    """Progress of a task; the last one if it has ended."""

    fraction: Annotated[float, Says(minimum=0, maximum=1)] | None
    """Fraction of the whole; null if the total is unknown."""
    done: float | None
    """Count of the outermost track."""
    total: float | None
    """Total of the outermost track."""
    unit: str
    text: Annotated[str, Says(maxLength=80)]
    """A message for people; may be empty."""
    state: Literal["normal", "error", "paused", "indeterminate"]
    source: str
    """What it was recognized from."""
    eta: float | None
    """Seconds left, counted from `updated`."""
    tracks: list[Track]
    """The counters, outermost first."""
    updated: Time


class Measures(TypedDict):
    """Resources of the whole process tree of a task; null is unknown."""

    cpu: Annotated[float | None, Says(description="Percent of one CPU.")]
    rss: Annotated[int | None, Says(description="Bytes; shared memory is counted for each process.")]
    pss: Annotated[
        int | None,
        Says(description="Bytes; shared memory is counted once. Measured occasionally, for small process trees."),
    ]
    processes: Annotated[int | None, Says(description="Number of processes.")]
    gpu_memory: Annotated[int | None, Says(description="GPU memory in bytes.")]
    gpu_load: Annotated[float | None, Says(description="Percent of one GPU.")]


class Usage(Measures):
    """Resource usage of a live task; for a finished one, from its exit record."""

    gpu_scope: Literal["process", "device"] | None
    """Whether the GPU values are those of the processes, or of whole devices."""
    cpu_time: float | None
    """CPU time in seconds."""
    sampled: Time | None
    """When it was measured."""
    peak: Measures
    """The highest values so far."""
    user: float | None
    """User CPU time in seconds, of a finished task."""
    system: float | None
    """System CPU time in seconds, of a finished task."""
    max_rss: int | None
    """Memory of the largest process in bytes, of a finished task."""


class Sample(TypedDict):
    """Usage of a task at one time."""

    time: Time
    cpu: float | None
    rss: int
    gpu_memory: int | None
    gpu_load: float | None


class Stats(TypedDict):
    """Recent resource usage of a task."""

    usage: Usage | None
    interval: float
    """Current sampling interval in seconds."""
    samples: Annotated[list[Sample], Says(maxItems=120)]
    """Oldest first; empty for a finished task."""


#: A number; the ones that JSON has no word for are text, as Python's `float` and JavaScript's `Number` read it.
AnyNumber = float | Literal["NaN", "Infinity", "-Infinity"]


class Metric(TypedDict):
    """A metric: its last, lowest and highest value."""

    value: AnyNumber
    """The last value."""
    step: AnyNumber
    """The step that it belongs to."""
    not_finite_since: NotRequired[AnyNumber]
    """The first step after the last finite value; only if `value` is not finite."""
    min: float | None
    """The lowest finite value; null if there is none."""
    max: float | None
    """The highest one."""
    better: Better
    """Which values are better; guessed from the name."""
    trend: Annotated[list[float | None], Says(maxItems=16)]
    """A few values in order, for a sparkline; only for the first metric of a task."""


class MetricPoints(TypedDict):
    """A metric with its points, as columns of the same length."""

    name: str
    value: AnyNumber
    step: AnyNumber
    not_finite_since: NotRequired[AnyNumber]
    min: float | None
    max: float | None
    better: Better
    """Which values are better; guessed from the name."""
    count: Count
    """Number of values that were read, including those without a point."""
    steps: list[AnyNumber]
    times: list[float]
    """When they were read, in Unix seconds."""
    values: list[AnyNumber]


class Metrics(TypedDict):
    """The metrics of one attempt of a task, the most important first."""

    id: Id
    attempt: Number
    attempts: list[int]
    """The known attempts, oldest first."""
    gaps: list[float]
    """When output was missing (Unix seconds)."""
    metrics: Annotated[list[MetricPoints], Says(maxItems=64)]


class TaskWarning(TypedDict):
    """A problem of a task that has not failed; see docs/metrics.md."""

    kind: WarningKind
    """No output and no new step for long; or the last value of a loss is NaN or infinite."""
    metric: str | None
    """The metric."""
    message: str
    """The same in words."""
    since: Time | None
    """Since when; null if unknown."""
