"""When the bytes of a ring were written, from its index: to 50 ms, or to a second if there is little output.

Times are Unix seconds. If the clock was set back, some of them are wrong, with no other effect.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .reader import RingReader


def offset_at(reader: RingReader, time: float) -> int:
    """Return the offset of the end of the output at `time`; the beginning of the kept output if that is later."""
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
    # Output after the last record was written when the next segment was started, which is later, or just now.
    later = [base for base in reader.bases() if base > found]
    return offset if later else reader.bounds()[1]


def times_at(reader: RingReader, offsets: list[int]) -> list[float | None]:
    """Return when the bytes before each of the ascending offsets were written; None if unknown."""
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
