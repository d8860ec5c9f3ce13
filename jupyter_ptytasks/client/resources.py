"""The resources that a task requests, as typed by users: `gpus` has the same name at all places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Resources besides GPUs, by their command line names, with help texts.
OPTIONS: Mapping[str, tuple[str, str, str]] = {
    "cpus": ("cpus", "N", "CPUs on each node"),
    "mem": ("memory", "SIZE", "memory on each node: 16G, 512M"),
    "time": ("time", "TIME", "time limit of the batch system: 2h, 1h30m, 1-12:00:00"),
    "partition": ("partition", "NAME", "partition of the cluster"),
    "nodes": ("nodes", "N", "nodes; the command runs on the first"),
    "account": ("account", "NAME", "account that is charged"),
    "qos": ("qos", "NAME", "quality of service"),
    "constraint": ("constraint", "TEXT", "features that nodes must have"),
}
_NUMBERS = ("cpus", "nodes", "time")
_DIGITS = re.compile("[0-9]{1,18}")


def is_here(place: str | None) -> bool:
    """Return whether a place is the server's machine."""
    return place in (None, "local")


def gpus(text: str) -> float | str:
    """Return GPUs as a number or share, or in the form of a batch system: `a100:2`."""
    try:
        return float(text)
    except ValueError:
        return text


def from_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `resources` for the options that were given. A time in digits is in seconds."""
    given = {field: options[option] for option, (field, _, _) in OPTIONS.items() if options[option] is not None}
    return {name: int(text) if name in _NUMBERS and _DIGITS.fullmatch(text) else text for name, text in given.items()}


def placed(
    place: str | None, resources: Mapping[str, Any] | None = None, gpus: float | str | None = None
) -> dict[str, Any]:
    """Return `place`, `resources` and `gpus` of a request, without those that are not given: at another place, GPUs are
    part of the resources. Raises ValueError for a type of GPU on this machine.
    """
    asked = dict(resources or {})
    if is_here(place):
        if isinstance(gpus, str):
            raise ValueError(
                f"{gpus!r} GPUs: here it is a number, or a share of one; a type of GPU needs another place"
            )
    elif gpus is not None:
        asked.setdefault("gpus", f"{gpus:g}" if isinstance(gpus, (int, float)) else gpus)
        gpus = None
    return {
        **({} if place is None else {"place": place}),
        **({"resources": asked} if asked else {}),
        **({} if gpus is None else {"gpus": gpus}),
    }
