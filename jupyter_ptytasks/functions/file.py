"""The format of both kinds of files: a line of JSON, then a pickle."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .pickling import Pickled

_FORMAT = 1


class Unreadable(Exception):
    """A file that this version of Python, or of this package, cannot read; the message says why."""


def encode(head: Mapping[str, Any], pickled: Pickled) -> bytes:
    """Return a file with a head and a pickle."""
    about = {"format": _FORMAT, "python": platform.python_version(), "code": bool(pickled.files), **head}
    return json.dumps(about, separators=(",", ":")).encode() + b"\n" + pickled.data


def decode(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the head of a file, and its pickle, which is not read. Raises Unreadable."""
    line, _, pickled = data.partition(b"\n")
    try:
        head = json.loads(line)
    except ValueError as error:
        raise Unreadable("the file is damaged") from error
    if not isinstance(head, dict) or head.get("format") != _FORMAT:
        raise Unreadable("it was written by another version of jupyter_ptytasks")
    theirs, ours = str(head["python"]), platform.python_version()
    # Code of one version of Python may crash another one.
    if head["code"] and _minor(theirs) != _minor(ours):
        raise Unreadable(f"it has code that was pickled by Python {theirs}, and this is Python {ours}")
    return head, pickled


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]
