"""Which tasks have changed since a revision: clients can update their lists without requesting all tasks."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .changes import Change
    from .hosts.supervisor import Supervisor
    from .queueing import Queue, Reason
    from .store import Store

#: How many changed tasks are remembered; a client that has missed more needs the whole list.
_KEPT = 1000
#: Seconds by which an estimated start must move to be news, since estimates change slightly all the time.
_NEWS = 10.0


@dataclass(frozen=True)
class Since:
    """The changes since a revision: ids of changed and removed tasks; and the reasons why pending tasks wait, by id, of
    which only this has changed.
    """

    ids: list[str]
    waits: dict[str, Reason]


class Journal:
    """Numbers visible changes of tasks, except measurements and new output. `close` it.

    A revision is valid only for one server process.
    """

    def __init__(self, store: Store, supervisor: Supervisor, queue: Queue) -> None:
        self._store = store
        self._supervisor = supervisor
        self._queue = queue
        self._run = secrets.token_hex(6)
        self._number = 0
        self._tasks, self._waits = _Marks(), _Marks()
        #: Why tasks wait, as last seen, and which of it was news.
        self._seen: Mapping[str, Reason] = {}
        self._told: dict[str, Reason] = {}
        store.listeners.append(self._on_change)
        supervisor.on_update.append(self._note)

    def close(self) -> None:
        """Stop listening."""
        self._store.listeners.remove(self._on_change)
        self._supervisor.on_update.remove(self._note)

    @property
    def revision(self) -> str:
        """The current revision. Data that is read after it may be newer."""
        self._look_at_queue()
        return f"{self._run}-{self._number}"

    def since(self, revision: str) -> Since | None:
        """Return the changes since a revision; None if the revision is unknown or too old."""
        run, _, number = revision.rpartition("-")
        if run != self._run or not number.isdecimal():
            return None
        self._look_at_queue()
        ids, waits = self._tasks.since(int(number)), self._waits.since(int(number))
        if ids is None or waits is None:
            return None
        return Since(ids, {one: self._seen[one] for one in waits if one in self._seen and one not in ids})

    def _on_change(self, change: Change) -> None:
        self._note(change.task_id)

    def _note(self, task_id: str) -> None:
        self._number += 1
        self._tasks.mark(task_id, self._number)

    def _look_at_queue(self) -> None:
        waits = self._queue.waits
        if waits is self._seen:
            return
        self._seen = waits
        told, self._told = self._told, dict(waits)
        self._number += 1
        for task_id, wait in waits.items():
            before = told.get(task_id)
            if before is None or _is_news(before, wait):
                self._waits.mark(task_id, self._number)
            else:
                self._told[task_id] = before


class _Marks:
    """The last `_KEPT` marked ids, with increasing numbers."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        #: The number up to which ids were dropped.
        self._forgotten = 0

    def mark(self, task_id: str, number: int) -> None:
        self._numbers.pop(task_id, None)
        self._numbers[task_id] = number
        if len(self._numbers) > _KEPT:
            self._forgotten = self._numbers.pop(next(iter(self._numbers)))

    def since(self, number: int) -> list[str] | None:
        """Return the ids with higher numbers, latest first; None if some of them were dropped."""
        if number < self._forgotten:
            return None
        found = []
        for task_id, at in reversed(self._numbers.items()):
            if at <= number:
                break
            found.append(task_id)
        return found


def _is_news(before: Reason, now: Reason) -> bool:
    if before.starts is None or now.starts is None:
        return before != now
    return replace(before, starts=now.starts) != now or abs(now.starts - before.starts) > _NEWS
