"""A task as everybody outside sees it: the JSON of REST, events and websockets (docs/rest.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.states import STARTED
from ..core.times import iso

if TYPE_CHECKING:
    from ..storage.task_dirs import Catalogue
    from ..core.model import Output, Task
    from .hosts.supervisor import Hosts
    from .hosts.link import Link
    from .monitor.progress import Tracker
    from .monitor import Sampler


class View:
    """Tells tasks as they are, with what this server knows of them at the moment. It looks at nothing but memory."""

    def __init__(self, hosts: Hosts, catalogue: Catalogue, tracker: Tracker, sampler: Sampler) -> None:
        self._hosts = hosts
        self._catalogue = catalogue
        self._tracker = tracker
        self._sampler = sampler

    def describe(self, task: Task) -> dict[str, Any]:
        """Give the whole of a task. Its environment is never told."""
        link = self._hosts.link(task.id)
        directory = self._catalogue.files(task.id).output
        status = link.status if link is not None else {}
        viewers = int(status.get("viewers", 0)) if task.live else 0
        alive = task.state in STARTED
        return {
            "id": task.id,
            "name": task.name,
            "command": task.command,
            "kind": task.kind.value,
            "cwd": task.cwd,
            "state": task.state.value,
            "state_reason": task.state_reason,
            "state_message": task.state_message,
            "exit": {"code": task.exit.code, "signal": task.exit.signal} if not task.live else None,
            "attempt": task.attempt,
            "pid": task.pid,
            "rows": status.get("rows", task.rows),
            "cols": status.get("cols", task.cols),
            "viewers": viewers,
            "leader": status.get("leader") if task.live else None,
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
            **self.measures(task),
        }

    def measures(self, task: Task) -> dict[str, Any]:
        """Give what changes while a task runs: its progress and its usage."""
        return {"progress": self._tracker.progress(task), "usage": self._sampler.usage(task)}

    def stats(self, task: Task) -> dict[str, Any]:
        """Give a task's usage as it was in the last minutes. Somebody looks at it now."""
        return self._sampler.look(task)


def output(task: Task, link: Link | None) -> Output:
    """Give the bounds of a task's ring as last heard: of a live one from its ptyhost, of a finished one from its
    exit record.
    """
    return link.output if link is not None and task.live else task.output


def last_output(task: Task, link: Link | None) -> float | None:
    """Give when the task last wrote something, in Unix seconds; None if that is not known."""
    return link.last_output if link is not None and link.last_output else task.last_output


def _bounds(bounds: Output) -> dict[str, int]:
    return {"start": bounds.start, "end": bounds.end, "lines": bounds.lines, "lost": bounds.lost}
