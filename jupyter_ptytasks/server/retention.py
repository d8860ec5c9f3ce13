"""Which finished tasks are kept, and for how long: a pure decision over tasks, their sizes, and the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..core.model import Task

#: Failed tasks may be examined later, so they are kept this many times as long.
_FAILED_FACTOR = 3.0
_FAILED = frozenset({State.FAILED, State.TIMED_OUT, State.LOST})
#: At most one in this many finished tasks is deleted at a time, so that errors can be noticed.
_SHARE = 10


@dataclass(frozen=True)
class Retention:
    """Finished tasks are kept for `seconds` after their end, at most `count`, and within `size` bytes on disk (None: no
    limit). Failed tasks count as younger, pinned ones are always kept.
    """

    seconds: float = 30 * 86400.0
    count: int = 500
    size: int | None = None

    def surplus(
        self, tasks: Iterable[Task], sizes: Mapping[str, int], now: float, *, seen: float = 0.0, by_age: bool = True
    ) -> list[Task]:
        """Return the finished tasks to delete now, the least valuable first.

        `sizes` are disk usages in bytes, by id; missing tasks count as 0. `now` (Unix seconds) is limited to the newest
        time in any task or `seen`, the newest time known otherwise, so a clock that jumps ahead does not make tasks
        old. At most a tenth of the finished tasks, and at least one, is returned. `by_age=False` ignores age.
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
    """Return the age of a finished task in seconds, for the purpose of retention."""
    age = now - (task.ended or task.created)
    return age / _FAILED_FACTOR if task.state in _FAILED else age


def _newest_time(task: Task) -> float:
    return max(task.created, task.started or 0.0, task.ended or 0.0, task.last_output or 0.0)
