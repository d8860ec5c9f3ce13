"""Moments: when the bytes of a ring came, as its index tells, to 50 ms, or to a second where there is little output.

Times are Unix times. A clock that was set back makes some of them wrong, and nothing else.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .reader import RingReader


def offset_at(reader: RingReader, time: float) -> int:
    """Return the offset of the end of what had come by `time`; the beginning of what is kept, if that came later."""
    found = None
    for base in reader.bases():
        begun = reader.time(base)
        if found is not None and begun > time:
            break
        # A segment without an index has no times: it is skipped.
        found = base if found is None or begun else found
    if found is None:
        return 0
    offset = found
    for when, behind, _, _ in reader.records(found, found, found):
        if when > time:
            return offset
        offset = behind
    # What comes behind the last record came when the next segment was begun, which is later, or just now.
    later = [base for base in reader.bases() if base > found]
    return offset if later else reader.bounds()[1]


def times_at(reader: RingReader, offsets: list[int]) -> list[float | None]:
    """Return when the bytes before each of some ascending offsets came; None where nothing tells."""
    found: list[float | None] = []
    bases = reader.bases()
    for at, base in enumerate(bases):
        following = bases[at + 1] if at + 1 < len(bases) else None
        here: list[int] = []
        while len(found) + len(here) < len(offsets):
            offset = offsets[len(found) + len(here)]
            if following is not None and offset > following:
                break
            here.append(offset)
        if not here:
            continue
        records = reader.records(base, here[0] - 1, 0)
        when, behind, _, _ = next(records, (0.0, -1, 0, 0))
        for offset in here:
            while behind < offset:
                record = next(records, None)
                if record is None:
                    break
                when, behind, _, _ = record
            if behind >= offset:
                found.append(when)
            else:
                found.append((reader.time(following) or None) if following is not None else None)
    return found + [None] * (len(offsets) - len(found))
