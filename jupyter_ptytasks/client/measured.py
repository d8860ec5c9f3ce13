"""The client's methods for metrics and resource usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from .connection import IDLE, Connection, path_of, without_none

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .types import Metrics, Stats


class MeasureMethods(Connection):
    """Metrics and resource usage."""

    def metrics(
        self,
        ref: str,
        *,
        names: Sequence[str] = (),
        since: float | None = None,
        points: int | None = None,
        x: Literal["step", "time"] | None = None,
        attempt: int | None = None,
    ) -> Metrics:
        """Return the metrics of a task with their points.

        Args:
            names: only these.
            since: only points after this step or, with `x="time"`, this time (Unix seconds).
            points: maximum number of points of each metric; of more, the lowest and highest of each interval are kept.
            attempt: an earlier attempt.
        """
        given = without_none({"since": since, "points": points, "x": x, "attempt": attempt})
        params = {name: str(value) for name, value in given.items()}
        if names:
            params["names"] = ",".join(names)
        return cast("Metrics", self._get(path_of(ref, "metrics"), **params))

    def stats(self, ref: str) -> Stats:
        """Return the recent resource usage of a live task, which is sampled more often for the next 10 seconds."""
        return cast("Stats", self._get(path_of(ref, "stats"), **IDLE))
