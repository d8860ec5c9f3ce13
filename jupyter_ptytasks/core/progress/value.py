"""The progress of a task: one fraction of the whole, and the tracks that it was computed from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

#: The maximum length of `Progress.text`, in characters.
TEXT_LIMIT = 80


@dataclass(frozen=True)
class Track:
    """A count, such as epochs, or the steps of one epoch."""

    #: "epoch", "step", the label of a bar, or empty.
    name: str
    done: float
    #: None: unknown.
    total: float | None


@dataclass(frozen=True)
class Progress:
    """The progress of a task at `updated`."""

    #: The fraction of the whole, 0 to 1. None: there is activity, but the total is unknown.
    fraction: float | None = None
    #: Of the outermost track.
    done: float | None = None
    total: float | None = None
    unit: str = ""
    #: For display, at most `TEXT_LIMIT` characters.
    text: str = ""
    #: As in OSC 9;4: normal, error, paused or indeterminate
    #: (https://conemu.github.io/en/AnsiEscapeCodes.html#ConEmu_specific_OSC).
    state: str = "normal"
    #: Its source: osc, helper, tqdm, rich, keras, text …
    source: str = "text"
    #: Estimated seconds from `updated` to the end.
    eta: float | None = None
    #: Outermost first.
    tracks: tuple[Track, ...] = field(default=())
    #: When it last changed (Unix seconds).
    updated: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return it as in a task's JSON: `updated` is ISO 8601, in UTC."""
        return {
            "fraction": self.fraction,
            "done": self.done,
            "total": self.total,
            "unit": self.unit,
            "text": self.text,
            "state": self.state,
            "source": self.source,
            "eta": self.eta,
            "tracks": [{"name": track.name, "done": track.done, "total": track.total} for track in self.tracks],
            "updated": datetime.fromtimestamp(self.updated, timezone.utc)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
        }
