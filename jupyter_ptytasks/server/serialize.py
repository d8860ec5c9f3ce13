"""The JSON of a task for REST, events and websockets (docs/rest.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core import strict_json
from ..core.metrics.names import better
from ..core.names import LOCAL
from ..core.queue import decisions as queue
from ..core.queue.turn import runs_again
from ..core.states import STARTED
from ..core.times import iso

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping

    from ..core.model import Output, Task
    from ..storage.task_dirs import TaskDirs
    from .hosts.link import Link
    from .hosts.supervisor import Supervisor
    from .monitor.progress import Tracker
    from .monitor.sampler import Sampler
    from .monitor.sentinels import Sentinels
    from .queueing import Queue


#: Maximum size of cached JSON, and overhead of each entry, in bytes: enough for a table of 5,000 tasks and a thousand
#: complete ones.
_KEPT = 8 << 20
_OVERHEAD = 250


class TaskSerializer:
    """Describes tasks with the current knowledge of this server. Reads only memory."""

    def __init__(
        self,
        supervisor: Supervisor,
        task_dirs: TaskDirs,
        tracker: Tracker,
        sentinels: Sentinels,
        sampler: Sampler,
        queue: Queue,
        log: logging.Logger,
    ) -> None:
        self._supervisor = supervisor
        self._task_dirs = task_dirs
        self._tracker = tracker
        self._sentinels = sentinels
        self._sampler = sampler
        self._queue = queue
        self._log = log
        self._failed: set[str] = set()
        #: Cached JSON of ended tasks, by id and fields, with the task that it was made from; least recently used first.
        self._encoded: dict[tuple[str, tuple[str, ...] | None], tuple[Task, bytes]] = {}
        self._kept = 0

    def to_json(self, task: Task, fields: Iterable[str] | None = None) -> dict[str, Any]:
        """Return a task as JSON, without its environment; only these `fields`, if given."""
        seen = _Seen(self, task, self._supervisor.link(task.id))
        return {name: FIELDS[name](seen) for name in (FIELDS if fields is None else fields)}

    def encoded(self, task: Task, fields: tuple[str, ...] | None = None) -> bytes:
        """Return the same in UTF-8. The JSON of an ended task is cached, since it depends only on the task."""
        if task.live or self._supervisor.link(task.id) is not None or self.machine(task) is not None:
            return strict_json.encode(self.to_json(task, fields))
        known = self._encoded.pop((task.id, fields), None)
        if known is not None:
            self._kept -= _size(known[1])
        if known is None or known[0] is not task:
            known = task, strict_json.encode(self.to_json(task, fields))
        self._encoded[task.id, fields] = known
        self._kept += _size(known[1])
        while self._kept > _KEPT:
            self._kept -= _size(self._encoded.pop(next(iter(self._encoded)))[1])
        return known[1]

    def directory(self, task: Task) -> str:
        """Return the directory of a task's output."""
        return self._task_dirs.files(task.id).output

    def machine(self, task: Task) -> str | None:
        """Return the name of the unreachable machine on which a task runs; None if there is none."""
        return self._supervisor.machine(task.id)

    def queue(self, task: Task) -> dict[str, Any] | None:
        """Return why a pending task is not running, as JSON; None for others."""
        return self._queue.to_json(task)

    def progress(self, task: Task) -> dict[str, Any] | None:
        """Return the progress of a task as JSON; None if it reports none."""
        return self._tracker.progress(task)

    def usage(self, task: Task) -> dict[str, Any] | None:
        """Return the usage of a task as JSON; None if unknown."""
        return self._sampler.usage(task)

    def metrics(self, task: Task) -> Mapping[str, Any]:
        """Return the metrics of a task as JSON, by name."""
        return {name: {**one, "better": better(name)} for name, one in self._tracker.metrics(task).items()}

    def warnings(self, task: Task) -> list[dict[str, Any]]:
        """Return the warnings of a task as JSON."""
        return self._sentinels.warnings(task)

    def log_failure(self, task: Task, error: Exception) -> None:
        """Log that a task cannot be described, only once, since lists are requested repeatedly."""
        if task.id not in self._failed:
            self._failed.add(task.id)
            self._log.warning("task %s cannot be converted to JSON, and is left out of lists", task.id, exc_info=error)

    def measures(self, task: Task) -> dict[str, Any]:
        """Return what changes while a task runs: its progress, metrics, warnings and usage."""
        return self.to_json(task, ("progress", "metrics", "warnings", "usage"))

    def stats(self, task: Task) -> dict[str, Any]:
        """Return a task's usage in the last minutes, and sample it more often for a while."""
        return self._sampler.look(task)


def _size(told: bytes) -> int:
    """Return the size of a cache entry with this JSON, in bytes."""
    return len(told) + _OVERHEAD


class _Seen:
    """A task with its link and the `status` of its ptyhost, while its JSON is made."""

    __slots__ = ("by", "link", "status", "task")

    def __init__(self, by: TaskSerializer, task: Task, link: Link | None) -> None:
        self.by = by
        self.task = task
        self.link = link
        self.status: Mapping[str, Any] = link.status if link is not None else {}

    @property
    def viewers(self) -> int:
        return int(self.status.get("viewers", 0)) if self.task.active else 0

    @property
    def alive(self) -> bool:
        return self.task.state in STARTED


#: The fields of a task's JSON with their functions: a field that is not requested costs nothing.
FIELDS: dict[str, Callable[[_Seen], Any]] = {
    "id": lambda seen: seen.task.id,
    "name": lambda seen: seen.task.name,
    "command": lambda seen: seen.task.command,
    "kind": lambda seen: seen.task.kind.value,
    "place": lambda seen: seen.task.provisioner,
    "cwd": lambda seen: seen.task.cwd,
    "state": lambda seen: seen.task.state.value,
    "state_reason": lambda seen: seen.task.state_reason,
    "state_message": lambda seen: state_message(seen.task, seen.by.machine(seen.task)),
    "exit": lambda seen: {"code": seen.task.exit.code, "signal": seen.task.exit.signal} if not seen.task.live else None,
    "attempt": lambda seen: seen.task.attempt,
    "pid": lambda seen: seen.task.pid,
    "rows": lambda seen: seen.status.get("rows", seen.task.rows),
    "cols": lambda seen: seen.status.get("cols", seen.task.cols),
    "viewers": lambda seen: seen.viewers,
    "leader": lambda seen: seen.status.get("leader") if seen.task.active else None,
    "waiting": lambda seen: waiting(seen.task, seen.link),
    "running_in_background": lambda seen: seen.alive and seen.viewers == 0,
    "alive": lambda seen: seen.alive,
    "connected": lambda seen: seen.link is not None and seen.link.connected,
    "created": lambda seen: iso(seen.task.created),
    "started": lambda seen: iso(seen.task.started),
    "ended": lambda seen: iso(seen.task.ended),
    "last_activity": lambda seen: iso(last_output(seen.task, seen.link) or seen.task.started or seen.task.created),
    "timeout": lambda seen: seen.task.timeout,
    "output": lambda seen: {**_bounds(output(seen.task, seen.link)), "directory": seen.by.directory(seen.task)},
    "group": lambda seen: seen.task.group,
    "tags": lambda seen: list(seen.task.tags),
    "metadata": lambda seen: dict(seen.task.metadata),
    "pinned": lambda seen: seen.task.pinned,
    "leftover": lambda seen: seen.task.leftover,
    "queue": lambda seen: seen.by.queue(seen.task),
    "priority": lambda seen: seen.task.turn.priority,
    "rank": lambda seen: queue.rank(seen.task),
    "slots": lambda seen: seen.task.turn.slots,
    "gpus": lambda seen: seen.task.turn.gpus,
    "assigned_gpus": lambda seen: list(seen.task.gpus),
    "after": lambda seen: [{"ref": one.id, "when": one.when.value} for one in seen.task.turn.after],
    "not_before": lambda seen: iso(seen.task.turn.not_before),
    "retry": lambda seen: seen.task.turn.to_json().get("retry"),
    "runs_again": lambda seen: runs_again(seen.task),
    "sweep": lambda seen: (
        {"id": seen.task.sweep.id, "name": seen.task.sweep.name} if seen.task.sweep is not None else None
    ),
    "params": lambda seen: dict(seen.task.params),
    "resources": lambda seen: dict(seen.task.resources),
    "job": lambda seen: _job(seen.task),
    "git": lambda seen: None if seen.task.git is None else dict(seen.task.git),
    "again_of": lambda seen: seen.task.again_of or None,
    "notes": lambda seen: seen.task.notes or None,
    "progress": lambda seen: seen.by.progress(seen.task),
    "metrics": lambda seen: seen.by.metrics(seen.task),
    "warnings": lambda seen: seen.by.warnings(seen.task),
    "usage": lambda seen: seen.by.usage(seen.task),
}


def output(task: Task, link: Link | None) -> Output:
    """Return the bounds of a task's ring: for an active task as last reported by its ptyhost, else from its exit
    record.
    """
    return link.output if link is not None and task.active else task.output


def last_output(task: Task, link: Link | None) -> float | None:
    """Return when the task last wrote something, in Unix seconds; None if unknown."""
    return link.last_output if link is not None and link.last_output else task.last_output


def waiting(task: Task, link: Link | None) -> dict[str, Any] | None:
    """Return what the program of a task is waiting for, as JSON; None if it is not waiting."""
    if link is None or task.state not in STARTED or link.status.get("attempt") != task.attempt:
        return None
    found = link.waiting
    return found and {**found, "since": iso(found["since"])}


def state_message(task: Task, machine: str | None) -> str:
    """Return the message of a task's state; without one, name the unreachable `machine` on which it runs, if any."""
    if task.state_message or machine is None:
        return task.state_message
    is_known = task.provisioner == LOCAL or task.job.get("node") == machine
    return f"runs on {machine}" if is_known else f"{machine} is not reachable"


def _job(task: Task) -> dict[str, Any] | None:
    """Return the job of a task in a batch system, as JSON; None if it has none."""
    if not task.job:
        return None
    said = {name: task.job.get(name) for name in ("id", "node", "state", "reason")}
    return {**said, **{name: iso(task.job.get(name)) for name in ("starts", "ends")}}


def _bounds(bounds: Output) -> dict[str, int]:
    return {"start": bounds.start, "end": bounds.end, "lines": bounds.lines, "lost": bounds.lost}
