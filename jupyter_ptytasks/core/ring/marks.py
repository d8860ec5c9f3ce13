"""Marks: what a terminal remembers at places in rings that were looked at before; reading on costs what is new."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..terminal.modes import Ledger
    from .reader import RingReader

#: Rings of which one place each is remembered: a few KiB of memory a ring.
_MOST = 64
_BLOCK = 1 << 18

_lock = Lock()
_known: OrderedDict[tuple[str, int], Ledger] = OrderedDict()


def ledger_at(reader: RingReader, offset: int) -> Ledger:
    """Return the ledger of a terminal that was fed a ring up to `offset`, from the keyframe before it.

    Any thread may call it.
    """
    base = max((base for base in reader.bases() if base <= offset), default=0)
    key = (reader.directory, base)
    with _lock:
        ledger = _known.pop(key, None)
    if ledger is None or ledger.fed > offset:
        ledger = reader.keyframe(base).ledger
    for _, data in reader.blocks(ledger.fed, offset, _BLOCK):
        ledger.feed(data)
    ledger.take_asked()
    found = ledger.copy()
    with _lock:
        _known[key] = ledger
        if len(_known) > _MOST:
            _known.popitem(last=False)
    return found
