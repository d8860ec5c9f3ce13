"""Tasks as files: an ended task is exported without its environment, and imported as a new ended task."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ..core.errors import BadRequest, InternalError, InvalidState, storage_fault
from ..core.files import read_json, write_json
from ..core.machine import hostname
from ..core.model import Kind, TaskRequest, new_id
from ..core.names import LENGTH_MAX
from ..core.queue.turn import runs_again
from ..core.times import iso
from ..storage import archives
from ..storage.task_dirs import TaskDirs
from . import spec as specs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from ..core.model import Output, Task
    from ..core.paths import TaskFiles
    from .control import Control
    from .spec import SpawnDefaults
    from .store import Store

#: The version of the archive format.
FORMAT = 1
#: Exported fields of an exit record. The others are about processes, which mean nothing on another machine.
_EXIT = ("reason", "code", "signal", "started", "ended", "rows", "cols", "last_output", "output", "rusage")


@dataclass(frozen=True)
class Archived:
    """The validated content of an archive. Times are Unix seconds.

    `exit` is the exit record, `facts` what is known about a task without one; `origin` says where it comes from.
    """

    request: TaskRequest
    created: float
    attempt: int
    exit: Mapping[str, Any] | None
    facts: Mapping[str, Any]
    git: Mapping[str, Any] | None
    earlier: tuple[Mapping[str, Any], ...]
    origin: Mapping[str, Any]


class Archives:
    """Exports and imports tasks. `spawn_defaults` are those of this server, `limit` is the maximum unpacked size of an
    archive in bytes.
    """

    def __init__(
        self,
        *,
        control: Control,
        store: Store,
        task_dirs: TaskDirs,
        spawn_defaults: Callable[[], SpawnDefaults],
        limit: int,
    ) -> None:
        self._control = control
        self._store = store
        self._task_dirs = task_dirs
        self._spawn_defaults = spawn_defaults
        self.limit = limit

    async def export(self, ref: str) -> tuple[Task, Iterator[bytes]]:
        """Return an ended task and the bytes of its archive, to be read in a thread. Raises InvalidState."""
        task = await self._control.get(ref)
        if task.live or self._control.is_restarting(task) or runs_again(task):
            raise InvalidState("the task has not ended, or will be retried; only finished tasks are exported")
        async with self._control.unless_deleted(task):
            about = await asyncio.to_thread(self._about, task)
        return task, archives.written(about, self._task_dirs.files(task.id))

    def _about(self, task: Task) -> dict[str, Any]:
        spec = self._task_dirs.specs.read(task.id)
        record = read_json(self._task_dirs.files(task.id).exit)
        has_record = record is not None and record.get("attempt") == task.attempt
        limit = spec.get("timeout") or {}
        ladder = spec["ladder"]
        host = (self._task_dirs.host(task) or {}).get("hostname")
        shown = {
            "command": None if task.kind is Kind.SHELL else task.command,
            "name": task.name,
            "cwd": task.cwd,
            "group": task.group,
            "tags": list(task.tags),
            "metadata": dict(task.metadata),
            "rows": task.rows,
            "cols": task.cols,
            "timeout": limit.get("seconds"),
            "timeout_warning": limit.get("warning"),
            "stop_signals": [signal for signal, _ in ladder] or None,
            "stop_grace": ladder[0][1] if ladder else None,
            "metrics": spec.get("metrics") or None,
        }
        return {
            "format": FORMAT,
            "version": __version__,
            "task": {name: value for name, value in shown.items() if value is not None},
            "params": dict(task.params),
            "created": task.created,
            "attempt": task.attempt,
            "exit": {name: record[name] for name in _EXIT if name in record} if record and has_record else None,
            "peak": task.usage.get("peak"),
            "state": task.state.value,
            "state_reason": task.state_reason,
            "state_message": task.state_message,
            "ended": task.ended,
            "git": None if task.git is None else dict(task.git),
            "earlier": [dict(one) for one in task.earlier],
            "origin": spec.get("imported")
            or {"id": task.id, "host": host or hostname(), "place": task.provisioner, "exported": iso(time.time())},
        }

    def new_id(self) -> str:
        """Return the id for a task to be imported."""
        newest = self._store.index.newest
        return new_id(time.time(), newest.id if newest is not None else "")

    @asynccontextmanager
    async def upload(self, task_id: str) -> AsyncIterator[str]:
        """Yield the path of a file for the archive of the task that gets this id; afterward, everything except the
        added task is removed. Raises StorageFull, InternalError.
        """
        imports = self._task_dirs.imports
        try:
            yield await asyncio.to_thread(imports.begin, task_id)
        finally:
            await asyncio.to_thread(imports.end, task_id)

    async def add(self, task_id: str, archive: str, check: Callable[[Any], Archived]) -> Task:
        """Create a task with this id from the archive at the path from `upload`, and return it. It is pinned, and gets
        another name if its own is taken.

        Args:
            check: validates the content of an archive. Raises BadRequest.

        Raises:
            BadRequest: also TooLarge; nothing was imported. StorageFull, InternalError: the same.
        """
        task = await asyncio.to_thread(self._unpack, task_id, archive, check)
        [added] = await self._store.add_all([task], lambda _: self._task_dirs.imports.placed(task_id))
        return added

    def _unpack(self, task_id: str, archive: str, check: Callable[[Any], Archived]) -> Task:
        drafts = TaskDirs(self._task_dirs.imports.root(task_id))
        files = drafts.files(task_id)
        try:
            with open(archive, "rb") as source:
                archived = check(archives.unpacked(source, files, self.limit))
            self._write(files, archived, drafts.output(task_id), task_id)
        except OSError as error:
            raise storage_fault(error, "the task's directory") from error
        task = drafts.task(task_id)
        if task is None or task.live:
            raise BadRequest("not a valid archive of a task: task.json: it does not say how it ended", field="archive")
        return task if archived.exit is not None else task.with_(**archived.facts)

    def _write(self, files: TaskFiles, archived: Archived, output: Output, task_id: str) -> None:
        request = replace(archived.request, name=self._free(archived.request.name))
        spec = specs.build(request, task_id, archived.created, self._spawn_defaults(), (), shares_files=False)
        about = {"attempt": archived.attempt, "pinned": True, "imported": dict(archived.origin)}
        if archived.exit is None:
            about["state"] = archived.facts["state"].value
        if archived.earlier:
            about["earlier"] = [dict(one) for one in archived.earlier]
        write_json(files.spec, {**spec, **about})
        if archived.git is not None:
            write_json(files.git, {"attempt": archived.attempt, **archived.git})
        if archived.exit is not None:
            bounds = {"start": output.start, "end": output.end, "lines": output.lines}
            record = {**archived.exit, "attempt": archived.attempt, "output": {**archived.exit["output"], **bounds}}
            write_json(files.exit, record, durable=True)

    def _free(self, name: str | None) -> str | None:
        """Return an unused name: this one, or one with a number."""
        if name is None or self._store.look_up(name) is None:
            return name
        number = 2
        while self._store.look_up(found := f"{name[: LENGTH_MAX - 8]} ({number})") is not None:
            number += 1
            if number > 99_999:
                raise InternalError(f"too many tasks have the name {name}")
        return found
