"""The metrics of a task as charts that are saved in notebooks: Vega-Lite, which JupyterLab supports, and text."""

from __future__ import annotations

import math
from typing import Any

from ..client import curves
from ..core.metrics.series import thinned

MIME = "application/vnd.vegalite.v5+json"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
#: Maximum number of charts, saved points of each, and characters of a curve as text.
_CHARTS = 4
_POINTS = 200
_WIDTH = 40


class Metrics(dict[str, dict[str, list[float]]]):
    """Metrics by their names, each with the lists `step`, `time` (Unix seconds) and `value`."""

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Return charts of the first metrics, and a line of text for every metric."""
        text = {"text/plain": self._text()}
        return {MIME: self._picture(), **text} if self else text

    def _text(self) -> str:
        wide = max(map(len, self), default=0)
        lines = []
        for name, points in self.items():
            values = points["value"]
            some = [values[at] for at in thinned(values, _WIDTH)]
            lines.append(f"{name:<{wide}}  {curves.number(values[-1]) if values else '':>9}  {curves.sparkline(some)}")
        return "\n".join(lines) or "no metrics"

    def _picture(self) -> dict[str, Any]:
        """Return the Vega-Lite specification of the charts (https://vega.github.io/vega-lite/docs/spec.html)."""
        return {
            "$schema": _SCHEMA,
            "data": {"values": [row for name in list(self)[:_CHARTS] for row in _rows(name, self[name])]},
            "facet": {"field": "metric", "type": "nominal", "title": None, "sort": list(self)[:_CHARTS]},
            "columns": 2,
            "resolve": {"scale": {"y": "independent"}},
            "spec": {
                "width": 280,
                "height": 140,
                "mark": {"type": "line", "tooltip": True},
                "encoding": {
                    "x": {"field": "step", "type": "quantitative"},
                    "y": {"field": "value", "type": "quantitative", "title": None, "scale": {"zero": False}},
                },
            },
        }


def _rows(name: str, points: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Return the points of one metric for its chart; values that are not finite are null, and interrupt the line."""
    steps, values = points["step"], points["value"]
    return [
        {"metric": name, "step": steps[at], "value": values[at] if math.isfinite(values[at]) else None}
        for at in thinned(values, _POINTS)
        if math.isfinite(steps[at])
    ]
