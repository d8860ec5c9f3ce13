"""What is known of how far a task is: one fraction of the whole, and the tracks that it was made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

#: What OSC 9;4 knows (https://conemu.github.io/en/AnsiEscapeCodes.html#ConEmu_specific_OSC), without "nothing".
STATES = ("normal", "error", "paused", "indeterminate")

#: How long `Progress.text` is at most, in characters.
TEXT_LIMIT = 80


@dataclass(frozen=True)
class Track:
    """One thing that is counted, such as epochs, or the steps of one epoch."""

    #: "epoch", "step", the label of a bar, or nothing.
    name: str
    done: float
    #: None: nobody knows how many there will be.
    total: float | None


@dataclass(frozen=True)
class Progress:
    """How far a task is, at `updated`."""

    #: Of the whole, 0 to 1. None: something moves, but how far it is is not known.
    fraction: float | None = None
    #: Of the outermost track.
    done: float | None = None
    total: float | None = None
    unit: str = ""
    #: For people, at most `TEXT_LIMIT` characters.
    text: str = ""
    #: One of `STATES`.
    state: str = "normal"
    #: Who told it: osc, helper, tqdm, rich, keras, text …
    source: str = "text"
    #: Seconds from `updated` to the end, as it looks.
    eta: float | None = None
    #: Outermost first.
    tracks: tuple[Track, ...] = field(default=())
    #: When it last changed, in seconds since the epoch of Unix.
    updated: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As it stands in a task's JSON: `updated` is ISO 8601, in UTC."""
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

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Progress:
        """Read what `to_json` gave; keys that are not known are passed over.

        Raises KeyError, TypeError or ValueError where it is something else.
        """
        return cls(
            fraction=data["fraction"],
            done=data["done"],
            total=data["total"],
            unit=data["unit"],
            text=data["text"],
            state=data["state"],
            source=data["source"],
            eta=data["eta"],
            tracks=tuple(Track(each["name"], each["done"], each["total"]) for each in data["tracks"]),
            # Python 3.10 knows no Z.
            updated=datetime.fromisoformat(data["updated"].replace("Z", "+00:00")).timestamp(),
        )
