"""The reader of one attempt's output: bytes in, metrics out.

Explicitly logged values (`jupyter_ptytasks.log`) take precedence: after the first one nothing is guessed. Next comes
the pattern of the task, then the words of its output.
"""

from __future__ import annotations

import re

from . import grammar, names
from .series import Series
from .settings import Settings
from .splitter import LONGEST, Logged, Splitter
from .steps import Place, Steps, place
from .tables import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    #: Finds a pattern's groups in a text; None if it does not match.
    Find = Callable[[str], Mapping[str, str | None] | None]

#: Maximum number of names that are tracked, metrics or not yet; and of metrics that are reported.
_FOLLOWED = 256
MOST = 64
#: The full-width forms of ASCII, as in Chinese and Japanese texts.
_WIDE = {code + 0xFEE0: code for code in range(0x21, 0x7F)}
_BLANKS = re.compile(r"\s{9,}")
#: Maximum number of gaps that are remembered.
_GAPS = 64
#: The line that the ring writes when output was lost to a full disk (core/ring/writer).
_LOST = re.compile(r"\[\d+ bytes of output lost: ")


class MetricsReader:
    """Reads the metrics of one attempt. The points do not depend on how the bytes are split; memory is bounded."""

    def __init__(self, settings: Settings | None = None, find: Find | None = None) -> None:
        self._settings = settings or Settings()
        self._find = find
        self._splitter = Splitter()
        self._steps = Steps()
        self._table = Table()
        self._followed: dict[str, Series] = {}
        #: Number of names seen so far.
        self._seen = 0
        #: Whether the program logs explicitly.
        self.logs = False
        #: Number of points read so far.
        self.points = 0
        #: When output was missing (Unix seconds).
        self.gaps: list[float] = []

    @property
    def series(self) -> list[Series]:
        """The metrics, in the order of their rank, at most `MOST`."""
        found = [one for one in self._followed.values() if one.counts]
        found.sort(key=lambda one: (names.rank(one.name), one.order))
        return found[:MOST]

    def feed(self, data: bytes, now: float, *, gap: bool = False) -> None:
        """Read new output, at `now` (Unix seconds); with a `gap`, some output before it is missing. Never raises."""
        if gap:
            self._splitter.lose()
            self._miss(now)
        for piece in self._splitter.split(data):
            self._take(piece, now)

    def end(self, succeeded: bool, now: float) -> None:  # noqa: ARG002  as all parsers
        """Read the incomplete rest: there is no more output."""
        for piece in self._splitter.rest():
            self._take(piece, now)

    def _miss(self, now: float) -> None:
        if len(self.gaps) < _GAPS:
            self.gaps.append(now)

    def _take(self, piece: str | Logged, now: float) -> None:
        if isinstance(piece, Logged):
            if not self.logs:
                self.logs = True
                self._followed.clear()
            for name, value in piece.items():
                self._add(name, now, piece.step, value, sure=True)
        elif _LOST.match(piece):
            self._miss(now)
        elif not self.logs and not self._settings.off and len(piece) <= LONGEST:
            step, found = self._read(piece)
            for name, value in found.items():
                self._add(name, now, step, value, sure=self._find is not None)

    def _read(self, text: str) -> tuple[float | None, Mapping[str, float]]:
        if self._find is not None:
            return _matched(self._find(text))
        # This makes the time of every expression proportional to the line: none scans a long run of blanks.
        text = _BLANKS.sub("        ", text)
        if not text.isascii():
            text = text.translate(_WIDE)
        row = self._table.take(text)
        if row is not None:
            step, found = row
            return self._steps.take(Place(outer=step)), found
        if not grammar.may_tell(text):
            return None, {}
        where = place(text)
        step = self._steps.take(where)
        return step, grammar.pairs(text, is_placed=where.known, is_named=where.named)

    def _add(self, name: str, now: float, step: float | None, value: float, *, sure: bool) -> None:
        if self._settings.include and name not in self._settings.include:
            return
        series = self._followed.get(name)
        if series is None:
            series = self._follow(name, sure=sure)
            if series is None:
                return
        last = series.last
        if last is not None and not sure and step is not None and (step, value) == last[1:]:
            return  # the same frame, drawn again
        if step is None:
            step = last[1] + 1 if last is not None else 0.0
        series.add(now, step, value)
        self.points += 1

    def _follow(self, name: str, *, sure: bool) -> Series | None:
        """Return a new series; None if there are too many, and all of them are metrics."""
        if len(self._followed) >= _FOLLOWED:
            idle = next((one for one in self._followed.values() if not one.counts), None)
            if idle is None:
                return None
            del self._followed[idle.name]
        series = self._followed[name] = Series(name, self._seen, sure=sure)
        self._seen += 1
        return series

    # -- saving and restoring -----------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return everything except the series, as JSON."""
        return {
            "steps": self._steps.to_json(),
            "table": self._table.columns,
            "open": self._splitter.state(),
            "seen": self._seen,
            "logs": self.logs,
            "points": self.points,
            "gaps": self.gaps,
        }

    def restore(self, state: Mapping[str, Any], series: list[Series]) -> None:
        """Continue from the `state` and the series of another reader. Raises KeyError, TypeError, ValueError or
        AttributeError for an invalid state.
        """
        steps, table = Steps(**state["steps"]), Table([str(name) for name in state["table"]])
        seen, points, gaps = int(state["seen"]), int(state["points"]), [float(one) for one in state["gaps"]]
        self._splitter.restore(state["open"])
        self._steps, self._table, self._seen, self.points, self.gaps = steps, table, seen, points, gaps
        self.logs = state["logs"] is True
        self._followed = {one.name: one for one in series}

    @property
    def followed(self) -> list[Series]:
        """All tracked names, including those that are not metrics yet."""
        return list(self._followed.values())


def _matched(groups: Mapping[str, str | None] | None) -> tuple[float | None, dict[str, float]]:
    found = {}
    for name, text in (groups or {}).items():
        try:
            found[name] = float((text or "").strip().rstrip("%").replace(",", ""))
        except ValueError:
            continue
    return found.pop("step", None), found
