"""A walk through a finished ring, whose results are saved in a file next to it."""

from __future__ import annotations

from ..core.ring import known_file
from ..core.ring.known import KnownRings
from ..core.ring.lines import RingLines
from ..core.ring.reader import RingReader


def read_ahead(directory: str, size: tuple[int, int]) -> bool:
    """Walk through the ring in `directory` and save the results (core.ring.known_file). `size` (rows, columns) is used
    where no terminal size is recorded.

    Return False if nothing was written: there is a valid file already, the file would be about as large as the output,
    or the ring has changed meanwhile. Raises OSError.
    """
    found = KnownRings()
    with RingReader(directory) as reader:
        bounds = reader.bounds()
        ring = RingLines(reader, size, known=found)
        if bounds[0] == bounds[1] or ring.known() is not None:
            return False
        reading = ring.since(ring.first)
        last: list[tuple[int, str]] = []
        for batch in reading.in_bulk():
            last = batch if isinstance(batch, list) else []
            known = found.get(directory)
            if known is not None and known.offset < bounds[1]:
                return False  # the results would be too large
        known = ring.known()
        if known is None or reader.bounds() != bounds:
            return False
        if last:
            known.parts.append(last)  # lines that have left the screen at the very end
        known_file.write(directory, known, reading.rest(), reading.skipped)
    return True
