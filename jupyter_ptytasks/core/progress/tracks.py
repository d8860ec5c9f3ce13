"""The current counts, each nested in the one before it, and the fraction that they add up to.

Within a phase the fraction never decreases. A new phase begins when the program starts over: with another outermost
count, with the same one from the start, or with a total that changes by half.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .counts import Count, Match, Rank

_CORRECTED = 1.5


@dataclass(frozen=True)
class Tracks:
    """The state after some output; immutable."""

    #: Outermost first.
    counts: tuple[Count, ...] = ()
    source: str = ""
    #: Seconds left, as shown by a bar for the outermost count.
    eta: float | None = None
    #: The highest fraction of this phase.
    held: float = 0.0
    phase: int = 0
    #: Lines of other output since completion.
    others: int = 0

    @property
    def fraction(self) -> float | None:
        """The fraction of the whole; None while the outermost count has no total."""
        return None if _whole(self.counts) is None else self.held

    def after(self, match: Match, depth: int) -> Tracks:
        """Return the state after a match, in the row `depth` of several bars."""
        seen = match.counts
        if len(seen) == 1 and seen[0].total is None and not match.bar and self.fraction is not None:
            # "step 100: loss 2.3" next to a count with a total.
            return self
        counts, phase = self.counts, self.phase
        line = len(counts) == 1 and counts[0].total is None and not counts[0].slot.startswith("bar")
        if line and (match.bar or seen[-1].total is not None):
            # A count with a total is not part of a line without one.
            counts, phase = (), phase + 1
        for count in _fitting(counts, seen, depth):
            if count.slot == "bar":
                depth = _row(counts, count, depth)
                count = replace(count, slot=f"bar {depth}")  # noqa: PLW2901
            counts, restarted = _take(counts, count, depth)
            phase += restarted
        if counts is self.counts:
            return self
        whole = _whole(counts)
        held = whole or 0.0
        if phase == self.phase:
            held = max(held, self.held)
        # The time left of a bar is that of the whole task only if it is the only count.
        alone = len(counts) == 1 and counts[0].continues(seen[0])
        # Lines between two states of a bar are not the source.
        aside = not match.bar and any(count.slot.startswith("bar") for count in counts)
        source = self.source if aside else match.source
        return Tracks(counts, source, match.eta if alone else None, held, phase)


def _row(counts: tuple[Count, ...], bar: Count, depth: int) -> int:
    """Return the row of a bar. One that was in another row stays there: tqdm moves a finished bar above all others."""
    rows = [int(each.slot.split()[1]) for each in counts if each.slot.startswith("bar") and bar.continues(each)]
    return depth if depth in rows or not rows else rows[0]


def _fitting(counts: tuple[Count, ...], seen: tuple[Count, ...], depth: int) -> tuple[Count, ...]:
    """Return the counts that apply: below other rows, a bar labeled "epoch 3" is one bar, not a bar within epochs."""
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
    """Return the counts after `count`, and whether it begins a new phase."""
    if not counts:
        return (_from_zero(count),), False
    all_done = _whole(counts) == 1.0
    for i, old in enumerate(counts):
        if old.slot == count.slot:
            if all_done and i > 0 and depth == 0 and not count.continues(old) and not count.complete:
                # Something else begins after the last epoch.
                return (count,), True
            return _update(counts, i, count)
    if count.complete and count.rank is counts[0].rank is Rank.INNER:
        # Complete when first seen: it says nothing about the current progress.
        return counts, False
    over = all_done or (counts[0].rank is Rank.INNER and counts[0].complete)
    if over and (depth == 0 or counts[0].rank is Rank.INNER):
        return (_from_zero(count),), True
    at = sum(_around(old, count) for old in counts)
    return (*counts[:at], _from_zero(count), *counts[at:]), at == 0


def _around(old: Count, new: Count) -> bool:
    """Return whether `old` contains `new`, which comes later."""
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
        # Within another count, a different bar continues it; on its own, it is something else.
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
    # Slightly less than before: lines of several workers arrive out of order.
    return counts, False


def _from_zero(count: Count) -> Count:
    return replace(count, from_zero=True) if count.begun and count.done == 0 else count
