"""Tasks in memory, kept sorted and grouped: the cost of a query depends on its result, not on the number of tasks."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Mapping

    from ..core.model import Task

Key = TypeVar("Key", bound="Hashable")


class Selection:
    """A set of tasks, sorted by id. Any thread may read it."""

    def __init__(self) -> None:
        #: Parallel lists, since `bisect` compares ids.
        self._ids: list[str] = []
        self._tasks: list[Task] = []

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def newest_first(self) -> list[Task]:
        """A new list of these tasks."""
        return self._tasks[::-1]

    @property
    def newest(self) -> Task | None:
        """The newest task; None if there is none."""
        last = self._tasks[-1:]
        return last[0] if last else None

    def last(self, count: int) -> list[Task]:
        """Return the newest tasks, at most `count`, newest first."""
        return self._tasks[: -count - 1 : -1]

    def put(self, task: Task) -> None:
        """Add or replace a task."""
        place = bisect_left(self._ids, task.id)
        if self._ids[place : place + 1] == [task.id]:
            self._tasks[place] = task
        else:
            self._ids.insert(place, task.id)
            self._tasks.insert(place, task)

    def discard(self, task_id: str) -> None:
        """Remove a task, if present."""
        place = bisect_left(self._ids, task_id)
        if self._ids[place : place + 1] == [task_id]:
            del self._ids[place], self._tasks[place]


class Index(Selection):
    """All tasks. Callers register repeated queries once, and the results are then kept up to date.

    A query may depend only on the task: it is evaluated when the task changes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, Task] = {}
        self._selections: list[tuple[Callable[[Task], bool], Selection]] = []
        self._groupings: list[tuple[Callable[[Task], Collection[Any]], dict[Any, Selection]]] = []

    def get(self, task_id: str) -> Task | None:
        """Return the task with this id."""
        return self._known.get(task_id)

    @property
    def ids(self) -> set[str]:
        """The ids of all tasks."""
        return set(self._known)

    def where(self, meets: Callable[[Task], bool]) -> Selection:
        """Return the tasks that meet a condition, updated on every change."""
        found = Selection()
        for task in self._tasks:
            if meets(task):
                found.put(task)
        self._selections.append((meets, found))
        return found

    def by(self, keys: Callable[[Task], Collection[Key]]) -> Mapping[Key, Selection]:
        """Return the tasks by the keys that `keys` returns for each (none, one or several), updated on every change.
        Keys without tasks are removed.
        """
        groups: dict[Key, Selection] = {}
        for task in self._tasks:
            _regroup(groups, (), keys(task), task)
        self._groupings.append((keys, groups))
        return groups

    def put(self, task: Task) -> None:
        """Add or replace a task."""
        old = self._known.get(task.id)
        self._known[task.id] = task
        super().put(task)
        for meets, found in self._selections:
            if meets(task):
                found.put(task)
            else:
                found.discard(task.id)
        for keys, groups in self._groupings:
            _regroup(groups, keys(old) if old is not None else (), keys(task), task)

    def discard(self, task_id: str) -> None:
        """Remove a task, if present."""
        old = self._known.pop(task_id, None)
        if old is None:
            return
        super().discard(task_id)
        for _, found in self._selections:
            found.discard(task_id)
        for keys, groups in self._groupings:
            _regroup(groups, keys(old), (), old)


def _regroup(groups: dict[Key, Selection], before: Collection[Key], after: Collection[Key], task: Task) -> None:
    """Add a task to the groups `after`, and remove it from those in `before` that are not in `after`."""
    for key in before:
        if key not in after:
            groups[key].discard(task.id)
            if not groups[key]:
                del groups[key]
    for key in after:
        groups.setdefault(key, Selection()).put(task)
