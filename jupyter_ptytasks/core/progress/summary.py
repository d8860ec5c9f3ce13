"""Progress as clients see it, from a report of the program or from the tracks."""

from __future__ import annotations

import re

from .value import TEXT_LIMIT, Progress, Track

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .counts import Count
    from .osc import OscReport
    from .tracks import Tracks

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_BYTES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def of_report(report: OscReport) -> Progress:
    """Return the progress that a program has reported by escape sequences."""
    tracks = (Track("", report.done, report.total),) if report.done is not None else ()
    text = _short(_CONTROL.sub("", report.text))
    if not text and report.done is not None:
        text = _amount(report.done, report.total, "")
    return Progress(report.fraction, report.done, report.total, "", text, report.state, report.source, None, tracks)


def of_tracks(tracks: Tracks) -> Progress:
    """Return the progress that was read from bars and lines."""
    outermost = tracks.counts[0]
    shown = tuple(Track(count.name, count.completed, count.size) for count in tracks.counts)
    text = " · ".join(map(_describe, tracks.counts))
    return Progress(
        fraction=tracks.fraction,
        done=outermost.completed,
        total=outermost.size,
        unit=outermost.unit,
        # Our own words become a sentence; labels stay as they are.
        text=_short(text if outermost.slot.startswith("bar") else text[:1].upper() + text[1:]),
        state="normal" if tracks.fraction is not None else "indeterminate",
        source=tracks.source,
        eta=tracks.eta,
        tracks=shown,
    )


def _describe(count: Count) -> str:
    # The number of the current item, counted from 1.
    done = count.completed + 1 if count.begun and count.total is not None else count.done
    return f"{count.name} {_amount(done, count.size, count.unit)}".strip()


def _amount(done: float, total: float | None, unit: str) -> str:
    if unit == "%":
        return f"{done:g} %"
    by, suffix = 1.0, ""
    if unit == "B":
        suffix, by = next(((f" {name}", size) for name, size in _BYTES if (total or done) >= size), (" B", 1.0))
    elif unit[-1:] == "B":
        suffix = f" {unit}"
    of = "" if total is None else f"/{_number(total / by)}"
    return f"{_number(done / by)}{of}{suffix}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.1f}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"
