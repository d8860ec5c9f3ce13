"""In which row of several a bar stands: bars below one another are within one another."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .counts import Sighting
    from .fragments import Segment


@dataclass(frozen=True)
class Rows:
    """What was drawn last; a value."""

    #: How many rows the cursor went up to draw all again.
    height: int = 0
    #: The row of the bar that was drawn last, None where something else was.
    row: int | None = None

    def after(self, segment: Segment, sighting: Sighting | None) -> tuple[int, Rows]:
        """Give the row of what was seen, 0 for all that is no bar, and what was drawn last."""
        if sighting is None or not sighting.bar:
            return 0, Rows()
        if sighting.source == "tqdm":
            # It goes down to its row, and back up.
            return segment.rises_behind, Rows()
        height, row = self.height, 0
        if segment.rises:
            # Rich goes up to the first row, and draws all of them.
            height, row = segment.rises, min(segment.falls, segment.rises)
        elif self.row is not None and segment.falls == 1 and not segment.over:
            # The first time it draws them, or one more. What begins after another bar returns to its line first.
            row = self.row + 1
        return row, Rows(height, row)
