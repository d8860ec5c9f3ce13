"""The commands that shells have run, from the marks in their output."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from ...core.errors import InternalError
from ...core.ring.commands import RingCommands
from ...core.states import STARTED
from ...core.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.model import Task
    from ...core.ring.reader import RingReader
    from ...core.shells.commands import Command
    from ...storage.task_dirs import TaskDirs
    from ..control import Control

    Result = TypeVar("Result")

#: Maximum number of shells whose read position is remembered.
_MOST_KNOWN = 64


class _Known:
    def __init__(self, nonce: str) -> None:
        self.lock = Lock()
        self.commands = RingCommands(nonce)


class Shells:
    """Reads the marks of shells."""

    def __init__(self, control: Control, task_dirs: TaskDirs) -> None:
        self._control = control
        self._task_dirs = task_dirs
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = Lock()

    async def commands(self, ref: str, limit: int) -> dict[str, Any]:
        """Return the last commands of a shell, as JSON; none for a task without marks. Raises TaskNotFound."""
        task = await self._control.get(ref)

        def read(commands: RingCommands, _: RingReader) -> dict[str, Any]:
            log = commands.log
            last = list(log.commands)[-limit:] if limit else []
            return {
                "marks": log.has_marks,
                "at_prompt": task.state in STARTED and log.attempt == task.attempt and log.input is not None,
                "cwd": log.cwd,
                "commands": [_to_json(command, task) for command in last],
                "total": len(log.commands),
            }

        found = await asyncio.to_thread(self.look, task, read)
        nothing: dict[str, Any] = {"marks": False, "at_prompt": False, "cwd": None, "commands": [], "total": 0}
        return {"id": task.id, **(found or nothing)}

    def look(self, task: Task, do: Callable[[RingCommands, RingReader], Result]) -> Result | None:
        """Read new output, and return the result of `do`; None for a task without marks. Blocking."""
        known = self._find(task)
        if known is None:
            return None
        with known.lock, self._control.open_ring(task) as ring:
            known.commands.update(ring)
            return do(known.commands, ring)

    def _find(self, task: Task) -> _Known | None:
        with self._lock:
            known = self._known.get(task.id)
            if known is not None:
                self._known.move_to_end(task.id)
                return known
        try:
            nonce = self._task_dirs.specs.read(task.id).get("marks")
        except InternalError:
            return None
        if not isinstance(nonce, str):
            return None
        with self._lock:
            known = self._known.setdefault(task.id, _Known(nonce))
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return known


def _to_json(command: Command, task: Task) -> dict[str, Any]:
    running = command.end is None and task.live and command.attempt == task.attempt
    return {
        "attempt": command.attempt,
        "number": command.number,
        "command": command.text,
        "cwd": command.cwd,
        "exit": command.exit,
        "running": running,
        "started": iso(command.started),
        "duration": command.duration,
        "output": {
            "start": command.start,
            "end": command.end,
            "line": command.line,
            "lines": None if command.end_line is None else command.end_line - command.line,
        },
    }
