"""The row of a bar among several: a bar is nested in the ones above it."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .counts import Match
    from .fragments import Fragment


@dataclass(frozen=True)
class Rows:
    """The state after the last fragment; immutable."""

    #: How many rows the cursor moved up to redraw all of them.
    height: int = 0
    #: The row of the bar that was drawn last, None if that was something else.
    row: int | None = None

    def after(self, fragment: Fragment, match: Match | None) -> tuple[int, Rows]:
        """Return the row of a match, 0 for anything but a bar, and the new state."""
        if match is None or not match.bar:
            return 0, Rows()
        if match.source == "tqdm":
            # It moves down to its row, and back up.
            return fragment.rises_behind, Rows()
        height, row = self.height, 0
        if fragment.rises:
            # Rich moves up to the first row, and draws all of them.
            height, row = fragment.rises, min(fragment.falls, fragment.rises)
        elif self.row is not None and fragment.falls == 1 and not fragment.over:
            # It draws them for the first time, or an additional one. Other text after a bar returns to its line first.
            row = self.row + 1
        return row, Rows(height, row)
