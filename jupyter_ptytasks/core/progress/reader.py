"""The reader of one attempt's output: bytes go in as they come, the present progress comes out."""

from __future__ import annotations

from dataclasses import replace

from .osc import Told, told
from .value import TEXT_LIMIT, Progress, Track

#: An escape sequence that has not ended after so many bytes is none.
_LONGEST_SEQUENCE = 4096


class ProgressReader:
    """Reads how far a task is; one for each attempt."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._cut = b""

    def feed(self, data: bytes, now: float, *, gap: bool = False) -> Progress | None:
        """Read output that was not seen before, at `now` (Unix seconds), and give the present progress, None if there
        is none. With a `gap`, output between the last piece and this one is missing. Never raises.
        """
        data = data if gap else self._cut + data
        start = data.rfind(b"\x1b", max(len(data) - _LONGEST_SEQUENCE, 0))
        self._cut = data[start:] if start >= 0 and b"\x07" not in data[start:] else b""
        for each in told(data):
            self._progress = _explicit(each, self._progress, now)
        return self._progress

    def end(self, succeeded: bool, now: float) -> Progress | None:  # noqa: FBT001
        """The attempt has ended: all is done where there was progress and it succeeded; else things stay as they are."""
        if self._progress is not None and succeeded:
            self._progress = replace(self._progress, fraction=1.0, state="normal", eta=None, updated=now)
        elif self._progress is not None:
            self._progress = replace(self._progress, eta=None)
        return self._progress


def _explicit(each: Told, before: Progress | None, now: float) -> Progress | None:
    if not each.state:
        return None
    fraction = each.fraction
    if fraction is None and each.state in ("error", "paused") and before is not None:
        fraction = before.fraction
    tracks = (Track("", each.done, each.total),) if each.done is not None else ()
    text = each.text[:TEXT_LIMIT]
    return Progress(fraction, each.done, each.total, "", text, each.state, each.source, None, tracks, now)
