"""Details of a task that lists leave out, and its differences from the previous run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..core.times import iso
from ..storage.records import attempt_of
from .differences import compared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..core.model import Task
    from ..storage.task_dirs import TaskDirs
    from .control import Control


class Details:
    """Describes single tasks. Every verb takes an id or a name and raises TaskNotFound, or InternalError if the task's
    directory is missing or damaged.
    """

    def __init__(self, control: Control, task_dirs: TaskDirs) -> None:
        self._control = control
        self._task_dirs = task_dirs

    async def of(self, ref: str) -> dict[str, Any]:
        """Return the details of a task as JSON (client.types.Details), with only the names of the given environment
        variables: their values may be secrets.
        """
        task = await self._control.get(ref)
        before = await self._before(task)
        async with self._control.unless_deleted(task):
            return await asyncio.to_thread(self._read, task, before)

    def _read(self, task: Task, before: Task | None) -> dict[str, Any]:
        spec = self._task_dirs.specs.read(task.id)
        host = self._task_dirs.host(task) or {}
        limit = spec.get("timeout") or {}
        imported = spec.get("imported")
        return {
            "id": task.id,
            "attempts": [_attempt(one) for one in (*task.earlier, attempt_of(task))],
            "environment": sorted(spec.get("given_env", {})),
            "host": host.get("hostname") or (imported or {}).get("host"),
            "imported": imported,
            "disk": self._task_dirs.size(task.id),
            "stop": [{"signal": signal, "grace": float(grace)} for signal, grace in spec["ladder"]],
            "timeout_warning": limit.get("warning"),
            "before": None if before is None else {"id": before.id, "name": before.name},
        }

    async def difference(self, ref: str, other: str | None) -> dict[str, Any]:
        """Return the differences between a task and another one (client.types.Difference), by default the previous run:
        the task that it repeats, else the last earlier one with the same name, else with the same command.
        """
        task = await self._control.get(ref)
        before = await self._before(task) if other is None else await self._control.get(other)
        found: dict[str, Any] = {"changes": [], "environment": {"added": [], "removed": [], "changed": []}}
        if before is not None:
            async with self._control.unless_deleted(task):
                new = await asyncio.to_thread(self._task_dirs.specs.read, task.id)
            async with self._control.unless_deleted(before):
                old = await asyncio.to_thread(self._task_dirs.specs.read, before.id)
            found = compared((before, old), (task, new))
        return {"id": task.id, "with": None if before is None else {"id": before.id, "name": before.name}, **found}

    async def _before(self, task: Task) -> Task | None:
        # A copy of the list, which is searched in a thread.
        return await asyncio.to_thread(run_before, task, await self._control.list_all())


def run_before(task: Task, tasks: Iterable[Task]) -> Task | None:
    """Return the previous run of a task among all `tasks`, newest first; None if it is the first run."""
    earlier = [one for one in tasks if one.id < task.id]
    for is_meant in (
        lambda one: one.id == task.again_of,
        lambda one: one.name == task.name,
        lambda one: one.command == task.command,
    ):
        found = next(filter(is_meant, earlier), None)
        if found is not None:
            return found
    return None


def _attempt(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "started": iso(one["started"]), "ended": iso(one["ended"])}
