"""Which finished tasks are kept, and for how long: a pure decision over tasks, their sizes, and the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..core.model import Task

#: What did not go well is looked at later, and so is kept so many times as long.
_FAILED_FACTOR = 3.0
_FAILED = frozenset({State.FAILED, State.TIMED_OUT, State.LOST})
#: Of all finished tasks no more than one in so many goes at a time: whatever is wrong can be noticed.
_SHARE = 10


@dataclass(frozen=True)
class Retention:
    """Finished tasks are kept for `seconds` after their end, `count` of them at most, and within `size` bytes on disk
    (None: any number of bytes). Failed ones count as if they were younger, pinned ones are always kept.
    """

    seconds: float = 30 * 86400.0
    count: int = 500
    size: int | None = None

    def surplus(
        self, tasks: Iterable[Task], sizes: Mapping[str, int], now: float, *, seen: float = 0.0, by_age: bool = True
    ) -> list[Task]:
        """Return the finished ones of `tasks` that are to go now, the ones least worth keeping first.

        `sizes` are in bytes on disk, by id; what is not in it takes no room. `now` (Unix seconds) is believed no
        further than the newest time found in any task, or than `seen`, the newest time known otherwise: a clock
        that jumps ahead makes nothing old. No more than a tenth of the finished tasks, and at least one, is returned.
        `by_age=False` leaves age out of it.
        """
        tasks = list(tasks)
        now = min(now, max([seen, *map(_newest_time, tasks)]))
        ended = [task for task in tasks if not task.live]
        loose = sorted(
            (task for task in ended if not task.pinned), key=lambda task: (_age(task, now), task.id), reverse=True
        )
        surplus = []
        count = len(loose)
        size = sum(sizes.get(task.id, 0) for task in ended)
        for task in loose:
            if not (
                (by_age and _age(task, now) > self.seconds)
                or count > self.count
                or (self.size is not None and size > self.size)
            ):
                break
            surplus.append(task)
            count -= 1
            size -= sizes.get(task.id, 0)
        return surplus[: max(len(ended) // _SHARE, 1)]


def _age(task: Task, now: float) -> float:
    """Return how old a finished task is, in seconds, as far as keeping it goes."""
    age = now - (task.ended or task.created)
    return age / _FAILED_FACTOR if task.state in _FAILED else age


def _newest_time(task: Task) -> float:
    return max(task.created, task.started or 0.0, task.ended or 0.0, task.last_output or 0.0)
