"""A cache file beside the segments of a finished ring: what a walk has found, so that the first search needs no walk.

It is JSON, compressed by zlib, and may be missing. It is ignored if it is damaged or does not match the bounds of the
ring, the size of its terminal, or the version of the code that draws lines.
"""

from __future__ import annotations

import json
import os

from ..files import encode, write_bytes
from ..terminal.plain import Plain
from .format import list_bases, log_path
from .known import Known, Stretch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Increase whenever lines are drawn or numbered differently, or the format of the file changes.
_FORM = 1
#: Maximum size of the file and of its uncompressed content, in bytes.
_LONGEST = 8 << 20
_LONGEST_INSIDE = 32 << 20


def path_of(directory: str) -> str:
    """Return the path of the file for the ring in `directory`."""
    return os.path.join(directory, "known")


def is_current(directory: str) -> bool:
    """Return whether the file is as new as the ring; `read` checks whether it matches."""
    try:
        last = log_path(directory, list_bases(directory)[-1])
        return os.stat(path_of(directory)).st_mtime_ns >= os.stat(last).st_mtime_ns
    except (OSError, IndexError):
        return False


def write(directory: str, known: Known, rest: list[tuple[int, str, bool]], skipped: dict[int, int]) -> None:
    """Write what a walk through the whole ring has found: `known`, and the final `rest` and `skipped` of the `Reading`.

    Raises OSError.
    """
    import zlib  # noqa: PLC0415  not for each process that reads a ring

    content = {
        "form": _FORM,
        "bounds": [known.start, known.offset],
        "size": known.size,
        "parts": [part if isinstance(part, list) else _stretch_to_json(part) for part in known.parts],
        "rest": rest,
        "skipped": list(skipped.items()),
    }
    write_bytes(path_of(directory), zlib.compress(encode(content), 1))


def read(directory: str, bounds: tuple[int, int], size: tuple[int, int]) -> Known | None:
    """Return what is known of the ring in `directory`; None if there is no file that matches `bounds` and `size`."""
    import zlib  # noqa: PLC0415  see `write`

    try:
        with open(path_of(directory), "rb") as file:
            packed = file.read(_LONGEST)
        unpacker = zlib.decompressobj()
        content = json.loads(unpacker.decompress(packed, _LONGEST_INSIDE))
        if not unpacker.eof or (content["form"], content["bounds"], content["size"]) != (
            _FORM,
            list(bounds),
            list(size),
        ):
            return None
        known = Known(bounds[0], size, [])
        for part in content["parts"]:
            if isinstance(part, dict):
                known.add([], _stretch(part), bounds[1])
            else:
                known.add([(int(number), str(text)) for number, text in part], None, bounds[1])
        known.offset = bounds[1]
        known.rest = [(int(number), str(text), bool(steady)) for number, text, steady in content["rest"]]
        known.skipped = {int(number): int(count) for number, count in content["skipped"]}
    except (OSError, zlib.error, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return known


def _stretch_to_json(stretch: Stretch) -> dict[str, Any]:
    plain = stretch.plain
    return {
        "span": [stretch.start, stretch.end, stretch.number, stretch.feeds],
        "count": plain.count,
        "before": plain.before.decode("latin-1"),
        "behind": plain.behind.decode("latin-1"),
        "loose": plain.loose,
    }


def _stretch(part: dict[str, Any]) -> Stretch:
    before, behind = part["before"].encode("latin-1"), part["behind"].encode("latin-1")
    plain = Plain(int(part["count"]), before, behind, loose=bool(part["loose"]))
    start, end, number, feeds = map(int, part["span"])
    return Stretch(start, end, number, feeds, plain)
