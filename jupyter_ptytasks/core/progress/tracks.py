"""The counts that are going on, each within the one before it, and the one fraction that they make.

Within a phase the fraction never falls. A new phase begins where the program itself begins anew: with another outermost
count, with the same one from the start again, or with a total that was corrected by half.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .counts import Count, Rank, Sighting

_CORRECTED = 1.5


@dataclass(frozen=True)
class Tracks:
    """What is known after some output; a value."""

    #: Outermost first.
    counts: tuple[Count, ...] = ()
    source: str = ""
    #: Seconds, as a bar told them of the outermost count.
    eta: float | None = None
    #: The highest fraction of this phase.
    held: float = 0.0
    phase: int = 0
    #: Lines of other output since all was done.
    others: int = 0

    @property
    def fraction(self) -> float | None:
        """Of the whole, None while the outermost count has no total."""
        return None if _whole(self.counts) is None else self.held

    def after(self, sighting: Sighting, depth: int) -> Tracks:
        """Give what is known after a sighting, in the row `depth` of several bars."""
        seen = sighting.counts
        if len(seen) == 1 and seen[0].total is None and not sighting.bar and self.fraction is not None:
            # "step 100: loss 2.3" beside something whose end is known.
            return self
        counts, phase = self.counts, self.phase
        line = len(counts) == 1 and counts[0].total is None and not counts[0].slot.startswith("bar")
        if line and (sighting.bar or seen[-1].total is not None):
            # What has an end does not lie within a line that has none.
            counts, phase = (), phase + 1
        for count in _fitting(counts, seen, depth):
            if count.slot == "bar":
                depth = _row(counts, count, depth)
                count = replace(count, slot=f"bar {depth}")  # noqa: PLW2901
            counts, anew = _take(counts, count, depth)
            phase += anew
        if counts is self.counts:
            return self
        whole = _whole(counts)
        held = whole or 0.0
        if phase == self.phase:
            held = max(held, self.held)
        # What a bar says of the time that is left holds for the whole only if it is the whole.
        alone = len(counts) == 1 and counts[0].continues(seen[0])
        # Lines between the states of a bar are not what tells.
        aside = not sighting.bar and any(count.slot.startswith("bar") for count in counts)
        source = self.source if aside else sighting.source
        return Tracks(counts, source, sighting.eta if alone else None, held, phase)


def _row(counts: tuple[Count, ...], bar: Count, depth: int) -> int:
    """Give the row of a bar. One that was in another row stays: tqdm draws a bar that is over above all others."""
    rows = [int(each.slot.split()[1]) for each in counts if each.slot.startswith("bar") and bar.continues(each)]
    return depth if depth in rows or not rows else rows[0]


def _fitting(counts: tuple[Count, ...], seen: tuple[Count, ...], depth: int) -> tuple[Count, ...]:
    """In a row below others, a bar called "epoch 3" lies within those; it does not lie within epochs without an end."""
    if len(seen) == 1 or seen[0].total is not None:
        return seen
    epoch, bar = seen
    bar = replace(bar, name=f"{epoch.name} {epoch.done:g} {bar.name}".strip())
    return (bar,) if depth > 0 or any(map(bar.continues, counts)) else seen


def _whole(counts: tuple[Count, ...]) -> float | None:
    inner: float | None = None
    for count in reversed(counts):
        inner = count.with_inner(inner or 0.0)
    return inner


def _take(counts: tuple[Count, ...], count: Count, depth: int) -> tuple[tuple[Count, ...], bool]:
    """Give the counts after `count`, and whether that begins a new phase."""
    if not counts:
        return (_from_zero(count),), False
    all_done = _whole(counts) == 1.0
    for i, old in enumerate(counts):
        if old.slot == count.slot:
            if all_done and i > 0 and depth == 0 and not count.continues(old) and not count.complete:
                # After the last epoch something else begins.
                return (count,), True
            return _update(counts, i, count)
    if count.complete and count.rank is counts[0].rank is Rank.INNER:
        # Seen for the first time when it is over: it tells nothing of what goes on.
        return counts, False
    over = all_done or (counts[0].rank is Rank.INNER and counts[0].complete)
    if over and (depth == 0 or counts[0].rank is Rank.INNER):
        return (_from_zero(count),), True
    at = sum(_around(old, count) for old in counts)
    return (*counts[:at], _from_zero(count), *counts[at:]), at == 0


def _around(old: Count, new: Count) -> bool:
    """Whether `old` lies around `new`, which comes later."""
    if old.rank != new.rank:
        return old.rank < new.rank
    if old.slot.startswith("bar") and new.slot.startswith("bar"):
        return old.slot < new.slot
    return old.total is not None or new.total is None


def _update(counts: tuple[Count, ...], at: int, new: Count) -> tuple[tuple[Count, ...], bool]:
    old = counts[at]
    outermost = at == 0
    within = (*counts[:at], _from_zero(new))
    renamed = old.total == new.total and new.completed >= old.completed
    if old.key != new.key and not renamed:
        if new.complete and not old.complete:
            return counts, False
        # Inside of something, another bar goes on with it; by itself it is another thing.
        return within, outermost
    if old.from_zero and new.begun:
        new = replace(new, from_zero=True)
        within = (*counts[:at], new)
    if old.total != new.total:
        restarted = new.done < old.done
        known = False
        if old.total is not None and new.total is not None:
            known = 1 / _CORRECTED < new.total / old.total < _CORRECTED
        return within, outermost and (restarted or not known)
    if new.completed > old.completed:
        return within, False
    if new.completed == old.completed:
        return (*counts[:at], new, *counts[at + 1 :]), False
    if not outermost:
        return within, False
    if new.completed <= old.completed / 2:
        return within, True
    # A little less than before: lines of several workers come as they come.
    return counts, False


def _from_zero(count: Count) -> Count:
    return replace(count, from_zero=True) if count.begun and count.done == 0 else count
