"""A task as everybody outside sees it: the JSON of REST, events and websockets (docs/rest.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.names import LOCAL
from ..core.queue import decisions as queue
from ..core.queue.turn import runs_again
from ..core.states import STARTED
from ..core.times import iso

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from ..core.model import Output, Task
    from ..storage.task_dirs import TaskDirs
    from .hosts.link import Link
    from .hosts.supervisor import Supervisor
    from .monitor.progress import Tracker
    from .monitor.sampler import Sampler
    from .queueing import Queue

#: The fields of a task's JSON.
FIELDS = frozenset({
    "id", "name", "command", "kind", "place", "cwd", "state", "state_reason", "state_message", "exit",
    "attempt", "pid", "rows", "cols", "viewers", "leader", "waiting", "running_in_background", "alive",
    "connected", "created", "started", "ended", "last_activity", "timeout", "output", "group", "tags",
    "metadata", "pinned", "leftover", "queue", "priority", "rank", "slots", "gpus", "assigned_gpus", "after",
    "not_before", "retry", "runs_again", "sweep", "params", "resources", "job", "progress", "metrics", "usage",
})  # fmt: skip


class TaskSerializer:
    """Describes tasks, with what this server knows about them at the moment. Reads only memory."""

    def __init__(
        self,
        supervisor: Supervisor,
        task_dirs: TaskDirs,
        tracker: Tracker,
        sampler: Sampler,
        queue: Queue,
        log: logging.Logger,
    ) -> None:
        self._supervisor = supervisor
        self._task_dirs = task_dirs
        self._tracker = tracker
        self._sampler = sampler
        self._queue = queue
        self._log = log
        self._failed: set[str] = set()

    def to_json(self, task: Task) -> dict[str, Any]:
        """Return a task as JSON, without its environment."""
        link = self._supervisor.link(task.id)
        directory = self._task_dirs.files(task.id).output
        status = link.status if link is not None else {}
        viewers = int(status.get("viewers", 0)) if task.active else 0
        alive = task.state in STARTED
        machine = self._supervisor.machine(task.id)
        return {
            "id": task.id,
            "name": task.name,
            "command": task.command,
            "kind": task.kind.value,
            "place": task.provisioner,
            "cwd": task.cwd,
            "state": task.state.value,
            "state_reason": task.state_reason,
            "state_message": task.state_message or _elsewhere(task, machine),
            "exit": {"code": task.exit.code, "signal": task.exit.signal} if not task.live else None,
            "attempt": task.attempt,
            "pid": task.pid,
            "rows": status.get("rows", task.rows),
            "cols": status.get("cols", task.cols),
            "viewers": viewers,
            "leader": status.get("leader") if task.active else None,
            "waiting": waiting(task, link),
            "running_in_background": alive and viewers == 0,
            "alive": alive,
            "connected": link is not None and link.connected,
            "created": iso(task.created),
            "started": iso(task.started),
            "ended": iso(task.ended),
            "last_activity": iso(last_output(task, link) or task.started or task.created),
            "timeout": task.timeout,
            "output": {**_bounds(output(task, link)), "directory": directory},
            "group": task.group,
            "tags": list(task.tags),
            "metadata": dict(task.metadata),
            "pinned": task.pinned,
            "leftover": task.leftover,
            "queue": self._queue.to_json(task),
            "priority": task.turn.priority,
            "rank": queue.rank(task),
            "slots": task.turn.slots,
            "gpus": task.turn.gpus,
            "assigned_gpus": list(task.gpus),
            "after": [{"ref": one.id, "when": one.when.value} for one in task.turn.after],
            "not_before": iso(task.turn.not_before),
            "retry": task.turn.to_json().get("retry"),
            "runs_again": runs_again(task),
            "sweep": {"id": task.sweep.id, "name": task.sweep.name} if task.sweep is not None else None,
            "params": dict(task.params),
            "resources": dict(task.resources),
            "job": _job(task),
            **self.measures(task),
        }

    def metrics(self, task: Task) -> Mapping[str, Any]:
        """Return the metrics of a task as JSON, by name."""
        return self._tracker.metrics(task)

    def log_failure(self, task: Task, error: Exception) -> None:
        """Log that a task cannot be described, once: lists are asked for again and again."""
        if task.id not in self._failed:
            self._failed.add(task.id)
            self._log.warning("task %s cannot be converted to JSON, and is left out of lists", task.id, exc_info=error)

    def measures(self, task: Task) -> dict[str, Any]:
        """Return what changes while a task runs: its progress, its metrics and its usage."""
        return {
            "progress": self._tracker.progress(task),
            "metrics": self.metrics(task),
            "usage": self._sampler.usage(task),
        }

    def stats(self, task: Task) -> dict[str, Any]:
        """Return a task's usage in the last minutes, and sample it more often for a while."""
        return self._sampler.look(task)


def output(task: Task, link: Link | None) -> Output:
    """Return the bounds of a task's ring: of an active task as its ptyhost last reported them, else those of its exit
    record.
    """
    return link.output if link is not None and task.active else task.output


def last_output(task: Task, link: Link | None) -> float | None:
    """Return when the task last wrote something, in Unix seconds; None if unknown."""
    return link.last_output if link is not None and link.last_output else task.last_output


def waiting(task: Task, link: Link | None) -> dict[str, Any] | None:
    """Return what the program of a task waits for, as JSON; None if it does not."""
    if link is None or task.state not in STARTED or link.status.get("attempt") != task.attempt:
        return None
    found = link.waiting
    return found and {**found, "since": iso(found["since"])}


def _elsewhere(task: Task, machine: str | None) -> str:
    """Return what is said of a task on another machine, which is out of reach; nothing if there is none."""
    if machine is None:
        return ""
    return f"runs on {machine}" if task.provisioner == LOCAL else f"{machine} is not reachable"


def _job(task: Task) -> dict[str, Any] | None:
    """Return what the batch system says of a task, as JSON; None if it has no job there."""
    if not task.job:
        return None
    said = {name: task.job.get(name) for name in ("id", "node", "state", "reason")}
    return {**said, **{name: iso(task.job.get(name)) for name in ("starts", "ends")}}


def _bounds(bounds: Output) -> dict[str, int]:
    return {"start": bounds.start, "end": bounds.end, "lines": bounds.lines, "lost": bounds.lost}
