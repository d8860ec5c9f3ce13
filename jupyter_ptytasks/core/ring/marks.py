"""A cache of terminal modes at offsets in rings, so that reading further costs only the new output."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..terminal.modes import TerminalModes
    from .reader import RingReader

#: Maximum number of rings with one cached offset each: a few KiB of memory per ring.
_MOST = 64
_BLOCK = 1 << 18

_lock = Lock()
_known: OrderedDict[tuple[str, int], TerminalModes] = OrderedDict()


def modes_at(reader: RingReader, offset: int) -> TerminalModes:
    """Return the modes of a terminal that was fed a ring up to `offset`, from the keyframe before it. Thread-safe."""
    base = max((base for base in reader.bases() if base <= offset), default=0)
    key = (reader.directory, base)
    with _lock:
        modes = _known.pop(key, None)
    if modes is None or modes.fed > offset:
        modes = reader.keyframe(base).modes
    for _, data in reader.blocks(modes.fed, offset, _BLOCK):
        modes.feed(data)
    modes.take_asked()
    found = modes.copy()
    with _lock:
        _known[key] = modes
        if len(_known) > _MOST:
            _known.popitem(last=False)
    return found
