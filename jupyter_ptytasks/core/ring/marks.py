"""Marks: what a terminal remembers at places in rings that were looked at before; reading on costs what is new."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..terminal.modes import TerminalModes
    from .reader import RingReader

#: Rings of which one place each is remembered: a few KiB of memory a ring.
_MOST = 64
_BLOCK = 1 << 18

_lock = Lock()
_known: OrderedDict[tuple[str, int], TerminalModes] = OrderedDict()


def modes_at(reader: RingReader, offset: int) -> TerminalModes:
    """Return the modes of a terminal that was fed a ring up to `offset`, from the keyframe before it.

    Any thread may call it.
    """
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
