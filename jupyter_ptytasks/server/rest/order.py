"""The sort order of a list of tasks, and the cursors of its pages."""

from __future__ import annotations

import base64
import json
import re
from math import isfinite
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from ...core.errors import BadRequest
from ...core.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ...core.model import Task

#: What tasks can be sorted by: a field, a parameter, or the last, lowest or highest value of a metric; with `-` in
#: descending order.
_FIELDS = [
    "name",
    "state",
    "why",
    "created",
    "started",
    "ended",
    "duration",
    "group",
    "tags",
    "command",
    "memory",
    "git",
]
_SORT = re.compile(rf"-?(?:{'|'.join(_FIELDS)}|(?:params|metrics|min|max)\.[^\x00]{{1,128}})")

_METRIC = {"metrics": "value", "min": "min", "max": "max"}
#: The place of each state in the life of a task.
_STATES = {state: place for place, state in enumerate(State)}
#: Number of characters of a text that are compared: it is part of the cursor.
_LONGEST = 200


def checked(sort: str) -> str:
    """Return a valid sort key unchanged. Raises ValueError for any other."""
    if _SORT.fullmatch(sort) is None:
        raise ValueError(f"must be {', '.join(_FIELDS)}, params.NAME, metrics.NAME, min.NAME or max.NAME")
    return sort


class Order:
    """A sort order of tasks. Tasks without a value come last, and equal ones are newest first. Thread-safe.

    Durations of running tasks are computed for the time of the first page, so that no page repeats a task.
    """

    def __init__(
        self,
        sort: str,
        cursor: str | None,
        *,
        now: float,
        metrics: Callable[[Task], Mapping[str, Any]],
        usage: Callable[[Task], Mapping[str, Any] | None],
    ) -> None:
        """Begin after `cursor`, if there is one, else at `now` (Unix seconds). Raises BadRequest."""
        self._sort = sort
        self._is_reverse = sort.startswith("-")
        self._by, _, self._name = sort.removeprefix("-").partition(".")
        self._is_text = self._by in _TEXTS
        self._metrics = metrics
        self._usage = usage
        self._read = self._reader()
        self._now = now
        self._behind: tuple[str | float | None, str] | None = None
        if cursor is not None:
            self._go_to(cursor)

    def arrange(self, tasks: Iterable[Task]) -> list[Task]:
        """Return tasks, given newest first, in this order, from the cursor on."""
        valued: list[tuple[Any, Task]] = []
        others: list[Task] = []
        for task in tasks:
            value = self._value(task)
            if self._behind is not None and not self._is_behind(value, task.id):
                continue
            if value is None:
                others.append(task)
            else:
                valued.append((value, task))
        # `reverse` keeps the sort stable.
        valued.sort(key=itemgetter(0), reverse=self._is_reverse)
        return [*(task for _, task in valued), *others]

    def cursor(self, task: Task) -> str:
        """Return the cursor of the page after this task."""
        place = json.dumps([self._sort, self._now, self._value(task), task.id], separators=(",", ":"))
        return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")

    def _go_to(self, cursor: str) -> None:
        try:
            sort, now, value, task_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            if (
                sort != self._sort
                or not (isinstance(now, float) and isinstance(task_id, str))
                or not (value is None or self._is_value(value))
            ):
                raise ValueError("of another list")
        except (ValueError, TypeError, RecursionError) as error:
            raise BadRequest("cursor: it is not that of a page in this order", field="cursor") from error
        self._now, self._behind = now, (value, task_id)

    def _is_behind(self, value: Any, task_id: str) -> bool:
        assert self._behind is not None
        last, last_id = self._behind
        if value == last:
            return task_id < last_id
        if value is None or last is None:
            return value is None
        return bool((value > last) != self._is_reverse)

    def _value(self, task: Task) -> str | float | None:
        """Return the sort value of a task; None if it has none, or an invalid one from another version."""
        try:
            value = self._read(task)
            return value if self._is_value(value) else None
        except Exception:  # noqa: BLE001  it must not affect other tasks
            return None

    def _is_value(self, value: Any) -> bool:
        """Return whether tasks can be sorted by a value: text or a finite number, and for parameters either."""
        if self._by == "params":
            return isinstance(value, list) and [type(part) for part in value] in ([int, float], [int, str])
        return isinstance(value, str) if self._is_text else isinstance(value, (int, float)) and isfinite(value)

    def _reader(self) -> Callable[[Task], Any]:
        """Return a function that reads the sort value of a task, and raises if there is none."""
        if self._by in _METRIC:
            metrics, name, kind = self._metrics, self._name, _METRIC[self._by]
            return lambda task: metrics(task)[name][kind]
        if self._by == "params":
            return lambda task: _of_either_kind(task.params[self._name])
        if self._by in _TEXTS:
            text = _TEXTS[self._by]
            return lambda task: _folded(text(task))
        if self._by == "state":
            return lambda task: _STATES[task.state]
        if self._by == "memory":
            return self._memory
        if self._by == "duration":
            return self._duration
        return attrgetter(self._by)

    def _memory(self, task: Task) -> float:
        usage = self._usage(task)
        assert usage is not None  # else it is not known
        memory: float = usage["peak"]["rss"]
        return memory

    def _duration(self, task: Task) -> float:
        assert task.started is not None  # else it has none
        return min(task.ended or self._now, self._now) - task.started


def _folded(text: str | None) -> str | None:
    """Return the sort key of a text; None if it is empty."""
    return f"{text[:_LONGEST].casefold()}\0{text[:_LONGEST]}" if text else None


def _why(task: Task) -> str | None:
    """Return why a task failed: its message, signal or exit code; None after a success."""
    if task.state_message or task.exit.signal is not None:
        return task.state_message or task.exit.signal
    return f"exit {task.exit.code:03}" if task.exit.code else None


#: The fields that are sorted as text.
_TEXTS: Mapping[str, Callable[[Task], str | None]] = {
    "name": lambda task: task.name,
    "why": _why,
    "group": lambda task: None if task.group == "default" else task.group,
    "tags": lambda task: ", ".join(task.tags),
    "command": lambda task: task.command if isinstance(task.command, str) else " ".join(task.command),
    "git": lambda task: task.git["commit"] if task.git is not None else None,
}


def _of_either_kind(value: Any) -> list[Any]:
    """Return the sort key of a parameter: numbers come before text."""
    return [1, value] if isinstance(value, str) else [0, float(value)]
